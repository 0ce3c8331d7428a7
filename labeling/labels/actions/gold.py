"""Labels that come with the data: a gold column taken as verified, and people's labels carried over to new data."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from annotator_core.types import LabelSource, rank_source
from labeling.datasets.models import Sample, Upload
from labeling.labels.actions.labels import BATCH, COLUMNS
from labeling.labels.models import Label
from labeling.projects.models import Project
from labeling.web.bulk import insert_rows

CARRIED = (LabelSource.HUMAN, LabelSource.ADJUDICATED, LabelSource.IMPORTED)
MAX_UNKNOWN = 50


@dataclass(slots=True)
class GoldFound:
    """(sample id, class id) of rows whose gold names a class, and how often each other value stands there."""

    rows: list[tuple[int, int]] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Carried:
    """An answer of the old data set for a text."""

    class_id: int
    source: LabelSource
    confidence: float | None
    verdict_id: int | None
    created_at: datetime


def match_gold(*, upload: Upload, low: int, high: int) -> GoldFound:
    """What the gold column says of the upload's samples at positions [low, high)."""
    exact, folded = _class_names(upload.project)
    found = GoldFound()
    samples = Sample.objects.filter(dataset=upload.dataset_id, position__gte=low, position__lt=high).exclude(gold="")
    for sample_id, gold in samples.values_list("id", "gold"):
        class_id = exact.get(gold) or folded.get(gold.strip().casefold())
        if class_id:
            found.rows.append((sample_id, class_id))
        else:
            found.unknown[gold] = found.unknown.get(gold, 0) + 1
    return found


def _class_names(project: Project) -> tuple[dict[str, int], dict[str, int]]:
    """Class ids by name and by folded name; classes that are not retired come first."""
    exact: dict[str, int] = {}
    folded: dict[str, int] = {}
    for class_id, name in project.classes.order_by("is_retired", "position").values_list("id", "name"):
        exact.setdefault(name, class_id)
        folded.setdefault(name.casefold(), class_id)
    return exact, folded


def adopt_gold(*, upload: Upload, found: GoldFound) -> None:
    """Store the matched rows as imported labels of their samples, and count what did not match.

    Runs in the transaction that finishes the chunk.
    """
    now = timezone.now()
    source = LabelSource.IMPORTED.value
    insert_rows(Label, COLUMNS, ((pk, cls, source, None, None, None, None, True, False, now) for pk, cls in found.rows))
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    for value, count in found.unknown.items():
        key = value if value in locked.gold_unknown or len(locked.gold_unknown) < MAX_UNKNOWN else "…"
        locked.gold_unknown[key] = locked.gold_unknown.get(key, 0) + count
    locked.gold_count += len(found.rows)
    locked.save(update_fields=["gold_unknown", "gold_count"])


def match_carried(*, upload: Upload, low: int, high: int) -> dict[int, Carried]:
    """For the new samples at [low, high) with a text that people labeled in the old data set: its answer.

    Where copies of a text differ, the one with the same external id wins, then the higher source, then the newer.
    """
    samples = list(
        Sample.objects.filter(dataset=upload.dataset_id, position__gte=low, position__lt=high).values_list(
            "id", "external_id", "text_hash"
        )
    )
    answers = _answers(upload.target_id, sorted({text_hash for _, _, text_hash in samples}))
    best: dict[int, Carried] = {}
    for sample_id, external_id, text_hash in samples:
        given = answers.get(text_hash)
        if given:
            same = [answer for old_id, answer in given if old_id == external_id and old_id is not None]
            best[sample_id] = max(same or [answer for _, answer in given], key=_order)
    return best


def _order(answer: Carried) -> tuple[int, datetime]:
    return rank_source(answer.source), answer.created_at


def _answers(target_id: int | None, hashes: list[str]) -> dict[str, list[tuple[str | None, Carried]]]:
    """People's current answers in the old data set by text hash, each with the external id of its sample."""
    found: dict[str, list[tuple[str | None, Carried]]] = {}
    labels = Label.objects.filter(is_current=True, sample__dataset=target_id, source__in=[s.value for s in CARRIED])
    for low in range(0, len(hashes), BATCH):
        some = labels.filter(sample__text_hash__in=hashes[low : low + BATCH])
        for label in some.select_related("sample").defer("sample__text", "sample__cells"):
            found.setdefault(label.sample.text_hash, []).append((label.sample.external_id, _carried(label)))
    return found


def _carried(label: Label) -> Carried:
    source = LabelSource(label.source)
    return Carried(label.label_class_id, source, label.confidence, label.verdict_id, label.created_at)


def carry_labels(*, upload: Upload, carried: dict[int, Carried]) -> None:
    """Give the new samples these answers as they were; a label of the same or a lower rank steps back.

    Runs in the transaction that finishes the chunk.
    """
    standing = _standing(list(carried))
    rows: list[tuple[Any, ...]] = []
    replaced: list[int] = []
    for sample_id, answer in carried.items():
        label_id, source = standing.get(sample_id, (0, None))
        if source and rank_source(source) > rank_source(answer.source):
            continue
        replaced += [label_id] if label_id else []
        given = (answer.class_id, answer.source.value, answer.confidence, None, None, answer.verdict_id)
        rows.append((sample_id, *given, True, False, answer.created_at))
    for low in range(0, len(replaced), BATCH):
        Label.objects.filter(pk__in=replaced[low : low + BATCH]).update(is_current=False)
    insert_rows(Label, COLUMNS, rows)
    Upload.objects.filter(pk=upload.pk).update(carried_count=F("carried_count") + len(rows))


def _standing(sample_ids: list[int]) -> dict[int, tuple[int, LabelSource]]:
    """(label id, source) of the current label of each sample that has one."""
    found: dict[int, tuple[int, LabelSource]] = {}
    for low in range(0, len(sample_ids), BATCH):
        labels = Label.objects.filter(is_current=True, sample_id__in=sample_ids[low : low + BATCH])
        found.update(
            {
                sample_id: (pk, LabelSource(source))
                for pk, sample_id, source in labels.values_list("id", "sample_id", "source")
            }
        )
    return found
