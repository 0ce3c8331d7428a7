"""The bridge to the engine: votes of a pool become classes, uncertainties, scores and routes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.majority import vote_majority
from annotator_core.routing import hard_by_agreement
from annotator_core.types import ABSTAIN

STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class Combined:
    """A pool's answer on n samples: class index or ABSTAIN, U, margin score, confidence of that class.

    `is_hard` is what agreement alone makes hard.
    """

    classes: IntArray
    uncertainty: FloatArray
    score: FloatArray
    confidence: FloatArray
    is_hard: BoolArray


def pack(probs: FloatArray) -> list[bytes | None]:
    """Each row as it is stored: little-endian float16; None for an abstention."""
    blobs = probs.astype(STORED)
    return [None if np.isnan(row[0]) else row.tobytes() for row in blobs]


def unpack(blobs: Sequence[bytes | None], n_classes: int) -> FloatArray:
    """(n, k) float32 from stored rows; NaN rows for abstentions."""
    probs = np.full((len(blobs), n_classes), np.nan, dtype=np.float32)
    for index, blob in enumerate(blobs):
        if blob is not None:
            probs[index] = np.frombuffer(blob, dtype=STORED)
    return probs


def combine(votes: IntArray, probs: FloatArray, *, n_classes: int, min_agree: int, is_average: bool) -> Combined:
    """Consensus of votes (n, m) and probs (n, m, k).

    `is_average` takes the averaged probability's class instead of the majority's.
    """
    majority = vote_majority(votes, n_classes, probs)
    average = average_probs(probs)
    classes = average.classes if is_average else majority.classes
    rows = np.arange(len(classes))
    confidence = np.where(classes == ABSTAIN, 0.0, np.nan_to_num(average.probs)[rows, np.maximum(classes, 0)])
    is_hard = hard_by_agreement(majority.counts, majority.is_tie, min_agree)
    return Combined(classes, majority.uncertainty, average.score, confidence.astype(np.float32), is_hard)
