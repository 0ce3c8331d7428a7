"""Voting again: open texts that nobody doubts any more leave the queue, accepted rows get new labels."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.utils import timezone

from annotator_core.types import Route
from labeling.labels.actions.items import ItemFound, lock_items, set_priorities, set_states
from labeling.labels.actions.labels import batched_ids
from labeling.labels.actions.rows import ConsensusRow, VoteRow, person_labeled, store_consensus, store_votes
from labeling.labels.actions.votes import accept, follow_routes
from labeling.labels.models import Consensus, ItemReason, ItemState, Lease
from labeling.runs.actions import add_counts, add_generation_counts
from labeling.runs.models import Run

DOUBTS = (ItemReason.HARD, ItemReason.UNCERTAIN)
"""Why a text may leave the queue again; one drawn at random is reviewed whatever the pool says."""


def record_revote(*, run: Run, generation: int, votes: Sequence[VoteRow], rows: Sequence[ConsensusRow]) -> set[int]:
    """Store new votes on texts to review, in the transaction that finishes the chunk; returns the rows taken off.

    A text that is not hard any more leaves the queue unless it was decided meanwhile or stands on a screen. Rows that
    a person decided keep their route. The run is locked by the caller.
    """
    items = lock_items(run, sorted({row.text_hash for row in rows}))
    sure = {row.text_hash for row in rows if not row.is_hard}
    leaving = _leaving({text_hash: items[text_hash] for text_hash in sorted(sure & set(items))})
    known = person_labeled(row.sample_id for row in rows)
    routed = [replace(row, is_hard=row.text_hash not in leaving or row.sample_id in known) for row in rows]
    store_votes(votes)
    store_consensus(run, generation, routed)
    off = [row for row in routed if not row.is_hard]
    accept(run, generation, off)
    set_states((items[text_hash].pk for text_hash in leaving), ItemState.WITHDRAWN)
    set_priorities(_new_places(items, [row for row in rows if row.text_hash not in leaving]))
    add_counts(run_id=run.pk, hard=-len(off), accepted=len(off))
    add_generation_counts(run_id=run.pk, number=generation, voted_again=len(rows), taken_off=len(off))
    return {row.sample_id for row in off}


def _leaving(items: dict[str, ItemFound]) -> list[str]:
    """Texts of locked items that may leave the queue. A lease that ended goes first, so that nobody can renew it."""
    doubted = {text_hash: item.pk for text_hash, item in items.items() if _may_leave(item)}
    held: set[int] = set()
    for ids in batched_ids(doubted.values()):
        leases = Lease.objects.filter(item_id__in=ids)
        leases.filter(expires_at__lte=timezone.now()).delete()
        held.update(leases.values_list("item_id", flat=True))
    return [text_hash for text_hash, pk in doubted.items() if pk not in held]


def _may_leave(item: ItemFound) -> bool:
    return item.state == ItemState.OPEN and item.reason in DOUBTS


def _new_places(items: dict[str, ItemFound], rows: Iterable[ConsensusRow]) -> dict[int, float]:
    """The new scores of the open items; one drawn at random keeps its place among the others."""
    scores = {row.text_hash: row.score for row in rows}
    open_items = {text_hash: items[text_hash] for text_hash in scores if text_hash in items}
    return {item.pk: scores[text_hash] for text_hash, item in open_items.items() if _may_leave(item)}


def record_renewal(*, run: Run, generation: int, votes: Sequence[VoteRow], rows: Sequence[ConsensusRow]) -> set[int]:
    """Store new votes on accepted rows, in the transaction that finishes the chunk; returns the rows it stored.

    Rows that a person labeled meanwhile stay as they are. Under a budget the others wait for their route; without one
    they are labeled, or go to review. The run is locked by the caller.
    """
    known = person_labeled(row.sample_id for row in rows)
    renewed = [row for row in rows if row.sample_id not in known]
    add_counts(run_id=run.pk, accepted=-_count_accepted(run, renewed))
    store_votes(votes)
    store_consensus(run, generation, renewed)
    follow_routes(run, generation, [row for row in renewed if row.is_hard is not None])
    add_generation_counts(run_id=run.pk, number=generation, renewed=len(renewed))
    return {row.sample_id for row in renewed}


def _count_accepted(run: Run, rows: Iterable[ConsensusRow]) -> int:
    """How many of the rows are accepted now; those renewed before without a route are counted nowhere."""
    accepted = Consensus.objects.filter(run=run, is_current=True, route=Route.ACCEPT)
    return sum(accepted.filter(sample_id__in=ids).count() for ids in batched_ids(row.sample_id for row in rows))
