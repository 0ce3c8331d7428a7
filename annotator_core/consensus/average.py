"""Averaged probability: the continuous score that orders a review.

Source: the margin of the averaged probability orders reviews at least as well as the uncertainty of eq. 4 at every
budget (the project's reference experiments on tweets).
"""

from dataclasses import dataclass

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, State, read_sizes
from annotator_core.consensus.opinion import has_voted as has_voted
from annotator_core.consensus.opinion import opinion
from annotator_core.consensus.opinion import pick_classes as pick_classes


@dataclass(frozen=True, slots=True)
class Average:
    """The pool's averaged opinion on n samples.

    probs (n, k): mean over the specialists that voted, NaN rows where nobody did. classes (n,): its argmax or ABSTAIN.
    top (n,): probability of that class, 0 where nobody voted. score (n,): top minus second probability, 0 to 1, 0 where
    nobody voted: the higher, the surer.
    """

    probs: FloatArray
    classes: IntArray
    top: FloatArray
    score: FloatArray


def average_probs(probs: FloatArray) -> Average:
    """Return the mean over the specialists that voted: probs (n, m, k), NaN rows for abstentions.

    Specialists are summed in sorted order, so the order of the pool changes nothing, not even the last bit.
    """
    voted = has_voted(probs)
    n_voted = voted.sum(axis=1)
    filled = np.sort(np.where(voted[:, :, None], probs, 0.0).astype(np.float64), axis=1)
    with np.errstate(invalid="ignore"):
        mean = (filled.sum(axis=1) / n_voted[:, None]).astype(np.float32)
    formed = opinion(mean)
    return Average(mean, formed.classes, formed.top, formed.score)


@dataclass(frozen=True, slots=True)
class FittedAverage:
    """The average of a pool of this size; nothing is fitted."""

    n_specialists: int
    n_classes: int
    name: str = "average"

    def predict(self, ballots: Ballots) -> FloatArray:
        """Return the mean probabilities (n, k), NaN rows where nobody gave any; raise BadInput for another pool."""
        ballots.check_sizes(self.n_specialists, self.n_classes)
        return average_probs(ballots.probs).probs

    def to_state(self) -> State:
        """Return what `restore` needs."""
        return {"name": self.name, "n_specialists": self.n_specialists, "n_classes": self.n_classes}


def fit(ballots: Ballots, gold: IntArray, *, seed: int = 0) -> FittedAverage:
    """Return the average for a pool of this size; gold (n,) and seed change nothing."""
    del gold, seed
    return FittedAverage(ballots.n_specialists, ballots.n_classes)


def restore(state: State) -> FittedAverage:
    """Return the average that gave this state; raise BadInput for a garbled one."""
    return FittedAverage(*read_sizes(state))
