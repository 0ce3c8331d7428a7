"""A run's review budget: its cut when every row has its votes, then the routes of the rows that wait for it."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from labeling.jobs.actions import Claim, finishing
from labeling.labels.actions.renewal import take_off
from labeling.labels.actions.rows import ConsensusRow, as_routed
from labeling.labels.actions.votes import record_routes
from labeling.labels.chunk_queries import ConsensusOnRow, consensus_between, find_cut, rows_above
from labeling.pipeline.hand import Hand
from labeling.runs.actions import lock_run, set_cut
from labeling.runs.models import Run
from labeling.runs.queries import current_generation, generation_numbered

NOTHING = (-1.0, "")
Border = tuple[float, str]


def cut(claim: Claim, hand: Hand) -> None:
    """Find the score up to which what is left of the budget reaches, when every row has its votes."""
    _cut(claim, hand, is_anew=False)


def recut(claim: Claim, hand: Hand) -> None:
    """Find the cut over all rows that no person has decided, after their scores were put on another scale."""
    _cut(claim, hand, is_anew=True)


def _cut(claim: Claim, hand: Hand, *, is_anew: bool) -> None:
    run = Run.objects.get(pk=claim.subject)
    scored = generation_numbered(run, claim.generation)
    found = find_cut(run, hand.check, is_anew=is_anew)
    with finishing(claim):
        generation = current_generation(lock_run(run.pk))
        if generation.aggregation == scored.aggregation:  # one on another scale asks for a cut of its own
            set_cut(generation_id=generation.pk, score=found.score, text_hash=found.text_hash)


def leave(claim: Claim, hand: Hand) -> None:
    """Texts of the chunk's rows that a new cut does not send to review leave the queue, so that others have room."""
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    border = _border(run)
    hand.check()
    rows = rows_above(run, border, claim.low, claim.high) if border else []
    with finishing(claim):
        take_off(run=lock_run(run.pk), rows=rows)


def route(claim: Claim, hand: Hand) -> None:
    """Give the chunk's rows the route that the cut says, as far as the budget has room.

    There is room for all of them unless people decided texts, or took them on their screens, since the cut was found.
    """
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    border = _border(run)
    hand.check()
    found = consensus_between(run, claim.low, claim.high) if border else []
    with finishing(claim):
        locked = lock_run(run.pk)
        hard = _hard_ids(found, border or NOTHING, locked.budget_rows - locked.hard)
        for number, rows in groupby(sorted(found, key=attrgetter("generation")), key=attrgetter("generation")):
            routed = [as_routed(row, is_hard=row.sample_id in hard) for row in rows]
            record_routes(run=run, generation=number, rows=routed)


def is_below(row: ConsensusRow | ConsensusOnRow, border: Border) -> bool:
    """Whether the row goes to review under a cut at `border`: at or below it, or nobody voted on it."""
    return row.class_id is None or (row.score, row.text_hash) <= border


def _border(run: Run) -> Border | None:
    """The newest generation's cut; None where it was opened since and has a scale of its own: rows wait for its cut."""
    generation = current_generation(run)
    return None if generation.cut_score is None else (generation.cut_score, generation.cut_hash)


def _hard_ids(rows: Sequence[ConsensusOnRow], border: Border, room: int) -> set[int]:
    """The samples at or below the border for which there is room, least certain first, equal texts together."""
    below = [row for row in rows if is_below(row, border)]
    hard = {row.sample_id for row in below if row.class_id is None}
    voted = sorted((row for row in below if row.class_id is not None), key=_place)
    for _place_of_text, group in groupby(voted, key=_place):
        ids = _ids(group)
        if len(hard) + len(ids) <= room:
            hard |= ids
    return hard


def _place(row: ConsensusOnRow) -> Border:
    return row.score, row.text_hash


def _ids(rows: Iterable[ConsensusOnRow]) -> set[int]:
    return {row.sample_id for row in rows}
