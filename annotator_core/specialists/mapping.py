"""From a model's own labels to the project's classes."""

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.average import has_voted
from annotator_core.types import ABSTAIN, LabelMap

NOT_FINITE = "The model gave no finite number for this text."
OUTSIDE = "The model's answer is none of the classes."


def softmax(logits: FloatArray) -> FloatArray:
    """Return the softmax of each row of logits (n, labels), 0 to 1: rows that hold NaN or infinity become NaN.

    Computed in float64, returned as float32 (n, labels).
    """
    raised = np.where(has_voted(logits)[:, None], logits, np.nan).astype(np.float64)
    powers = np.exp(raised - raised.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def map_probs(label_probs: FloatArray, label_map: LabelMap, n_classes: int) -> FloatArray:
    """Return class probabilities (n, k) from label probabilities (n, labels), summed per class and renormalised.

    A row abstains (NaN) where the model's top label maps to ABSTAIN or the row is not finite.
    """
    targets: IntArray = np.array(label_map.targets, dtype=np.int64)
    votes = has_voted(label_probs) & (targets[np.argmax(label_probs, axis=1)] != ABSTAIN)
    is_mapped = targets[:, None] == np.arange(n_classes)
    probs = np.where(votes[:, None], label_probs, 0.0).astype(np.float64) @ is_mapped
    probs[~votes] = np.nan
    return np.asarray(probs / probs.sum(axis=1, keepdims=True), dtype=np.float32)


def find_margins(logits: FloatArray, label_map: LabelMap, n_classes: int) -> FloatArray:
    """Return how far (n,) each row is from another answer: by how much a logit must move at least, NaN for no answer.

    The smaller of two margins of top over second: of the labels, which decides who abstains, and of the classes, whose
    logit is the log of the summed exponentials of their labels, as `map_probs` adds them. Moving every logit by at most
    d moves either margin by at most 2 d.
    """
    is_known = has_voted(logits)
    known = np.where(is_known[:, None], logits, 0.0).astype(np.float64)
    targets = np.array(label_map.targets, dtype=np.int64)
    classes = [np.logaddexp.reduce(known[:, targets == index], axis=1) for index in range(n_classes)]
    margins = [_top_over_second(known), _top_over_second(np.stack(classes, axis=1))]
    return np.asarray(np.where(is_known, np.minimum(*margins), np.nan), dtype=np.float32)


def _top_over_second(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ordered = np.sort(numbers, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])


def explain_abstentions(label_probs: FloatArray, probs: FloatArray) -> list[str | None]:
    """Return for each of n rows why it abstains, None where it votes: label_probs (n, labels), mapped probs (n, k)."""
    voted, finite = has_voted(probs), has_voted(label_probs)
    return [
        None if is_vote else OUTSIDE if is_finite else NOT_FINITE
        for is_vote, is_finite in zip(voted, finite, strict=True)
    ]
