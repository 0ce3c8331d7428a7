"""The `mix` option: accepted rows drawn at random are reviewed among the hard ones, so that training sees both."""

import hashlib
from collections import Counter
from dataclasses import replace

from django.db.models import Exists, OuterRef, QuerySet

from annotator_core.types import Route
from labeling.datasets.models import Sample
from labeling.labels.actions.items import open_items
from labeling.labels.actions.labels import BATCH, batched_ids
from labeling.labels.actions.rows import ConsensusRow
from labeling.labels.chunk_queries import PERSON_SOURCES
from labeling.labels.models import Consensus, ItemReason, ItemState, Label, ReviewItem
from labeling.runs.actions import add_counts
from labeling.runs.models import Run, VoteAhead

STANDING = (ItemState.OPEN, ItemState.DECIDED)


def mix_in(*, run: Run, draws: int) -> int:
    """Put accepted texts into the queue until the run had its random share for that many pools; returns the rows moved.

    A share counts texts: `run.random_rows` for each pool. None are drawn where too few hard rows are left to fill a
    pool with them, for nobody would learn from them; under a budget only what is left of it. The run is locked.
    """
    if run.vote_ahead != VoteAhead.ALL or run.beta is None or not run.random_share:
        return 0
    had = ReviewItem.objects.filter(run=run, reason=ItemReason.RANDOM).count()
    count = min(draws * run.random_rows - had, run.random_rows)
    if count <= 0 or run.pool_size + run.unreviewed + count < run.beta:
        return 0
    return _move(run, _draw(run, count, had))


def _draw(run: Run, count: int, had: int) -> list[str]:
    """Hashes of texts that follow a random point: hashes have nothing to do with texts, so any stretch is a sample."""
    point = hashlib.blake2b(f"{run.seed} {had}".encode(), digest_size=16).hexdigest()
    hashes = _candidates(run).values_list("text_hash", flat=True).order_by("text_hash").distinct()
    found = list(hashes.filter(text_hash__gt=point)[:count])
    return found + list(hashes.filter(text_hash__lte=point)[: count - len(found)])


def _candidates(run: Run) -> QuerySet[Sample]:
    """Accepted rows outside the audit frame that no person labeled and whose text is not in the queue."""
    accepted = Consensus.objects.filter(run=run, sample=OuterRef("pk"), is_current=True, route=Route.ACCEPT)
    labeled = Label.objects.filter(sample=OuterRef("pk"), is_current=True, source__in=PERSON_SOURCES)
    queued = ReviewItem.objects.filter(run=run, text_hash=OuterRef("text_hash"), state__in=STANDING)
    samples = Sample.objects.filter(Exists(accepted), ~Exists(labeled), ~Exists(queued), dataset=run.dataset_id)
    return samples.filter(text_hash__gt=run.dataset.frame_until) if run.has_frame else samples


def _move(run: Run, hashes: list[str]) -> int:
    rows = _accepted_rows(run, dict(zip(hashes, _places(run, len(hashes)), strict=True)))
    rows = _within(rows, run.budget_rows - run.hard)
    for ids in batched_ids(row.sample_id for row in rows):
        Consensus.objects.filter(run=run, is_current=True, sample_id__in=ids).update(route=Route.REVIEW)
    decided = open_items(run, rows)
    add_counts(run_id=run.pk, accepted=-len(rows), hard=len(rows), decided=decided)
    return len(rows)


def _within(rows: list[ConsensusRow], room: int) -> list[ConsensusRow]:
    """The rows of as many texts as there is room for, all copies of a text together."""
    copies = Counter(row.text_hash for row in rows)
    kept: set[str] = set()
    for text_hash, count in copies.items():
        if count <= room:
            kept.add(text_hash)
            room -= count
    return [row for row in rows if row.text_hash in kept]


def _places(run: Run, count: int) -> list[float]:
    """The priorities of the first hard texts, one for each random text, which so stands behind one of them."""
    hard = ReviewItem.objects.filter(run=run, state=ItemState.OPEN).exclude(reason=ItemReason.RANDOM)
    places = list(hard.order_by("priority", "id").values_list("priority", flat=True)[:count])
    return places + [places[-1] if places else 0.0] * (count - len(places))


def _accepted_rows(run: Run, places: dict[str, float]) -> list[ConsensusRow]:
    """All accepted copies of the texts, each with its text's place in the queue for a score."""
    hashes = list(places)
    accepted = Consensus.objects.filter(run=run, is_current=True, route=Route.ACCEPT, sample__dataset=run.dataset_id)
    fields = ("sample_id", "sample__text_hash", "label_class_id", "uncertainty", "confidence")
    rows: list[ConsensusRow] = []
    for start in range(0, len(hashes), BATCH):
        part = accepted.filter(sample__text_hash__in=hashes[start : start + BATCH]).order_by("sample_id")
        for sample_id, text_hash, class_id, uncertainty, confidence in part.values_list(*fields):
            row = ConsensusRow(sample_id, text_hash, class_id, uncertainty, places[text_hash], confidence or 0.0, True)
            rows.append(replace(row, reason=ItemReason.RANDOM))
    return rows
