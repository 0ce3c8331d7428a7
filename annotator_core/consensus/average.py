"""Averaged probability: the continuous score that orders a review.

Source: the margin of the averaged probability orders reviews at least as well as the uncertainty of eq. 4 at every
budget (the project's reference experiments on tweets).
"""

from dataclasses import dataclass

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.types import ABSTAIN


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


def has_voted(probs: FloatArray) -> BoolArray:
    """Return which rows hold a vote: probs (..., k) gives (...,), False where any of the k numbers is not finite."""
    return np.asarray(np.isfinite(probs).all(axis=-1))


def pick_classes(probs: FloatArray) -> IntArray:
    """Return the class index of the highest probability, ABSTAIN for rows that are NaN: (..., k) gives (...,)."""
    top: IntArray = np.argmax(probs, axis=-1).astype(np.int64)
    return np.where(has_voted(probs), top, ABSTAIN)


def average_probs(probs: FloatArray) -> Average:
    """Return the mean over the specialists that voted: probs (n, m, k), NaN rows for abstentions.

    Specialists are summed in sorted order, so the order of the pool changes nothing, not even the last bit.
    """
    voted = has_voted(probs)
    n_voted = voted.sum(axis=1)
    filled = np.sort(np.where(voted[:, :, None], probs, 0.0).astype(np.float64), axis=1)
    with np.errstate(invalid="ignore"):
        mean = (filled.sum(axis=1) / n_voted[:, None]).astype(np.float32)
    return Average(mean, pick_classes(mean), *_top_and_margin(mean))


def _top_and_margin(mean: FloatArray) -> tuple[FloatArray, FloatArray]:
    padded = np.pad(np.nan_to_num(mean), ((0, 0), (1, 0)))
    ordered = np.sort(padded, axis=1)
    return ordered[:, -1], ordered[:, -1] - ordered[:, -2]
