"""The current answer of each sample: higher sources replace lower ones, of equals the newest; history stays."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from annotator_core.types import LabelSource, rank_source
from labeling.datasets.models import Sample
from labeling.labels.models import Label
from labeling.web.bulk import insert_rows
from labeling.web.prepared import Prepared

BATCH = 500  # values in one IN list: SQLite builds exist that take no more than 999 parameters (C36)
COLUMNS = (
    "sample_id",
    "label_class_id",
    "source",
    "confidence",
    "run_id",
    "generation",
    "verdict_id",
    "is_current",
    "is_retracted",
    "created_at",
)


@dataclass(frozen=True, slots=True)
class LabelRow:
    """An answer for one sample. confidence in 0..1, or None where nobody measured it."""

    sample_id: int
    class_id: int
    confidence: float | None = None
    run_id: int | None = None
    generation: int | None = None
    verdict_id: int | None = None


def set_labels(*, rows: Sequence[LabelRow], source: LabelSource, are_locked: bool = False) -> dict[int, LabelSource]:
    """Store one label a sample; returns the source of the label that stood before, for each sample that had one.

    A row that loses against a higher source is kept as history: it comes back when the higher one is retracted.
    `are_locked` says that the caller has locked the samples in the order of their ids.
    Raises ValueError when a sample stands in `rows` twice.
    """
    sample_ids = [row.sample_id for row in rows]
    if len(set(sample_ids)) != len(sample_ids):
        raise ValueError("a sample stands in the rows twice")
    with transaction.atomic(savepoint=False):
        if not are_locked:
            _lock(sample_ids)
        before = {sample_id: (pk, LabelSource(old)) for pk, sample_id, old in _current(sample_ids)}
        kept = {sample_id for sample_id, (_, old) in before.items() if rank_source(old) > rank_source(source)}
        _update((pk for sample_id, (pk, _) in before.items() if sample_id not in kept), is_current=False)
        now = timezone.now()
        insert_rows(Label, COLUMNS, (_values(row, source, row.sample_id not in kept, now) for row in rows))
    return {sample_id: old for sample_id, (_, old) in before.items()}


def retract_labels(*, verdict_ids: Iterable[int]) -> dict[int, LabelSource | None]:
    """Take back the labels of these verdicts; returns the source of the label that stands now, for each of the samples.

    The best label left becomes current: the highest source, of equals the newest. None where nothing is left.
    """
    with transaction.atomic(savepoint=False):
        hanging = Label.objects.filter(verdict_id__in=list(verdict_ids), is_retracted=False)
        taken = dict(hanging.values_list("id", "sample_id"))
        sample_ids = sorted(set(taken.values()))
        _lock(sample_ids)
        for ids in batched_ids(taken):
            Label.objects.filter(pk__in=ids).update(is_current=False, is_retracted=True)
        best: dict[int, tuple[int, int, LabelSource]] = {}
        for pk, sample_id, name in _labels(sample_ids, is_retracted=False):
            found = (rank_source(LabelSource(name)), pk, LabelSource(name))
            best[sample_id] = max(best.get(sample_id, found), found)
        _update((pk for _, pk, _ in best.values()), is_current=True)
    return {sample_id: best[sample_id][2] if sample_id in best else None for sample_id in sample_ids}


def batched_ids(ids: Iterable[int]) -> Iterator[list[int]]:
    """The ids in lists of at most BATCH."""
    batch: list[int] = []
    for one in ids:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _values(row: LabelRow, source: LabelSource, is_current: bool, now: datetime) -> tuple[Any, ...]:
    given = (row.sample_id, row.class_id, source.value, row.confidence, row.run_id, row.generation, row.verdict_id)
    return (*given, is_current, False, now)


def _lock(sample_ids: Iterable[int]) -> None:
    """Let one writer at a time change the labels of a sample. SQLite has one writer anyway."""
    if not connection.features.has_select_for_update:
        return
    for ids in batched_ids(sorted(sample_ids)):
        list(Sample.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))


def _current(sample_ids: Sequence[int]) -> Iterable[tuple[int, int, str]]:
    return _current_of_one(*sample_ids) if len(sample_ids) == 1 else _labels(sample_ids, is_current=True)


_current_of_one = Prepared(
    lambda sample_id: Label.objects.filter(sample_id=sample_id, is_current=True).values_list(
        "id", "sample_id", "source"
    )
)


def _labels(sample_ids: Sequence[int], **conditions: bool) -> Iterator[tuple[int, int, str]]:
    for ids in batched_ids(sample_ids):
        yield from Label.objects.filter(sample_id__in=ids, **conditions).values_list("id", "sample_id", "source")


def _update(label_ids: Iterable[int], *, is_current: bool) -> None:
    for ids in batched_ids(label_ids):
        Label.objects.filter(pk__in=ids).update(is_current=is_current)
