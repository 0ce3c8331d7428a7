"""The counters of a run, and the lock under which they change: job, run, item, sample is the order of all locks."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet, Subquery

from labeling.runs.models import PoolGeneration, PoolMember, Run
from labeling.web.prepared import Prepared, PreparedChange

COUNTERS = frozenset({"voted", "accepted", "hard", "decided", "asking", "verified", "truncated"})
GENERATION_COUNTERS = frozenset({"voted_again", "taken_off", "renewed", "relabeled"})


def _runs_of_item(item_id: int) -> "QuerySet[Any, Any]":
    datasets = Run.objects.filter(dataset__items=item_id).values("dataset_id")[:1]
    runs = Run.objects.select_for_update(no_key=True).filter(dataset_id=Subquery(datasets))
    return runs.order_by("id").values_list("id")


_lock_runs_of_item = Prepared(_runs_of_item)


def lock_run(run_id: int) -> Run:
    """The run as it stands now, locked until the transaction ends, with its data set."""
    return Run.objects.select_for_update(no_key=True, of=("self",)).select_related("dataset").get(pk=run_id)


def lock_runs_of_item(item_id: int) -> None:
    """Lock the runs on a review item's data set before the item itself: its verdict counts in any of them."""
    if connection.features.has_select_for_update:  # SQLite has one writer anyway
        _lock_runs_of_item(item_id)


def add_counts(*, run_id: int, **deltas: int) -> None:
    """Add to the run's counters. Only labels' actions call this, in the transaction that stores the facts counted."""
    unknown = set(deltas) - COUNTERS
    if unknown:
        raise ValueError(f"no such counters: {sorted(unknown)}")
    changes = {name: delta for name, delta in deltas.items() if delta}
    if changes:
        _adding(tuple(changes))(run_id, *changes.values())


@cache
def _adding(names: tuple[str, ...]) -> PreparedChange:
    """Adds to these counters of a run."""

    def changed(run_id: int, *deltas: int) -> "tuple[QuerySet[Run], dict[str, Any]]":
        return Run.objects.filter(pk=run_id), {name: F(name) + by for name, by in zip(names, deltas, strict=True)}

    return PreparedChange(changed)


def add_generation_counts(*, run_id: int, number: int, **deltas: int) -> None:
    """Add to what a generation changed: rows voted again and taken off the queue, renewed and given another label."""
    unknown = set(deltas) - GENERATION_COUNTERS
    if unknown:
        raise ValueError(f"no such counters: {sorted(unknown)}")
    changes = {name: F(name) + delta for name, delta in deltas.items() if delta}
    if changes:
        PoolGeneration.objects.filter(run_id=run_id, number=number).update(**changes)


def add_member_counts(*, member_id: int, voted: int, abstained: int, agreed: int, seconds: float) -> None:
    """Add one chunk to a pool member's counters."""
    PoolMember.objects.filter(pk=member_id).update(
        voted=F("voted") + voted,
        abstained=F("abstained") + abstained,
        agreed=F("agreed") + agreed,
        seconds=F("seconds") + seconds,
    )


def note_members(*, notes: Mapping[int, str]) -> None:
    """Keep, per pool member, the reason of its abstentions for the page."""
    for member_id, note in notes.items():
        PoolMember.objects.filter(pk=member_id).update(note=note[:500])
