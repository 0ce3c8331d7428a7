"""Storing what the pool said: votes, consensus, routes, and what follows from a route."""

from collections.abc import Sequence

from annotator_core.types import LabelSource, Route
from labeling.labels.actions.items import open_items
from labeling.labels.actions.labels import LabelRow, batched_ids, set_labels
from labeling.labels.actions.rows import (
    ConsensusRow,
    VoteRow,
    hard_route,
    person_labeled,
    store_consensus,
    store_votes,
)
from labeling.labels.models import Consensus, Label
from labeling.runs.actions import add_counts, add_generation_counts, wake_verification
from labeling.runs.models import Run, VoteAhead

__all__ = ["ConsensusRow", "VoteRow", "count_until_full", "follow_routes", "record_routes", "record_votes"]


def record_votes(
    *, run: Run, generation: int, votes: Sequence[VoteRow], rows: Sequence[ConsensusRow], truncated: int
) -> None:
    """Store a chunk's votes and consensus in the transaction that finishes it; route the rows whose route is known."""
    store_votes(votes)
    store_consensus(run, generation, rows)
    add_counts(run_id=run.pk, voted=len(rows), truncated=truncated)
    follow_routes(run, generation, [row for row in rows if row.is_hard is not None])


def count_until_full(run: Run, rows: Sequence[ConsensusRow]) -> int | None:
    """How many of the rows, in order of position, end with the one that fills the hard pool; None when none does.

    Only a run that votes until its pool is full ever stops. The caller has locked the run.
    """
    if run.vote_ahead != VoteAhead.POOL or run.beta is None:
        return None
    room = run.beta - (run.hard - run.learned)
    for count, row in enumerate(rows, 1):
        room -= row.is_hard is True
        if room <= 0:
            return count
    return None


def record_routes(*, run: Run, generation: int, rows: Sequence[ConsensusRow]) -> None:
    """Store the routes that the budget's cut gives to rows which that generation voted on."""
    for is_hard in (True, False):
        for ids in batched_ids(row.sample_id for row in rows if row.is_hard is is_hard):
            part = Consensus.objects.filter(run=run, is_current=True, route=None, sample_id__in=ids)
            part.update(route=hard_route(run) if is_hard else Route.ACCEPT)
    follow_routes(run, generation, rows)


def follow_routes(run: Run, generation: int, rows: Sequence[ConsensusRow]) -> None:
    """REVIEW makes an item a text, VERIFY wakes the job that asks, ACCEPT writes the label; then the counters.

    Rows to verify that a person had labeled already are decided, and nothing is asked about them.
    """
    accepted = [row for row in rows if not row.is_hard]
    hard = [row for row in rows if row.is_hard]
    decided = len(person_labeled(row.sample_id for row in hard)) if run.has_verifier else open_items(run, hard)
    asking = len(hard) - decided if run.has_verifier else 0
    relabeled = accept(run, generation, accepted)
    add_counts(run_id=run.pk, accepted=len(accepted), hard=len(hard), decided=decided, asking=asking)
    if hard:
        wake_verification(run=run)
    add_generation_counts(run_id=run.pk, number=generation, relabeled=relabeled)


def accept(run: Run, generation: int, rows: Sequence[ConsensusRow]) -> int:
    """Label the rows with their consensus; how many of them this run had labeled with another class before."""
    labels = [
        LabelRow(row.sample_id, row.class_id, row.confidence, run_id=run.pk, generation=generation)
        for row in rows
        if row.class_id is not None
    ]
    before = _consensus_labels(run, labels) if generation else {}
    set_labels(rows=labels, source=LabelSource.CONSENSUS)
    return sum(before.get(row.sample_id, row.class_id) != row.class_id for row in labels)


def _consensus_labels(run: Run, rows: Sequence[LabelRow]) -> dict[int, int]:
    """The classes of the samples' current labels that came from the run's pool."""
    classes: dict[int, int] = {}
    for ids in batched_ids(row.sample_id for row in rows):
        labels = Label.objects.filter(sample_id__in=ids, is_current=True, run=run, source=LabelSource.CONSENSUS)
        classes.update(labels.values_list("sample_id", "label_class_id"))
    return classes
