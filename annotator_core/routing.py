"""Which samples are hard: by agreement (the paper's rule) or by a review budget.

Source: AutoAnnotator (arXiv 2506.16393), eq. 5: secondary review when U(x) >= epsilon.
"""

import math

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.errors import BadInput

_Indices = npt.NDArray[np.int32]
"""Positions of rows in half the memory: two thousand million rows are enough."""

_TOLERANCE = 1e-9
"""Absorbs float noise (1 - 2/3 is not 1/3, 0.29 * 100 is not 29); chosen, far under 1 / (any real number of rows)."""


def hard_by_agreement(counts: IntArray, is_tie: BoolArray, min_agree: int) -> BoolArray:
    """Return which samples are hard: fewer than min_agree specialists behind the winner, a tie, or no vote at all.

    counts (n,) are the votes for the winner. A tie is hard whatever min_agree is.
    """
    hard: BoolArray = is_tie | (counts < max(min_agree, 1))
    return hard


def min_agree_from_epsilon(epsilon: float, n_specialists: int) -> int:
    """Return how many of m specialists must agree so that U < epsilon: 1 to m, or m + 1 where epsilon 0 routes all.

    Counts are compared, never floats. Raises BadInput when epsilon is not between 0 and 1.
    """
    if not 0.0 <= epsilon <= 1.0:
        raise BadInput(f"Epsilon must be between 0 and 1, not {epsilon}.")
    return math.floor(n_specialists * (1.0 - epsilon) + _TOLERANCE) + 1


def hard_by_budget(
    scores: FloatArray, groups: IntArray, share: float, *, unvoted: BoolArray | None = None
) -> BoolArray:
    """Return which samples are hard under a review budget: at most floor(share * n) rows, least certain first.

    scores (n,): the higher, the surer.
    groups (n,): equal texts share an id and go together; a group has its lowest score, and one that no longer fits is
    passed over for the next that does. Equal scores go by id: with ids of the texts alone (`spool.find_groups`) the
    order of the rows changes nothing.
    unvoted (n,): rows nobody voted on, which are always hard, count against the budget and may exceed it.
    Raises BadInput when share is not between 0 and 1.
    """
    if not 0.0 <= share <= 1.0:
        raise BadInput(f"The review budget must be a share between 0 and 1, not {share}.")
    budget = math.floor(share * len(scores) + _TOLERANCE)
    if unvoted is None or not unvoted.any():
        return _fill_budget(scores, groups, budget)
    hard = unvoted.copy()
    rest = np.flatnonzero(~hard)
    fits = _fill_budget(scores[rest], groups[rest], budget - int(hard.sum()))
    hard[rest[fits]] = True
    return hard


def _fill_budget(scores: FloatArray, groups: IntArray, budget: int) -> BoolArray:
    taken = np.zeros(len(scores), dtype=np.bool_)
    if not len(scores) or budget <= 0:
        return taken
    # Rows of one group side by side, the groups by their ids: so those of equal scores stay in that order.
    order = np.argsort(groups, kind="stable").astype(np.int32)
    starts = _find_starts(groups[order])
    sizes = np.diff(starts, append=np.array([len(order)], dtype=np.int32))
    lowest = np.minimum.reduceat(scores[order], starts)
    taken[order] = np.repeat(_choose_groups(np.argsort(lowest, kind="stable"), sizes, budget), sizes)
    return taken


def _find_starts(ordered: IntArray) -> _Indices:
    is_start = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_start[1:])
    return np.flatnonzero(is_start).astype(np.int32)


def _choose_groups(by_score: IntArray, sizes: _Indices, budget: int) -> BoolArray:
    chosen = np.zeros(len(sizes), dtype=np.bool_)
    for group in by_score:
        if sizes[group] <= budget:
            chosen[group] = True
            budget -= int(sizes[group])
            if not budget:
                break
    return chosen
