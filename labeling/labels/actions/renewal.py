"""Voting again: open texts that nobody doubts any more leave the queue, accepted rows get new labels."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from django.utils import timezone

from annotator_core.types import Route
from labeling.labels.actions.audit import release_audit_items
from labeling.labels.actions.items import ItemFound, lock_items, set_priorities, set_states
from labeling.labels.actions.labels import batched_ids
from labeling.labels.actions.rows import (
    ConsensusRow,
    VoteRow,
    as_routed,
    person_labeled,
    store_consensus,
    store_votes,
)
from labeling.labels.actions.votes import accept, follow_routes
from labeling.labels.answer_queries import contradicted_hashes
from labeling.labels.chunk_queries import DOUBTS, ConsensusOnRow
from labeling.labels.models import Consensus, ItemReason, ItemState, Lease, Verdict
from labeling.runs.actions import add_counts, add_generation_counts
from labeling.runs.models import Run


def record_revote(*, run: Run, generation: int, votes: Sequence[VoteRow], rows: Sequence[ConsensusRow]) -> set[int]:
    """Store new votes on texts to review, in the transaction that finishes the chunk; returns the rows taken off.

    A text that is not hard any more leaves the queue unless it was decided meanwhile or stands on a screen; one of an
    audit leaves the run alone and waits on. Rows that a person decided keep their route, and a text stays on which a
    language model has answered another class. The run is locked by the caller.
    """
    items = lock_items(run, sorted({row.text_hash for row in rows}))
    sure = {row.text_hash for row in rows if not row.is_hard}
    sure -= contradicted_hashes(run, ((row.text_hash, row.class_id) for row in rows))
    leaving = _leaving({text_hash: items[text_hash] for text_hash in sorted(sure & set(items))})
    known = person_labeled(row.sample_id for row in rows)
    routed = [replace(row, is_hard=row.text_hash not in leaving or row.sample_id in known) for row in rows]
    store_votes(votes)
    store_consensus(run, generation, routed, hard=Route.REVIEW)  # a language model was asked before people were
    off = [row for row in routed if not row.is_hard]
    accept(run, generation, off)
    _let_go([items[text_hash] for text_hash in leaving])
    set_priorities(_new_places(items, [row for row in rows if row.text_hash not in leaving]))
    add_counts(run_id=run.pk, hard=-len(off), accepted=len(off))
    add_generation_counts(run_id=run.pk, number=generation, voted_again=len(rows), taken_off=len(off))
    return {row.sample_id for row in off}


def take_off(*, run: Run, rows: Sequence[ConsensusOnRow]) -> int:
    """Accept the rows of texts that a new cut does not send to review any more; returns how many rows it accepted.

    Their texts leave the queue, but not one that was decided meanwhile or stands on a screen, and rows that a person
    decided keep their route. `rows` holds all copies of a text. The run is locked by the caller.
    """
    items = lock_items(run, sorted({row.text_hash for row in rows}))
    leaving = set(_leaving(items)) - contradicted_hashes(run, ((row.text_hash, row.class_id) for row in rows))
    known = person_labeled(row.sample_id for row in rows)
    off = [row for row in rows if row.text_hash in leaving and row.sample_id not in known]
    for ids in batched_ids(row.sample_id for row in off):
        Consensus.objects.filter(run=run, is_current=True, sample_id__in=ids).update(route=Route.ACCEPT)
    for number, part in groupby(sorted(off, key=attrgetter("generation")), key=attrgetter("generation")):
        accepted = [as_routed(row, is_hard=False) for row in part]
        accept(run, number, accepted)
        add_generation_counts(run_id=run.pk, number=number, taken_off=len(accepted))
    _let_go([items[text_hash] for text_hash in leaving])
    add_counts(run_id=run.pk, hard=-len(off), accepted=len(off))
    return len(off)


def _leaving(items: dict[str, ItemFound]) -> list[str]:
    """Texts of locked items that may leave the queue. A lease that ended goes first, so that nobody can renew it.

    Whatever people have begun stays: a text that one of several has answered, or that is on the reviewers' desk.
    """
    doubted = {text_hash: item.pk for text_hash, item in items.items() if _may_leave(item) and not item.is_with_people}
    held: set[int] = set()
    for ids in batched_ids(doubted.values()):
        leases = Lease.objects.filter(item_id__in=ids)
        leases.filter(expires_at__lte=timezone.now()).delete()
        held.update(leases.values_list("item_id", flat=True))
        answered = Verdict.objects.filter(item_id__in=ids, is_current=True, is_undo=False)
        held.update(answered.values_list("item_id", flat=True))
    return [text_hash for text_hash, pk in doubted.items() if pk not in held]


def _may_leave(item: ItemFound) -> bool:
    return item.state == ItemState.OPEN and item.reason in DOUBTS


def _let_go(items: Iterable[ItemFound]) -> None:
    audited = {item.pk: item.reason == ItemReason.AUDIT for item in items}
    set_states((pk for pk, is_audited in audited.items() if not is_audited), ItemState.WITHDRAWN)
    release_audit_items([pk for pk, is_audited in audited.items() if is_audited])


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
