"""Weighted majority: each vote counts by the log-odds of its specialist's accuracy on gold rows.

Source: Nitzan and Paroush (1982), Optimal decision rules in uncertain dichotomous choice situations; for k classes
log(p (k - 1) / (1 - p)), which is the posterior where errors are spread evenly over the other classes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, State, read_count, read_numbers
from annotator_core.consensus.confusion import FittedConfusions, count_gold
from annotator_core.consensus.majority import lean_on_average
from annotator_core.consensus.naive_bayes import BELIEF
from annotator_core.consensus.opinion import Doubles

NAME: Final = "weighted_majority"
SMOOTHING: Final = 2.0
"""Votes at the pool's common accuracy added to each specialist; chosen."""


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """accuracies (m,): how often each specialist is right, 0 to 1; one below chance counts against its class."""

    accuracies: Doubles
    n_classes: int
    name: str = NAME

    def predict(self, ballots: Ballots) -> FloatArray:
        """Return the posterior (n, k), NaN rows where nobody voted; raise BadInput for another pool.

        Ties lean to the class with the highest average probability, by less than a thousandth.
        """
        posterior = FittedConfusions(NAME, np.full(self.n_classes, 1.0 / self.n_classes), self._spread())
        return lean_on_average(posterior.predict(ballots), ballots.probs)

    def to_state(self) -> State:
        """Return what `restore` needs."""
        return {
            "name": self.name,
            "n_specialists": len(self.accuracies),
            "n_classes": self.n_classes,
            "accuracies": self.accuracies.tolist(),
        }

    def _spread(self) -> Doubles:
        k = self.n_classes
        wrong = (1.0 - self.accuracies) / max(k - 1, 1)
        same = np.eye(k)
        spread: Doubles = same * self.accuracies[:, None, None] + (1.0 - same) * wrong[:, None, None]
        return spread


def fit(ballots: Ballots, gold: IntArray, *, seed: int = 0) -> FittedWeights:
    """Return the specialists' accuracies on the rows whose gold (n,) is known; without gold all weigh the same.

    `seed` changes nothing. Raises BadInput for impossible gold.
    """
    del seed
    counts = count_gold(ballots, gold)
    right, seen = np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
    common = (right.sum() + SMOOTHING * BELIEF) / (seen.sum() + SMOOTHING)
    return FittedWeights((right + SMOOTHING * common) / (seen + SMOOTHING), ballots.n_classes)


def restore(state: State) -> FittedWeights:
    """Return what gave this state; raise BadInput for a garbled one."""
    accuracies = read_numbers(state, "accuracies", read_count(state, "n_specialists"))
    return FittedWeights(accuracies, read_count(state, "n_classes"))
