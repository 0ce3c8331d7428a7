"""The race on the fitting third, and the certificates on the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.race import ENOUGH, Race, run_race
from annotator_core.consensus.reviewed import learn_from_reviews
from annotator_core.contract.certify import Scores, certify, confidence_at
from annotator_core.types import ABSTAIN
from labeling.quality.engine.sheet import Sheet, Way
from labeling.quality.figures import RaceRow, Share
from labeling.quality.models import Certificate

TARGETS = (1.0, 2.0, 3.0, 5.0, 10.0)
"""Percent; chosen."""
CONFIDENCE = 95.0
"""Percent; chosen, the usual one."""
AUDITED_PER_CERTIFYING = 1.5  # two thirds certify: engine.md 6
LOG_LOSS, TOO_FEW, NONE = "log_loss", "too_few_rows", "no_rows"
DIGITS = 6
"""Of a stored score: a threshold must mean the same for it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The race's table, best first, its winner, why, and the winner's state: empty and None without a race.

    reviewed: texts beside the fitting third that the winner has learned from.
    """

    rows: tuple[RaceRow, ...]
    winner: str
    why: str
    aggregation: dict[str, Any] | None
    reviewed: int = 0


def race(sheet: Sheet, names: Sequence[str], in_use: Way) -> Outcome:
    """Who wins on the answered fitting third; `names` are the specialists'. Nobody under 50 rows.

    Dawid-Skene learns from texts without an answer, too, logistic stacking from reviewed ones. Before a draw is whole,
    the table is there and nothing to follow.
    """
    fitting = np.flatnonzero(sheet.is_fitting)
    rows = len(fitting)
    if rows < ENOUGH:
        return Outcome((), "", TOO_FEW if rows else NONE, None)
    ballots, gold = _with_unanswered(sheet.ballots.take(fitting), sheet.gold[fitting], sheet.unanswered)
    found = run_race(ballots, gold)
    if sheet.reviewed is not None:
        found = learn_from_reviews(found, ballots, gold, sheet.reviewed)
    state = dict(found.fitted.to_state()) if sheet.is_whole.any() else None
    return Outcome(_table(found, names, in_use, rows), found.winner, LOG_LOSS, state, found.reviewed)


def certificates(sheet: Sheet, way: Way, targets: Iterable[float], *, look: int) -> list[Certificate]:
    """A certificate a target (percent) for labels made this way; none where no row may certify. Not saved.

    `look`: how many certificates the manager has seen with this one. Each look asks for more confidence, so that all of
    them together hold with 95%, however often the race is fitted anew in between. Prices are those of the next one.
    """
    certifying = np.flatnonzero(sheet.is_whole & ~sheet.is_fit)
    if not len(certifying):
        return []
    found = way.combine(sheet.ballots.take(certifying))
    scores = np.array([round(score, DIGITS) for score in found.score.tolist()])
    scores[found.classes == ABSTAIN] = np.nan
    is_right = found.classes == sheet.gold[certifying]
    return [_certificate(scores, is_right, target, look) for target in sorted(targets)]


def winner_of(outcome: Outcome, in_use: Way) -> Way:
    """The way that the certificates are about: the race's winner, without a race the one in use."""
    return in_use if outcome.aggregation is None else replace(in_use, aggregation=outcome.aggregation)


def _certificate(scores: Scores, is_right: BoolArray, target: float, look: int) -> Certificate:
    found, after = (
        certify(scores, is_right, target_error=target / 100, confidence=confidence_at(number, CONFIDENCE / 100))
        for number in (look, look + 1)
    )
    # More answers are another look.
    asked = None if found.rows_needed is None else after.rows_needed
    more = None if asked is None else max(found.rows_needed or 0, asked)
    return Certificate(
        target_error=target,
        confidence=CONFIDENCE,
        threshold=found.threshold,
        accepted_share=found.accepted_share,
        error_bound=found.error_bound,
        rows_used=found.rows_used,
        rows_needed=None if more is None else int(np.ceil(more * AUDITED_PER_CERTIFYING)),
    )


def _with_unanswered(ballots: Ballots, gold: IntArray, others: Ballots | None) -> tuple[Ballots, IntArray]:
    """The fitting rows, then those without an answer, whose gold is ABSTAIN."""
    if others is None:
        return ballots, gold
    votes, probs = np.concatenate([ballots.votes, others.votes]), np.concatenate([ballots.probs, others.probs])
    return Ballots(votes, probs), np.concatenate([gold, np.full(len(others), ABSTAIN, dtype=gold.dtype)])


def _table(found: Race, names: Sequence[str], in_use: Way, rows: int) -> tuple[RaceRow, ...]:
    ordered = sorted(found.entries, key=lambda entry: (entry.log_loss, entry.name))
    return tuple(
        RaceRow(
            name=entry.name,
            title="" if entry.title_index is None else names[entry.title_index],
            accuracy=Share(entry.accuracy, entry.low, entry.high, rows),
            log_loss=entry.log_loss,
            is_winner=entry.name == found.winner,
            is_in_use=entry.name == in_use.name,
        )
        for entry in ordered
    )
