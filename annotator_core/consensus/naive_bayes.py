"""Confusion naive Bayes: each specialist's confusion matrix is counted on gold rows, votes multiply through them.

Source: reference experiments, fusion of a pool with a verifier's answer; the smoothing is chosen.
"""

from typing import Final

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.consensus.aggregator import Ballots, State
from annotator_core.consensus.confusion import FittedConfusions, count_gold, restore_confusions
from annotator_core.consensus.opinion import Doubles
from annotator_core.types import ABSTAIN

NAME: Final = "naive_bayes"
BELIEF: Final = 2 / 3
"""How often an unknown pool is right before any row is seen; chosen: three weak specialists are 60 to 70% right."""


def fit(ballots: Ballots, gold: IntArray, *, seed: int = 0) -> FittedConfusions:
    """Return matrices counted on the rows whose gold (n,) is known.

    A few rows are drawn towards the pool's common matrix, and that towards a pool which is right two times in three:
    so no cell is 0, and without gold it is the majority. `seed` changes nothing. Raises BadInput for impossible gold.
    """
    del seed
    counts = count_gold(ballots, gold)
    k = ballots.n_classes
    pooled = _blend(counts.sum(axis=0), _believe(k), 1.0)
    rows = np.bincount(gold[gold != ABSTAIN], minlength=k) + 1.0
    return FittedConfusions(NAME, rows / rows.sum(), _blend(counts, pooled, float(k)))


def restore(state: State) -> FittedConfusions:
    """Return what gave this state; raise BadInput for a garbled one."""
    return restore_confusions(state, NAME)


def _believe(n_classes: int) -> Doubles:
    """Return the matrix (k, k) of a specialist of whom nothing is known: right two times in three, errors spread."""
    if n_classes == 1:
        return np.ones((1, 1))
    spread = np.full((n_classes, n_classes), (1.0 - BELIEF) / (n_classes - 1))
    np.fill_diagonal(spread, BELIEF)
    return spread


def _blend(counts: Doubles, towards: Doubles, weight: float) -> Doubles:
    """Return rates (..., k, k) of counts with `weight` votes of another matrix (k, k) in each row."""
    blended: Doubles = (counts + weight * towards) / (counts.sum(axis=-1, keepdims=True) + weight)
    return blended
