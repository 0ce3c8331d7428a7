"""The candidate sets that a walk of `certify` tests, how many rows of each may be wrong, and how often a walk arrives.

Source: docs/decisions/0020 (two walks over ranks) and 0046 (a plan counts walks, not one test).
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrik, gammaln, xlog1py, xlogy

from annotator_core.arrays import IntArray
from annotator_core.contract.bounds import Counts, tail_below

WALKS: Final = 2
"""The walks over candidate sets among which `certify` shares the allowed risk. Chosen; see there."""
LARGE_START: Final = 3
"""The second walk starts with three times the rows of the first. Chosen by a simulation of six error curves."""
RANK_STEP: Final = 0.05
"""Candidates are 5% of the rows apart: finer ones fail more often by chance. Chosen by the same simulation."""
OUTSIDE_ERROR: Final = 0.5
"""How often rows outside the set that one hopes for are taken to be wrong: far too often to be accepted. Chosen."""
_NODES: Final = (-1.282, -0.524, 0.0, 0.524, 1.282)
"""The middles of the five fifths of a normal distribution: over these a random number of rows is averaged."""
_NEGLIGIBLE: Final = 1e-12

_Mass = npt.NDArray[np.float64]


def least_rows(target_error: float, risk: float) -> int:
    """Return how many rows without a wrong one hold the target: the smallest n with (1 - target)^n <= risk.

    target_error, risk: above 0 and below 1.

    >>> least_rows(0.05, 0.025)
    72
    """
    return math.ceil(math.log(risk) / math.log1p(-target_error) - 1e-9)


def most_wrong(rows: Counts, target_error: float, risk: float) -> IntArray:
    """Return how many of each number of rows (...) may be wrong and still hold the target; -1 where none may.

    As `bounds.exact_upper` at confidence 1 - risk judges. target_error, risk: above 0 and below 1.
    """
    # One above the real-valued solution, then down to the largest count whose bound holds.
    counts = np.asarray(rows, np.float64)
    allowed: IntArray = np.nan_to_num(np.floor(bdtrik(risk, counts, target_error))).astype(np.int64) + 1
    for _ in range(3):
        allowed -= tail_below(allowed, counts, target_error) > risk
    return allowed


def rank_step(n_rows: int) -> int:
    """Return how many rows candidates are apart where n_rows certify, at least 1."""
    return max(1, round(RANK_STEP * n_rows))


def walk_power(
    certify_rows: int, *, target_error: float, true_error: float, accepted_share: float, risk: float, is_drawn: bool
) -> float:
    """Return the chance, 0 to 1, that the two walks accept the hoped share of certify_rows random rows.

    target_error: above 0 and below 1. accepted_share: above 0 to 1; arrived is who accepts that share less the
    twentieth that candidates are apart, of 1 all of it. Inside it true_error (0 to 1) of the rows are wrong: the surest
    hardly ever, the least sure twice as often as all, evenly in between; outside half are. risk: of each walk.
    is_drawn: certify_rows are what is expected where each of half as many again certifies by chance, two of three; else
    there are exactly so many.

    Where the score says nothing inside the set, this is less, and no number of rows brings it near 1: the first sets
    of a walk hold few rows and may hold few wrong ones, however many come behind them. Exact but for random numbers of
    rows, which are averaged over five equally likely ones, and for errors, which are binomial between two sets.
    """
    spread = math.sqrt(certify_rows / 3.0) if is_drawn else 0.0
    rows = [round(certify_rows + node * spread) for node in (_NODES if is_drawn else (0.0,))]
    return float(np.mean([_arrives(n, target_error, true_error, accepted_share, risk) for n in rows if n > 0] or [0.0]))


def _arrives(n: int, target: float, error: float, share: float, risk: float) -> float:
    """Return the chance that one of the walks over n rows gets as far as hoped."""
    first = least_rows(target, risk)
    if n < first:
        return 0.0
    sets = np.append(np.arange(first, n, rank_step(n)), n)
    far = int(np.searchsorted(sets, n if share == 1.0 else (share - RANK_STEP) * n))
    large = min(int(np.searchsorted(sets, LARGE_START * first)), len(sets) - 1)
    # The second walk tests some of the sets of the first: where it starts in time it arrives whenever that one does.
    path = sets[large if large <= far else 0 : far + 1]
    allowed = most_wrong(path, target, risk)
    spread = math.sqrt(n * share * (1.0 - share))
    inside = [round(n * share + node * spread) for node in _NODES] if share < 1.0 else [n]
    return float(np.mean([_passes_all(path, allowed, max(1, good), error) for good in inside]))


def _passes_all(path: IntArray, allowed: IntArray, n_good: int, error: float) -> float:
    """Return the chance that every set of the path holds at most the wrong rows that it may.

    path, allowed (c,): rows of each set, and how many of them may be wrong. The first n_good rows are the good part.
    """
    inside = np.minimum(path, n_good)
    added_good, added_bad = np.diff(inside, prepend=0), np.diff(path - inside, prepend=0)
    # The error rises evenly from 0 to twice its mean: of the rows between two places it is that halfway.
    errors = np.minimum(1.0, error * (2 * inside - added_good) / n_good)
    mass, low = np.ones(1), 0
    for good, wrong_share, bad, most in zip(added_good, errors, added_bad, allowed, strict=True):
        for rows, share in ((int(good), float(wrong_share)), (int(bad), OUTSIDE_ERROR)):
            if not rows:
                continue
            added, offset = _binomial(rows, share)
            mass, low = np.convolve(mass, added), low + offset
        mass = mass[: max(0, int(most) - low + 1)]
        kept = np.flatnonzero(mass > _NEGLIGIBLE)
        if not len(kept):
            return 0.0
        mass, low = mass[kept[0] : kept[-1] + 1], low + int(kept[0])
    return float(mass.sum())


def _binomial(rows: int, share: float) -> tuple[_Mass, int]:
    """Return the probabilities of so many wrong rows as are likely at all, and the first of these numbers."""
    reach = 8.0 * math.sqrt(rows * share * (1.0 - share)) + 8.0
    low = max(0, math.floor(rows * share - reach))
    wrong = np.arange(low, min(rows, math.ceil(rows * share + reach)) + 1, dtype=np.float64)
    ways = gammaln(rows + 1.0) - gammaln(wrong + 1.0) - gammaln(rows - wrong + 1.0)
    return np.exp(ways + xlogy(wrong, share) + xlog1py(rows - wrong, -share)), low
