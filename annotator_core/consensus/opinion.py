"""What class probabilities say of a row: its class, how probable that is, and how far it stands before the next.

Source of the margin: Scheffer, Decomain and Wrobel (2001), Active Hidden Markov Models for Information Extraction.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.types import ABSTAIN

Doubles = npt.NDArray[np.float64]
"""Numbers that are summed or take a logarithm."""

FLOOR: Final = 1e-6
"""The least probability in a logarithm. Source: engine section 3, label map."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is thought of n samples, each array (n,).

    classes: class index, ABSTAIN where nobody voted. top: probability of that class, 0 to 1, 0 where nobody voted.
    score: top minus second probability, 0 to 1, 0 where nobody voted: the higher, the surer.
    """

    classes: IntArray
    top: FloatArray
    score: FloatArray


def opinion(probs: FloatArray) -> Opinion:
    """Return class, its probability and the margin of class probabilities (n, k), 0 to 1; NaN rows hold no opinion."""
    padded = np.pad(np.nan_to_num(probs), ((0, 0), (1, 0)))
    ordered = np.sort(padded, axis=1)
    return Opinion(pick_classes(probs), ordered[:, -1], ordered[:, -1] - ordered[:, -2])


def has_voted(probs: FloatArray) -> BoolArray:
    """Return which rows hold a vote: float (..., k) gives bool (...), False where any of the k is not finite."""
    return np.asarray(np.isfinite(probs).all(axis=-1))


def pick_classes(probs: FloatArray) -> IntArray:
    """Return the class index of the highest probability, of equals the lowest: float (..., k), 0 to 1, gives int (...).

    ABSTAIN for rows with a number that is not finite.
    """
    top: IntArray = np.argmax(probs, axis=-1).astype(np.int64)
    return np.where(has_voted(probs), top, ABSTAIN)


def add_up(parts: Doubles) -> Doubles:
    """Return the sum over specialists: parts (n, m, k) gives (n, k).

    They are summed in sorted order, so the order of the pool changes nothing, not even the last bit.
    """
    total: Doubles = np.sort(parts, axis=1).sum(axis=1)
    return total


def normalise(log_scores: Doubles, voted: BoolArray) -> FloatArray:
    """Return the softmax of log scores (n, k) as probabilities, NaN rows where voted (n,) is False."""
    powers = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    probs: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    probs[~voted] = np.nan
    return probs


def take_logs(probs: FloatArray | Doubles) -> Doubles:
    """Return the natural logarithms of probabilities (...), 0 to 1: float64 (...), of no number under 1e-6."""
    logs: Doubles = np.log(np.maximum(probs.astype(np.float64), FLOOR))
    return logs
