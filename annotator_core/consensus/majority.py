"""Majority vote and its uncertainty.

Source: AutoAnnotator (arXiv 2506.16393), eq. 3: y = argmax_y count(y), and eq. 4: U(x) = 1 - max_y count(y) / m.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, State, read_sizes
from annotator_core.consensus.average import average_probs
from annotator_core.types import ABSTAIN


@dataclass(frozen=True, slots=True)
class Majority:
    """The majority's opinion on n samples, each array (n,).

    classes: class index, ABSTAIN where nobody voted. counts: votes for the winner, 0 to m.
    uncertainty: U of eq. 4, 0 to 1; an abstaining specialist agrees with nobody, so it raises U.
    is_tie: two or more classes share the highest count.
    """

    classes: IntArray
    counts: IntArray
    uncertainty: FloatArray
    is_tie: BoolArray


def vote_majority(votes: IntArray, n_classes: int, probs: FloatArray | None = None) -> Majority:
    """Return the majority of votes (n, m), each a class index or ABSTAIN.

    A tie goes to the tied class with the highest average probability where probs (n, m, k) are given, else to the
    lowest index; is_tie says so in both cases. Raises ValueError for a vote outside the classes.
    """
    counts = count_votes(votes, n_classes)
    highest = counts.max(axis=1, initial=0)
    is_winner = (counts == highest[:, None]) & (highest[:, None] > 0)
    uncertainty = (1.0 - highest / max(votes.shape[1], 1)).astype(np.float32)
    classes = np.where(highest > 0, _pick_winner(is_winner, probs), ABSTAIN)
    return Majority(classes, highest, uncertainty, is_winner.sum(axis=1) > 1)


def count_votes(votes: IntArray, n_classes: int) -> IntArray:
    """Return how many specialists chose each class, 0 to m: votes (n, m) gives (n, k); abstentions count nowhere.

    Raises ValueError for a vote outside the classes.
    """
    if votes.size and (votes.min() < ABSTAIN or votes.max() >= n_classes):
        raise ValueError(f"votes must be class indices 0 to {n_classes - 1} or {ABSTAIN}")
    columns = [(votes == index).sum(axis=1, dtype=np.int64) for index in range(n_classes)]
    return np.stack(columns, axis=1)


def _pick_winner(is_winner: BoolArray, probs: FloatArray | None) -> IntArray:
    if probs is None:
        weights = is_winner.astype(np.float32)
    else:
        weights = np.where(is_winner, np.nan_to_num(average_probs(probs).probs), -1.0)
    picked: IntArray = np.argmax(weights, axis=1).astype(np.int64)
    return picked


_LEAN: Final = 1e-3
"""How much of the average stands in a vote's probabilities: enough to part ties, too little to outvote; chosen."""


def lean_on_average(shares: FloatArray, probs: FloatArray) -> FloatArray:
    """Return shares of a vote (n, k) with ties parted by the averaged probability of probs (n, m, k)."""
    mean = average_probs(probs).probs
    leaning = (1.0 - _LEAN) * shares + _LEAN * np.where(np.isnan(mean), shares, mean)
    return leaning.astype(np.float32)


@dataclass(frozen=True, slots=True)
class FittedMajority:
    """The majority of a pool of this size; nothing is fitted."""

    n_specialists: int
    n_classes: int
    name: str = "majority"

    def predict(self, ballots: Ballots) -> FloatArray:
        """Return each class's share of the votes that were cast (n, k), NaN rows where none was.

        Ties lean to the class with the highest average probability, by less than a thousandth. Raises BadInput for
        another pool, ValueError for a vote outside the classes.
        """
        ballots.check_sizes(self.n_specialists, self.n_classes)
        counts = count_votes(ballots.votes, self.n_classes)
        with np.errstate(invalid="ignore"):
            shares = (counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
        return lean_on_average(shares, ballots.probs)

    def to_state(self) -> State:
        """Return what `restore` needs."""
        return {"name": self.name, "n_specialists": self.n_specialists, "n_classes": self.n_classes}


def fit(ballots: Ballots, gold: IntArray, *, seed: int = 0) -> FittedMajority:
    """Return the majority for a pool of this size; gold (n,) and seed change nothing."""
    del gold, seed
    return FittedMajority(ballots.n_specialists, ballots.n_classes)


def restore(state: State) -> FittedMajority:
    """Return the majority that gave this state; raise BadInput for a garbled one."""
    return FittedMajority(*read_sizes(state))
