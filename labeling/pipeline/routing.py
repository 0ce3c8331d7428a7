"""A run's review budget: its cut when every row has its votes, then the routes of the rows that wait for it."""

from itertools import groupby
from operator import attrgetter

from labeling.jobs.actions import Claim, finishing
from labeling.labels.actions.rows import ConsensusRow
from labeling.labels.actions.votes import record_routes
from labeling.labels.chunk_queries import ConsensusOnRow, consensus_between, find_cut
from labeling.labels.models import ItemReason
from labeling.pipeline.hand import Hand
from labeling.runs.actions import lock_run, set_cut
from labeling.runs.models import Run
from labeling.runs.queries import current_generation

NOTHING = (-1.0, "")


def cut(claim: Claim, hand: Hand) -> None:
    """Find the score up to which what is left of the budget reaches, when every row has its votes."""
    run = Run.objects.get(pk=claim.subject)
    found = find_cut(run, hand.check)
    with finishing(claim):
        generation = current_generation(lock_run(run.pk))
        set_cut(generation_id=generation.pk, score=found.score, text_hash=found.text_hash)


def route(claim: Claim, hand: Hand) -> None:
    """Give the chunk's rows the route that the cut says."""
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    generation = current_generation(run)
    border = (generation.cut_score, generation.cut_hash) if generation.cut_score is not None else NOTHING
    hand.check()
    found = sorted(consensus_between(run, claim.low, claim.high), key=attrgetter("generation"))
    with finishing(claim):
        lock_run(run.pk)
        for number, rows in groupby(found, key=attrgetter("generation")):
            record_routes(run=run, generation=number, rows=[_routed(row, border) for row in rows])


def is_below(row: ConsensusRow | ConsensusOnRow, border: tuple[float, str]) -> bool:
    """Whether the row goes to review under a cut at `border`: at or below it, or nobody voted on it."""
    return row.class_id is None or (row.score, row.text_hash) <= border


def _routed(row: ConsensusOnRow, border: tuple[float, str]) -> ConsensusRow:
    return ConsensusRow(
        sample_id=row.sample_id,
        text_hash=row.text_hash,
        class_id=row.class_id,
        uncertainty=row.uncertainty,
        score=row.score,
        confidence=row.confidence,
        is_hard=is_below(row, border),
        reason=ItemReason.HARD if row.uncertainty > 0 else ItemReason.UNCERTAIN,
    )
