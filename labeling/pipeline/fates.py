"""What became of audited rows, as of the rows that no audit drew.

A person's answer keeps a row out of later votes, whether they renew accepted rows or take texts off the queue. Where
the audit alone has asked for it, the newest pool says what the row's label and route would be, as it does for others.
"""

from collections.abc import Sequence
from dataclasses import replace

from annotator_core.types import Route
from labeling.labels.actions.rows import ConsensusRow
from labeling.labels.answer_queries import contradicted_hashes
from labeling.labels.audit_queries import asked_hashes
from labeling.pipeline.routing import NOTHING, is_below
from labeling.quality.row_queries import Fate
from labeling.runs.models import PoolGeneration, Run
from labeling.runs.queries import highest_cut


def fates_now(
    run: Run, generation: PoolGeneration, stored: Sequence[Fate | None], fresh: Sequence[ConsensusRow]
) -> list[Fate | None]:
    """The fates of answered texts under the run's newest generation; None for one that the run has not routed.

    `stored` and `fresh`, the newest pool's answers, are in the same order. A text that people decided for a run's sake
    is a reviewed one, also where this run accepts it: so are the others like it. Else an accepted row that a renewal
    passed over gets the fresh class and route, and so does an older row to review: it was answered before the run came
    to it, while texts like it wait in the queue and leave it where nobody doubts them any more. It counts as if people
    had decided none of those before, so that the accuracy of accepted labels is rather too low than too high.
    """
    asked = asked_hashes(run.dataset_id, [row.text_hash for row in fresh])
    hard = _hashes_staying_hard(run, fresh)

    def fate_now(fate: Fate | None, row: ConsensusRow) -> Fate | None:
        if fate is None or fate.route not in {Route.ACCEPT, Route.REVIEW}:
            return fate
        if row.text_hash in asked:
            return replace(fate, route=Route.REVIEW)
        if fate.route == Route.ACCEPT and fate.generation < run.renewed:
            return _fate(generation, row, is_hard=_is_hard_anew(generation, row))
        if fate.route == Route.REVIEW and fate.generation < generation.number:
            return _fate(generation, row, is_hard=row.text_hash in hard)
        return fate

    return [fate_now(fate, row) for fate, row in zip(stored, fresh, strict=True)]


def _hashes_staying_hard(run: Run, fresh: Sequence[ConsensusRow]) -> set[str]:
    """Texts that a new vote leaves in the queue, as pipeline.revoting and labels.actions.renewal judge them."""
    border = highest_cut(run)

    def is_hard(row: ConsensusRow) -> bool:
        return (border is None or is_below(row, border)) if row.is_hard is None else row.is_hard

    contradicted = contradicted_hashes(run, ((row.text_hash, row.class_id) for row in fresh))
    return {row.text_hash for row in fresh if is_hard(row)} | contradicted


def _is_hard_anew(generation: PoolGeneration, row: ConsensusRow) -> bool:
    """Whether a renewal would send the row to review."""
    cut = generation.cut_score
    border = NOTHING if cut is None else (cut, generation.cut_hash)
    return is_below(row, border) if row.is_hard is None else row.is_hard


def _fate(generation: PoolGeneration, row: ConsensusRow, *, is_hard: bool) -> Fate:
    return Fate(row.class_id, Route.REVIEW if is_hard else Route.ACCEPT, generation.number)
