"""Reads about audits: which answers count as blind, and which texts still wait for one."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from annotator_core.types import LabelSource, Route, rank_source
from labeling.datasets.models import Dataset
from labeling.labels.chunk_queries import PARAMETERS, PERSON_SOURCES
from labeling.labels.models import Consensus, ItemReason, ItemState, Label, ReviewItem, VerdictMode
from labeling.runs.models import Run


@dataclass(frozen=True, slots=True)
class BlindAnswer:
    """What a person, who had seen no vote, or a verified import says of a text."""

    class_id: int
    source: LabelSource
    user_id: int | None
    created_at: datetime


def blind_answers(dataset_id: int, hashes: Collection[str]) -> dict[str, BlindAnswer]:
    """The answer that counts for each of the texts that has one: a person's, else the label imported as verified.

    Where copies of a text differ, the higher source wins, then the newer label.
    """
    best: dict[str, tuple[int, int, BlindAnswer]] = {}
    is_blind = Q(verdict=None) | Q(verdict__has_seen_votes=False)
    labels = Label.objects.filter(is_blind, is_current=True, source__in=PERSON_SOURCES, sample__dataset=dataset_id)
    fields = ("sample__text_hash", "id", "label_class_id", "source", "verdict__user_id", "created_at")
    for part in _parts(hashes):
        for text_hash, pk, class_id, name, user_id, created_at in labels.filter(sample__text_hash__in=part).values_list(
            *fields
        ):
            source = LabelSource(name)
            found = (rank_source(source), pk, BlindAnswer(class_id, source, user_id, created_at))
            best[text_hash] = max(best.get(text_hash, found), found, key=lambda one: one[:2])
    return {text_hash: found[2] for text_hash, found in best.items()}


def imported_answers(dataset_id: int, hashes: Collection[str]) -> dict[str, int]:
    """The class that each of the texts came in with as verified, also where a person has labeled it since."""
    found: dict[str, int] = {}
    labels = Label.objects.filter(source=LabelSource.IMPORTED, is_retracted=False, sample__dataset=dataset_id)
    for part in _parts(hashes):
        rows = labels.filter(sample__text_hash__in=part).order_by("id")
        found.update(rows.values_list("sample__text_hash", "label_class_id"))
    return found


def seen_labels(run: Run) -> tuple[int, int]:
    """Rows of the run for people whose label somebody gave who had seen votes; those confirmed together among them.

    An audit measures none of them: its texts, and all of its frame, are answered blind.
    """
    rows = Consensus.objects.filter(run=run, is_current=True, route=Route.REVIEW)
    labels = Label.objects.filter(is_current=True, verdict__has_seen_votes=True, sample__in=rows.values("sample"))
    together = Count("id", filter=Q(verdict__mode=VerdictMode.BULK))
    found = labels.aggregate(seen=Count("id"), together=together)
    return found["seen"], found["together"]


def waiting_hashes(dataset_id: int, hashes: Collection[str]) -> set[str]:
    """Those of the texts that stand in the queue."""
    found: set[str] = set()
    items = ReviewItem.objects.filter(dataset=dataset_id, state=ItemState.OPEN)
    for part in _parts(hashes):
        found.update(items.filter(text_hash__in=part).values_list("text_hash", flat=True))
    return found


def asked_hashes(dataset_id: int, hashes: Collection[str]) -> set[str]:
    """Those of the texts that people decided because a run had asked for them, whether or not an audit had, too."""
    found: set[str] = set()
    items = ReviewItem.objects.filter(dataset=dataset_id, state=ItemState.DECIDED).exclude(run=None)
    for part in _parts(hashes):
        found.update(items.filter(text_hash__in=part).values_list("text_hash", flat=True))
    return found


def count_accepted_by_people(run: Run) -> int:
    """How many rows the run accepts whose current label a person gave all the same, or a verified import."""
    labels = Label.objects.filter(sample=OuterRef("sample"), is_current=True, source__in=PERSON_SOURCES)
    return Consensus.objects.filter(Exists(labels), run=run, is_current=True, route=Route.ACCEPT).count()


def is_audit_open(dataset: Dataset) -> bool:
    """Whether a text of the data set waits for an audit: then nothing shows votes on a text that is not decided."""
    if not dataset.frame_until:
        return False
    framed = ReviewItem.objects.filter(dataset=dataset, text_hash__lte=dataset.frame_until)
    return framed.filter(reason=ItemReason.AUDIT, state=ItemState.OPEN).exists()


def _parts(hashes: Collection[str]) -> Iterator[list[str]]:
    wanted = sorted(hashes)
    for low in range(0, len(wanted), PARAMETERS):
        yield wanted[low : low + PARAMETERS]
