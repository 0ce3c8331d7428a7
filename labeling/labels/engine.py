"""The bridge to the engine: votes of a pool become classes, uncertainties, scores and routes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, State
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.fusion import fit_fusion
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import opinion
from annotator_core.consensus.table import restore
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


def combine(
    votes: IntArray, probs: FloatArray, *, min_agree: int, is_average: bool, aggregation: State | None = None
) -> Combined:
    """Consensus of votes (n, m) and probs (n, m, k).

    `is_average` takes the averaged probability's class instead of the majority's. `aggregation` is the state of an
    aggregator fitted on specialists and classes in this order: then class, score and confidence are those of its
    probabilities, while U and what agreement makes hard are the votes' all the same. Plain numpy, whatever fitted it.
    Raises BadInput for a state that is garbled or of another pool.
    """
    majority = vote_majority(votes, probs.shape[2], probs)
    is_hard = hard_by_agreement(majority.counts, majority.is_tie, min_agree)
    if aggregation is not None:
        found = opinion(restore(aggregation).predict(Ballots(votes, probs)))
        return Combined(found.classes, majority.uncertainty, found.score, found.top, is_hard)
    average = average_probs(probs)
    classes = average.classes if is_average else majority.classes
    rows = np.arange(len(classes))
    confidence = np.where(classes == ABSTAIN, 0.0, np.nan_to_num(average.probs)[rows, np.maximum(classes, 0)])
    return Combined(classes, majority.uncertainty, average.score, confidence.astype(np.float32), is_hard)


def fuse(pool: Ballots, *, answers: Sequence[int], gold: Sequence[int]) -> list[tuple[int, float]]:
    """(class index or ABSTAIN, confidence) of each row, by the fusion of a pool's ballots with a verifier's answers.

    answers (n,): class index or ABSTAIN. gold (n,): what is known of the rows, ABSTAIN elsewhere. It is fitted on all
    these rows, and their order changes nothing.
    """
    given, known = np.array(answers, dtype=np.int64), np.array(gold, dtype=np.int64)
    found = opinion(fit_fusion(pool, given, known).predict(pool, given))
    return [(int(index), round(float(top), 6)) for index, top in zip(found.classes, found.top, strict=True)]
