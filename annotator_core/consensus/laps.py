"""One aggregator's lap of a race: what it says of audited rows that it was not fitted on, and how to correct that.

Source: cross-validation, Stone (1974), Journal of the Royal Statistical Society B 36, 111; docs/decisions/0019.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.calibration import Calibration, choose_calibration
from annotator_core.consensus.opinion import pick_classes
from annotator_core.consensus.order import find_order, split_folds
from annotator_core.consensus.table import fit_aggregator
from annotator_core.types import ABSTAIN

LEARNS_FROM_ALL: Final = "dawid_skene"
"""The aggregator that rows without gold help, too."""


@dataclass(frozen=True, slots=True)
class Lap:
    """What came of an aggregator's probabilities out of fold.

    n_right: audited rows whose class they have right. calibration: what corrects them. log_loss: mean in nats, on rows
    that the calibration has not seen.
    """

    n_right: int
    calibration: Calibration
    log_loss: float


def run_laps(
    names: Iterable[str], ballots: Ballots, gold: IntArray, *, folds: int = 5, seed: int = 0
) -> dict[str, Lap]:
    """Return each named aggregator's lap over the rows whose gold (n,) is a class index; none with under two such rows.

    folds: at most so many, and one a row at most. They are drawn by what rows hold, so permuting rows or specialists
    changes nothing. Raises BadInput for an unknown name, and as the aggregators' own fits do.
    """
    folds = min(folds, int((gold != ABSTAIN).sum()))
    if folds < 2:
        return {}
    order = find_order(ballots, gold)
    arranged, truths = order.arrange(ballots), gold[order.rows]
    fold = split_folds(truths, order.keys, folds, seed=seed)
    return {name: _run_lap(name, arranged, truths, fold, seed) for name in names}


def _run_lap(name: str, ballots: Ballots, gold: IntArray, fold: IntArray, seed: int) -> Lap:
    known = np.flatnonzero(gold != ABSTAIN)
    probs = predict_unseen(name, ballots, gold, fold, seed)[known]
    calibration, loss = choose_calibration(probs, gold[known], fold[known])
    return Lap(int((pick_classes(probs) == gold[known]).sum()), calibration, loss)


def predict_unseen(name: str, ballots: Ballots, gold: IntArray, fold: IntArray, seed: int) -> FloatArray:
    """Return each audited row's probabilities (n, k) by a fit that did not know its gold; other rows stay NaN.

    gold (n,) and fold (n,): a class index and 0 to folds - 1, ABSTAIN both for a row without. Raises BadInput for an
    unknown name.
    """
    probs = np.full((len(ballots), ballots.n_classes), np.nan, dtype=np.float32)
    for index in range(fold.max() + 1):
        held = fold == index
        rest = np.where(held, ABSTAIN, gold)
        rows = np.arange(len(gold)) if name == LEARNS_FROM_ALL else np.flatnonzero(rest != ABSTAIN)
        fitted = fit_aggregator(name, ballots.take(rows), rest[rows], seed=seed)
        probs[held] = fitted.predict(ballots.take(held))
    return probs
