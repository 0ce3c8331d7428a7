"""Confusion matrices of specialists, and what votes say through them.

A specialist's matrix (k, k) holds the probability of each vote (column) for each true class (row). Votes are taken as
independent given the class; abstentions say nothing. Source: Dawid and Skene (1979), Applied Statistics 28, 20.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, State, predict_in_blocks, read_numbers, read_sizes
from annotator_core.consensus.opinion import Doubles, add_up, normalise, take_logs
from annotator_core.types import ABSTAIN


@dataclass(frozen=True, slots=True)
class FittedConfusions:
    """prior (k,): share of each class. confusions (m, k, k): rows sum to 1."""

    name: str
    prior: Doubles
    confusions: Doubles

    def predict(self, ballots: Ballots) -> FloatArray:
        """Return the posterior (n, k), NaN rows where nobody voted; raise BadInput for another pool."""
        n_specialists, n_classes, _ = self.confusions.shape
        ballots.check_sizes(n_specialists, n_classes)
        prior, table = take_logs(self.prior), tabulate(self.confusions)
        columns = np.arange(n_specialists)

        def predict(block: Ballots) -> FloatArray:
            sums = add_up(table[columns, block.votes]) + prior
            return normalise(sums, (block.votes != ABSTAIN).any(axis=1))

        return predict_in_blocks(ballots, predict)

    def to_state(self) -> State:
        """Return what `restore_confusions` needs."""
        n_specialists, n_classes, _ = self.confusions.shape
        return {
            "name": self.name,
            "n_specialists": n_specialists,
            "n_classes": n_classes,
            "prior": self.prior.tolist(),
            "confusions": self.confusions.tolist(),
        }


def restore_confusions(state: State, name: str) -> FittedConfusions:
    """Return what gave this state; raise BadInput for a garbled one."""
    m, k = read_sizes(state)
    return FittedConfusions(name, read_numbers(state, "prior", k), read_numbers(state, "confusions", m, k, k))


def tabulate(confusions: Doubles) -> Doubles:
    """Return log-likelihoods (m, k + 1, k) by vote, then class; the last vote, which is also ABSTAIN, says nothing."""
    table = take_logs(confusions).transpose(0, 2, 1)
    return np.pad(table, ((0, 0), (0, 1), (0, 0)))


def mark_votes(votes: IntArray, n_classes: int) -> csr_matrix:
    """Return votes (n, m) as indicators (n, m x k): a 1 at specialist x k + class for each vote that was cast."""
    rows, columns = np.nonzero(votes != ABSTAIN)
    places = columns * n_classes + votes[rows, columns]
    return csr_matrix((np.ones(len(rows)), (rows, places)), shape=(len(votes), votes.shape[1] * n_classes))


def count_confusions(marks: csr_matrix, truths: Doubles) -> Doubles:
    """Return how often each specialist gave each vote to each class (m, k, k), with truths (n, k) as weights."""
    n_classes = truths.shape[1]
    counts: Doubles = np.asarray(marks.T @ truths).reshape(-1, n_classes, n_classes).transpose(0, 2, 1)
    return counts


def count_gold(ballots: Ballots, gold: IntArray) -> Doubles:
    """Return the same counts (m, k, k) over the rows whose gold (n,) is known; raise BadInput for impossible gold."""
    ballots.check_gold(gold)
    known = gold != ABSTAIN
    truths = np.eye(ballots.n_classes)[gold[known]]
    return count_confusions(mark_votes(ballots.votes[known], ballots.n_classes), truths)
