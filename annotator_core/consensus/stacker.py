"""Logistic stacking: multinomial logistic regression on the specialists' class log-probabilities.

Source: reference experiments (logistic stacking on log-probabilities, C = .1). An abstention is the log of an even
distribution, with an indicator of its own.
"""

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, State, predict_in_blocks, read_numbers, read_sizes
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.opinion import Doubles, add_up, has_voted, normalise, take_logs
from annotator_core.consensus.order import find_order
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN

NAME: Final = "stacker"
STRENGTH: Final = 0.1
"""scikit-learn's C. Source: reference experiments."""
TOLERANCE: Final = 1e-6
"""scikit-learn's tol: its default leaves a fit where votes that differ in their last digit move a score by 1e-4."""
MAX_ROUNDS: Final = 5000
"""Chosen: a thousand rows need less than 500."""


@dataclass(frozen=True, slots=True)
class FittedStacker:
    """coef (m, k + 1, k): weight of each specialist's k log-probabilities and its indicator for each class.

    intercept (k,). is_known (k,): 1 for classes that had gold rows, 0 for the others. doubt: the weight, 0 to 1, of the
    averaged probability, which alone knows of classes without gold rows.
    """

    coef: Doubles
    intercept: Doubles
    is_known: Doubles
    doubt: float
    name: str = NAME

    def predict(self, ballots: Ballots) -> FloatArray:
        """Return class probabilities (n, k), NaN rows where nobody gave any; raise BadInput for another pool."""
        ballots.check_sizes(self.coef.shape[0], self.coef.shape[2])
        return predict_in_blocks(ballots, self._predict)

    def to_state(self) -> State:
        """Return what `restore` needs."""
        return {
            "name": self.name,
            "n_specialists": self.coef.shape[0],
            "n_classes": self.coef.shape[2],
            "coef": self.coef.tolist(),
            "intercept": self.intercept.tolist(),
            "is_known": self.is_known.tolist(),
            "doubt": self.doubt,
        }

    def _predict(self, block: Ballots) -> FloatArray:
        voted = np.asarray(has_voted(block.probs).any(axis=1))
        if self.doubt == 1.0:
            return average_probs(block.probs).probs
        logits = add_up(_weigh(describe(block.probs), self.coef)) + self.intercept
        stacked = normalise(np.where(self.is_known > 0, logits, -np.inf), voted)
        if self.doubt == 0.0:
            return stacked
        return ((1.0 - self.doubt) * stacked + self.doubt * average_probs(block.probs).probs).astype(np.float32)


def describe(probs: FloatArray) -> Doubles:
    """Return what the regression sees of probs (n, m, k): log-probabilities and a 1 for abstention, (n, m, k + 1)."""
    voted = has_voted(probs)
    logs = take_logs(np.where(voted[:, :, None], probs, 1.0 / max(probs.shape[2], 1)))
    return np.concatenate([logs, ~voted[:, :, None]], axis=2)


def fit(ballots: Ballots, gold: IntArray, *, seed: int = 0) -> FittedStacker:
    """Return the regression on the rows whose gold (n,) is known.

    Classes without gold rows keep a part of the averaged probability: their number over rows and classes; with fewer
    than two classes it is the average alone. `seed` changes nothing. Raises BadInput for impossible gold.
    """
    del seed
    ballots.check_gold(gold)
    rows = np.flatnonzero(gold != ABSTAIN)
    m, k = ballots.n_specialists, ballots.n_classes
    present = np.unique(gold[rows])
    is_known = np.isin(np.arange(k), present).astype(np.float64)
    if len(present) < 2 or not m:
        return FittedStacker(np.zeros((m, k + 1, k)), np.zeros(k), is_known, 1.0)
    order = find_order(ballots.take(rows), gold[rows])
    arranged = order.arrange(ballots.take(rows))
    coef, intercept = _regress(describe(arranged.probs), gold[rows][order.rows], k)
    doubt = (k - len(present)) / (len(rows) + k)
    return FittedStacker(coef[order.find_places()], intercept, is_known, doubt)


def restore(state: State) -> FittedStacker:
    """Return what gave this state; raise BadInput for a garbled one."""
    m, k = read_sizes(state)
    doubt = float(read_numbers(state, "doubt"))
    if not 0.0 <= doubt <= 1.0:
        raise BadInput(f"The stored aggregator's doubt is {doubt}, not between 0 and 1: fit it anew.")
    coef, intercept = read_numbers(state, "coef", m, k + 1, k), read_numbers(state, "intercept", k)
    return FittedStacker(coef, intercept, read_numbers(state, "is_known", k), doubt)


def _weigh(features: Doubles, coef: Doubles) -> Doubles:
    """Return each specialist's part of the logits (n, m, k); by elements, for a product's bits depend on row counts."""
    parts = np.zeros((*features.shape[:2], coef.shape[2]))
    for index in range(features.shape[2]):
        parts += features[:, :, index, None] * coef[None, :, index]
    return parts


def _regress(features: Doubles, gold: IntArray, n_classes: int) -> tuple[Doubles, Doubles]:
    """Return coef (m, k + 1, k) and intercept (k,) of scikit-learn's regression; 0 for classes without rows."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=MAX_ROUNDS, tol=TOLERANCE)
    # Small products: more threads only wait for each other.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # few rows of many are meant
        model.fit(features.reshape(len(features), -1), gold)
    rows, offsets = model.coef_, model.intercept_
    if len(rows) == 1:  # of two classes only the second has weights
        rows, offsets = np.vstack([np.zeros_like(rows), rows]), np.append(0.0, offsets)
    coef, intercept = np.zeros((n_classes, rows.shape[1])), np.zeros(n_classes)
    coef[model.classes_], intercept[model.classes_] = rows, offsets
    return coef.T.reshape(features.shape[1], features.shape[2], n_classes), intercept
