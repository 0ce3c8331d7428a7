"""Majority vote and its uncertainty.

Source: AutoAnnotator (arXiv 2506.16393), eq. 3: y = argmax_y count(y), and eq. 4: U(x) = 1 - max_y count(y) / m.
"""

from dataclasses import dataclass

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
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
    """Return how many specialists chose each class: votes (n, m) gives (n, k); abstentions count nowhere."""
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
