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


@dataclass(frozen=True, slots=True)
class Heard:
    """A pool's ballots on n texts, and a language model's answers (n,): class index, or ABSTAIN where there is none."""

    ballots: Ballots
    answers: Sequence[int]


def fuse(asked: Heard, *, gold: Sequence[int], crowd: Heard | None) -> list[tuple[int, float]]:
    """(class index or ABSTAIN, confidence) of each text that was asked about, by votes and answers together.

    gold (n,): what is known of these texts, ABSTAIN elsewhere. Without a crowd it is fitted on all of them: right where
    at least `fusion.ENOUGH` are known. With fewer `crowd` is needed, other texts at random, those that no model was
    asked about among them: with it and the texts with gold it is fitted then. For where the asked texts are those that
    specialists disagree on, they seem to contradict each other there, and Dawid-Skene makes classes of that which are
    none (docs/benchmarks/fusion.md). The order of texts changes nothing.
    """
    known = np.array(gold, dtype=np.int64)
    given = np.array(asked.answers, dtype=np.int64)
    pool, answers, truths = asked.ballots, given, known
    if crowd is not None:
        is_known, others = known != ABSTAIN, crowd.ballots
        pool = Ballots(
            np.concatenate([pool.votes[is_known], others.votes]), np.concatenate([pool.probs[is_known], others.probs])
        )
        answers = np.concatenate([given[is_known], np.array(crowd.answers, dtype=np.int64)])
        truths = np.concatenate([known[is_known], np.full(len(others), ABSTAIN)])
    found = opinion(fit_fusion(pool, answers, truths).predict(asked.ballots, given))
    return [(int(index), round(float(top), 6)) for index, top in zip(found.classes, found.top, strict=True)]
