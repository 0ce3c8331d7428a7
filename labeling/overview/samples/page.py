"""The samples list: filtered by allow-listed fields, paged by position, bounded in what one page looks at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from django.db import connection, transaction
from django.db.models import F, OuterRef, Q, QuerySet
from django.db.models.functions import Left
from django.db.models.lookups import IsNull

from labeling.datasets.models import Dataset, Sample
from labeling.overview.samples.blind import first, kept_back
from labeling.overview.samples.conditions import item_conditions, label_conditions, machine_conditions
from labeling.overview.samples.values import FilterValues

PAGE = 50
STEP = 2_000  # chosen: rows that the first statement looks through, little enough to be quick whatever is asked
GROWTH = 8  # chosen: the next ones look through as many as fit into the time left, and at most this many times more
PATIENCE_S = 0.4  # chosen: how long a page goes on looking for a rare match; a page is to take under a second
RARE = 5_000  # chosen: up to as many items are looked up one by one, which is faster than looking through all rows
EXCERPT = 240


@dataclass(frozen=True, slots=True)
class Found:
    """Samples by rising position with `excerpt`; `searched` is the range of row numbers looked through, from 1."""

    samples: list[Sample]
    after: int | None
    before: int | None
    searched: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Search:
    """Matching samples, found by the few items that are asked for (`is_rare`: all rows at once) or row by row."""

    samples: QuerySet[Sample]
    is_rare: bool

    def take(self, low: int, high: int, n: int, *, backwards: bool) -> list[Sample]:
        """The first (or last) n matches after position `low` up to `high`. A long text never leaves the database."""
        # The sum keeps the database from walking all positions where it should look up the few texts.
        place = F("position") + 0 if self.is_rare else F("position")
        here = self.samples.alias(place=place).filter(place__gt=low, place__lte=high).defer("text", "cells")
        found = here.annotate(excerpt=Left("text", EXCERPT)).order_by("-place" if backwards else "place")
        return list(found[:n])


def search_of(dataset: Dataset, values: FilterValues) -> Search:
    """The samples that match, by the quickest way to them."""
    samples, is_rare = Sample.objects.filter(dataset=dataset), False
    machine = list(machine_conditions(dataset, values))
    if machine or values.label_class:
        samples = samples.exclude(kept_back(dataset))
    for condition in (*label_conditions(values), *machine):
        samples = samples.filter(condition)
    for asked in item_conditions(dataset, values):
        if asked.rare is not None and asked.rare.order_by().values("pk")[: RARE + 1].count() <= RARE:
            samples, is_rare = samples.filter(text_hash__in=asked.rare.values("text_hash")), True
        else:
            samples = samples.filter(IsNull(first(asked.probe.filter(text_hash=OuterRef("text_hash")), "pk"), False))
    if values.text:
        samples = samples.filter(Q(text__icontains=values.text))
    return Search(samples, is_rare)


def find(dataset: Dataset, values: FilterValues, *, patience_s: float = PATIENCE_S) -> Found:
    """The page that starts after (or ends before) a position.

    It looks through the rows in steps until it is full or the time is up: a rare match never makes a page slow.
    """
    search, last = search_of(dataset, values), dataset.row_count - 1
    with _uncompiled():
        if values.before is not None:
            high = values.before - 1
            low, rows = _look(search, high, -1, patience_s)
        else:
            low = values.after if values.after is not None else -1
            high, rows = _look(search, low, last, patience_s)
    return Found(
        samples=sorted(rows, key=lambda one: one.position),
        after=high if high < last else None,
        before=low + 1 if low >= 0 else None,
        searched=(low + 2, high + 1),
    )


@contextmanager
def _uncompiled() -> Iterator[None]:
    """PostgreSQL would compile such statements for longer (1.5 s measured) than they run."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL jit = off")
        yield


def _look(search: Search, start: int, end: int, patience_s: float) -> tuple[int, list[Sample]]:
    """How far it came from `start` towards `end`, forwards or backwards, and the matches on the way."""
    rows: list[Sample] = []
    step, at, until = abs(end - start) if search.is_rare else STEP, start, monotonic() + patience_s
    way = 1 if end > start else -1
    while at != end:
        began, nearer = monotonic(), at + way * min(step, abs(end - at))
        rows += search.take(min(at, nearer), max(at, nearer), PAGE - len(rows), backwards=way < 0)
        if len(rows) == PAGE:
            return rows[-1].position - (way < 0), rows
        at, now = nearer, monotonic()
        if now >= until:
            break
        step = int(step * min(GROWTH, (until - now) / (now - began))) or 1
    return at, rows
