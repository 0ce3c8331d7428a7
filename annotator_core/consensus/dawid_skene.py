"""Dawid-Skene: each specialist's confusion matrix by expectation maximisation, with gold rows taken as known.

Source: Dawid and Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm; rows with
gold keep their class in every step. Matrices start from each row's shares of the votes, so nothing is drawn.
"""

from typing import Final

import numpy as np
from scipy.sparse import csr_matrix

from annotator_core.arrays import IntArray
from annotator_core.consensus.aggregator import Ballots, State
from annotator_core.consensus.confusion import FittedConfusions, count_confusions, mark_votes, restore_confusions
from annotator_core.consensus.majority import count_votes
from annotator_core.consensus.opinion import Doubles, take_logs
from annotator_core.consensus.order import find_order
from annotator_core.types import ABSTAIN

NAME: Final = "dawid_skene"
SMOOTHING: Final = 0.01
"""Votes added to every cell of a matrix, and rows to every class; chosen: crowd-kit, which adds none, agrees."""
MAX_ROUNDS: Final = 100
"""Source: crowd-kit's default."""
TOLERANCE: Final = 1e-6
"""It ends where no posterior moves by more; chosen."""


def fit(ballots: Ballots, gold: IntArray, *, seed: int = 0) -> FittedConfusions:
    """Return the matrices that explain the votes best; rows without gold (n,), which is ABSTAIN there, count too.

    `seed` changes nothing. Raises BadInput for impossible gold.
    """
    del seed
    ballots.check_gold(gold)
    order = find_order(ballots, gold)
    votes, known = ballots.votes[np.ix_(order.rows, order.columns)], gold[order.rows]
    is_used = (known != ABSTAIN) | (votes != ABSTAIN).any(axis=1)
    prior, confusions = _maximise(votes[is_used], known[is_used], ballots.n_classes)
    return FittedConfusions(NAME, prior, confusions[order.find_places()])


def restore(state: State) -> FittedConfusions:
    """Return what gave this state; raise BadInput for a garbled one."""
    return restore_confusions(state, NAME)


def _maximise(votes: IntArray, gold: IntArray, n_classes: int) -> tuple[Doubles, Doubles]:
    """Return prior (k,) and confusions (m, k, k) after the last round."""
    marks = mark_votes(votes, n_classes)
    counts = count_votes(votes, n_classes)
    posterior = _hold_gold(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), gold)
    prior, confusions = _learn(marks, posterior)
    for _ in range(MAX_ROUNDS):
        previous, posterior = posterior, _hold_gold(_infer(marks, prior, confusions), gold)
        prior, confusions = _learn(marks, posterior)
        if np.abs(posterior - previous).max(initial=0.0) < TOLERANCE:
            break
    return prior, confusions


def _hold_gold(posterior: Doubles, gold: IntArray) -> Doubles:
    known = gold != ABSTAIN
    posterior[known] = np.eye(posterior.shape[1])[gold[known]]
    return posterior


def _learn(marks: csr_matrix, posterior: Doubles) -> tuple[Doubles, Doubles]:
    rows = posterior.sum(axis=0) + SMOOTHING
    counts = count_confusions(marks, posterior) + SMOOTHING
    return rows / rows.sum(), counts / counts.sum(axis=2, keepdims=True)


def _infer(marks: csr_matrix, prior: Doubles, confusions: Doubles) -> Doubles:
    table = take_logs(confusions).transpose(0, 2, 1).reshape(-1, len(prior))
    scores = np.asarray(marks @ table) + take_logs(prior)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    posterior: Doubles = powers / powers.sum(axis=1, keepdims=True)
    return posterior
