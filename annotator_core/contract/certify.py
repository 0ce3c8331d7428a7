"""The certificate: the largest set of rows that may be accepted without a person, at an error a manager names.

**What is claimed.** Of n random answered rows, none of which a fit has seen, each has a score (the higher, the surer)
and is right or wrong. With probability at least `confidence` the rows of the data set that score at least `threshold`
hold at most `target_error` wrong ones, or no threshold is given. Each different text counts once.

**Procedure**: fixed-sequence testing. Candidate sets, from the surest rows to all of them, stand in an order that no
answer has a say in. From a start one set after another is tested (is the upper bound on its error at most the target?)
until one fails; the last that passed is accepted. There are two starts, a small and a large set, each at half of the
allowed risk, because a walk that begins with few rows ends at the first wrong one. Only the first set on a walk that is
truly too bad must fail, and it passes by accident with the walk's risk at most. Source: learn-then-test (Angelopoulos,
Bates, Candes, Jordan and Lei 2021, arXiv 2110.01052): fixed-sequence testing with several starts.

**Why the candidates may be ranks of the certifying scores themselves.** Candidate k is "scores above the (k+1)-th
highest certifying score t"; the ranks k follow from n, target and confidence alone. (1) Given t, the k rows above it
are independent draws from all rows above t, so its errors are exactly binomial. (2) Fixed-sequence testing needs this
of the first bad candidate, whose place depends on the scores. Let c1 > c2 > ... be the scores at which the error of
"all rows above c" equals the target: between two of them all candidates are good, or all are bad. Given how many
certifying rows lie above each c, the place of the first bad candidate is known, the rows above the last c before it
have an error of exactly the target, segment by segment, and those between that c and the candidate have a higher one.
So its errors are stochastically at least binomial(k, target), and the test passes with the walk's risk at most: given
those numbers, hence also without. Nothing is assumed about how the error depends on the score.

**Ties.** A candidate is rounded down to whole groups of equal scores, and left out where too few rows remain, so its
size shifts by chance. Given how many rows are in each group the same argument holds where a lower score is never surer
than a higher one: whatever lies below c is then worse than the target. The simulation also runs where that is not so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.contract.bounds import exact_upper, running_upper
from annotator_core.contract.plan import rows_needed
from annotator_core.contract.walk import LARGE_START, WALKS, least_rows, rank_step
from annotator_core.errors import BadInput

Why = Literal["reached", "too_few_rows", "too_many_errors"]
"""Why there is a threshold or none: more rows may help, or nothing shows yet that any number would."""

Scores = npt.NDArray[np.float32] | npt.NDArray[np.float64]

FIXED_GRID: Final = (0.99, 0.98, 0.96, 0.93, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""Thresholds on a margin where ranks will not do, because people look again and again. Chosen."""
_GRID_STARTS: Final = 4
"""Walks over a given grid, evenly spread: nobody knows how many rows a threshold will have. Chosen."""
_LEAST_SEEN: Final = 20
"""A set says something about its own error from 20 rows on. Chosen."""
_SHOWN: Final = 0.75
"""How sure a set too small to be tested must be of its error to have a price. Chosen: see docs/decisions/0046."""
_HINTED: Final = 0.5
"""The same where none is large enough: every set is small, and something must be said of what more rows take."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What may be accepted: rows with score >= threshold; None where nothing may.

    What is promised is target_error, with that confidence; both 0 to 1. accepted_share: certifying rows at or above the
    threshold over all of them, 0 to 1. error_bound: what the last test on the walk compared with the target, 0 to 1;
    the answers chose this set, so the number promises nothing below the target. Both are None without a threshold.
    rows_used, rows_accepted: certifying rows in all and in the set (0 without one), each different text one row.
    rows_needed: how many **more** certifying rows it takes **at least**: what one test of the cheapest set takes at the
    error seen in it, in four cases of five. None where it is reached, or where no set is shown to be good enough.
    """

    threshold: float | None
    accepted_share: float | None
    error_bound: float | None
    rows_used: int
    rows_accepted: int
    rows_needed: int | None
    why: Why
    target_error: float
    confidence: float

    @property
    def is_reached(self) -> bool:
        """Whether anything may be accepted."""
        return self.threshold is not None


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Sets from the surest to all: each accepts rows >= its threshold, of `rows` of them `wrong` are wrong."""

    thresholds: npt.NDArray[np.float64]
    rows: IntArray
    wrong: IntArray
    starts: tuple[int, ...]


def certify(
    scores: Scores,
    is_right: BoolArray,
    *,
    target_error: float,
    confidence: float = 0.95,
    always_valid: bool = False,
    grid: Sequence[float] | None = None,
) -> Certificate:
    """Return the certificate that n certifying rows give: the argument stands at the head of this module.

    scores (n,): 0 or more, NaN where nobody voted (never accepted), by a rule that saw none of these answers.
    is_right (n,): whether the label that would be accepted is the audit's. target_error: share of wrong rows allowed
    inside the accepted set, above 0 and below 1. always_valid: the claim holds at every look of those who watch the
    rows arrive, by `bounds.running_upper`; the rule that scores and the grid must stay as they are, else use
    `confidence_at`. grid: thresholds, highest first, fixed before any of these answers was seen; None means ranks of
    the scores, or `FIXED_GRID` with always_valid. A threshold can be compared in the width of `scores` (float32 or
    float64) without rounding.
    Raises BadInput for lengths that differ, scores below 0 or a target or confidence outside 0 to 1.

    >>> import numpy as np
    >>> scores, is_right = np.linspace(1, 0, 200), np.arange(200) < 150
    >>> found = certify(scores, is_right, target_error=0.05)
    >>> found.rows_accepted, found.why
    (152, 'reached')
    """
    _check(scores, is_right, target_error, confidence)
    held = np.asarray(is_right, np.bool_)
    if grid is None and not always_valid:
        candidates = _rank_candidates(scores, held, target_error, confidence)
    else:
        candidates = _grid_candidates(scores, held, np.asarray(FIXED_GRID if grid is None else grid, np.float64))
    level = 1.0 - (1.0 - confidence) / max(len(candidates.starts), 1)
    bound = running_upper if always_valid else exact_upper
    bounds = bound(candidates.wrong, candidates.rows, confidence=level)
    last = _walk(bounds <= target_error, candidates.starts)
    if last is None:
        return _refuse(candidates, len(scores), target_error=target_error, confidence=confidence, level=level)
    rows = int(candidates.rows[last])
    return Certificate(
        threshold=float(candidates.thresholds[last]),
        accepted_share=rows / len(scores),
        error_bound=float(bounds[last]),
        rows_used=len(scores),
        rows_accepted=rows,
        rows_needed=None,
        why="reached",
        target_error=target_error,
        confidence=confidence,
    )


def certify_classes(
    scores: Scores,
    is_right: BoolArray,
    classes: IntArray,
    *,
    n_classes: int,
    target_error: float,
    confidence: float = 0.95,
) -> tuple[Certificate, ...]:
    """Return one certificate a class of the **given** label, k of them, that hold all together with the confidence.

    scores, is_right (n,), target_error and confidence: as of `certify`. classes (n,): the label that would be accepted,
    a class index or ABSTAIN (in no class). Each class has its own threshold and is tested at risk (1 - confidence) / k.
    Raises BadInput where `certify` does, for no classes, and for another number of labels than scores.

    Source: Bonferroni's inequality, Dunn (1961), JASA 56, 52.
    """
    _check(scores, is_right, target_error, confidence)
    if n_classes < 1 or classes.shape != scores.shape:
        raise BadInput(f"{len(classes)} labels in {n_classes} classes do not fit {len(scores)} scores.")
    level = 1.0 - (1.0 - confidence) / n_classes
    masks = [classes == index for index in range(n_classes)]
    return tuple(certify(scores[mask], is_right[mask], target_error=target_error, confidence=level) for mask in masks)


def confidence_at(look: int, confidence: float = 0.95) -> float:
    """Return the confidence to ask of the look of that number, from 1, so that all looks together hold theirs.

    For people who look again after every change of model, pool or fit, so that no look is like the one before: of the
    allowed risk the looks 1, 2, 3 ... get 6 / (pi look)^2, which adds to 1. Raises BadInput for a look below 1 or a
    confidence outside 0 to 1.

    Source: the union bound with Basel's weights, as in Howard et al. (2021), section 3.1 (stitching).

    >>> [round(confidence_at(look), 3) for look in (1, 2, 5)]
    [0.97, 0.992, 0.999]
    """
    if look < 1 or not 0.0 < confidence < 1.0:
        raise BadInput(f"Look {look} at confidence {confidence} cannot be: looks count from 1.")
    return 1.0 - (1.0 - confidence) * 6.0 / (math.pi * look) ** 2


def explain(certificate: Certificate) -> str:
    """Return the certificate in one English sentence, for a terminal or a report; the threshold with all its digits."""
    goal = f"at most {certificate.target_error:.1%} wrong with {100 * certificate.confidence:.5g}% confidence"
    if certificate.threshold is not None:
        return (
            f"Texts that score {certificate.threshold!r} or more may be accepted: {goal}, by "
            f"{certificate.rows_accepted} of {certificate.rows_used} certifying texts "
            f"({certificate.accepted_share:.1%})."
        )
    if certificate.rows_needed is None:
        return f"Not reachable: {goal} is better than any set is shown to be yet, so that no number can be named."
    return (
        f"Not reachable yet: {goal} needs at least {certificate.rows_needed} more certifying texts at the error seen "
        f"in the {certificate.rows_used} there are."
    )


def _check(scores: Scores, is_right: BoolArray, target_error: float, confidence: float) -> None:
    if scores.ndim != 1 or scores.shape != is_right.shape:
        raise BadInput(f"Scores of shape {scores.shape} do not fit answers of shape {is_right.shape}.")
    if (scores < 0.0).any() or np.isinf(scores).any():
        raise BadInput("A score must be a number from 0 up, or NaN where nobody voted.")
    if not (0.0 < target_error < 1.0 and 0.0 < confidence < 1.0):
        raise BadInput(f"Target error {target_error} and confidence {confidence} must lie between 0 and 1.")


def _rank_candidates(scores: Scores, is_right: BoolArray, target_error: float, confidence: float) -> _Candidates:
    voted = ~np.isnan(scores)
    order = np.argsort(-scores[voted], kind="stable")
    ordered, is_wrong = scores[voted][order], ~is_right[voted][order]
    first = least_rows(target_error, (1.0 - confidence) / WALKS)
    step = rank_step(len(order))
    # Sets under `first` rows are never tested: they only say what more rows might reach.
    ranks = np.append(np.arange(_LEAST_SEEN, min(first, len(order)), step), np.arange(first, len(order), step))
    # The next float of the same width: "at least" it means "above" the score, for whoever compares in that width.
    above = np.nextafter(np.unique(ordered[ranks])[::-1], ordered.dtype.type(np.inf))
    found = _count(ordered, is_wrong, np.append(above, ordered.dtype.type(0)), ())
    small, large = (
        min(int(np.searchsorted(found.rows, rows)), len(found.rows) - 1) for rows in (first, LARGE_START * first)
    )
    return replace(found, starts=(small, large))


def _grid_candidates(scores: Scores, is_right: BoolArray, grid: npt.NDArray[np.float64]) -> _Candidates:
    if grid.ndim != 1 or not len(grid) or (np.diff(grid) >= 0.0).any() or np.isnan(grid).any():
        raise BadInput("A grid must hold thresholds that fall, highest first.")
    voted = ~np.isnan(scores)
    order = np.argsort(-scores[voted], kind="stable")
    starts = np.linspace(0, len(grid), _GRID_STARTS, endpoint=False).astype(int)
    return _count(scores[voted][order], ~is_right[voted][order], grid, tuple(sorted(set(starts.tolist()))))


def _count(ordered: Scores, is_wrong: BoolArray, thresholds: Scores, starts: tuple[int, ...]) -> _Candidates:
    rows = np.searchsorted(-ordered, -thresholds, side="right").astype(np.int64)
    wrong = np.concatenate(([0], np.cumsum(is_wrong)))[rows].astype(np.int64)
    return _Candidates(thresholds.astype(np.float64), rows, wrong, starts)


def _walk(passes: BoolArray, starts: tuple[int, ...]) -> int | None:
    """Return the last candidate that any walk reaches without a failure; None where each start fails."""
    ends = [start + int(np.argmin(np.append(passes[start:], False))) - 1 for start in starts if passes[start]]
    return max(ends, default=None)


def _refuse(
    candidates: _Candidates, rows_used: int, *, target_error: float, confidence: float, level: float
) -> Certificate:
    needed = _more_rows(candidates, rows_used, target_error, level)
    return Certificate(
        threshold=None,
        accepted_share=None,
        error_bound=None,
        rows_used=rows_used,
        rows_accepted=0,
        rows_needed=needed,
        why="too_many_errors" if needed is None else "too_few_rows",
        target_error=target_error,
        confidence=confidence,
    )


def _more_rows(candidates: _Candidates, rows_used: int, target_error: float, level: float) -> int | None:
    """Return how many more rows the cheapest set takes at the error seen in it; None where each is too bad to tell.

    The cheapest is so by luck as well as by worth: of many sets too small to be tested some hold few wrong rows by
    chance. So these have a price only where their error is below the target with some confidence.
    """
    rows, wrong = candidates.rows, candidates.wrong
    most, first = int(max(rows, default=0)), least_rows(target_error, 1.0 - level)
    if most < _LEAST_SEEN or not wrong.any():
        priced = [(0.0, 1.0)]  # As if nothing were wrong.
    else:
        upper = exact_upper(wrong, rows, confidence=_SHOWN if most >= first else _HINTED)
        is_priced = (rows >= _LEAST_SEEN) & ((rows >= first) | (upper <= target_error))
        shares = wrong[is_priced] / rows[is_priced]
        priced = list(zip(shares.tolist(), (rows_used / rows[is_priced]).tolist(), strict=True))
    tried = [(rows_needed(target_error, error, confidence=level), scale) for error, scale in priced]
    totals = [math.ceil(wanted * scale) for wanted, scale in tried if wanted is not None]
    return max(min(totals) - rows_used, 1) if totals else None
