"""The best single specialist: what every combination has to beat.

Source: AutoAnnotator loses to its best specialist on 3 of 6 data sets (engine section 2).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, State, read_count, read_sizes
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.opinion import Doubles, has_voted, take_logs
from annotator_core.consensus.order import find_order
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN

NAME: Final = "best_single"


@dataclass(frozen=True, slots=True)
class FittedSingle:
    """index: which of the n_specialists answers for all."""

    index: int
    n_specialists: int
    n_classes: int
    name: str = NAME

    def predict(self, ballots: Ballots) -> FloatArray:
        """Return that specialist's probabilities (n, k); where it abstains, the average of the others.

        NaN rows where nobody gave any. Raises BadInput for another pool.
        """
        ballots.check_sizes(self.n_specialists, self.n_classes)
        probs = ballots.probs[:, self.index].copy()
        silent = ~has_voted(probs)
        probs[silent] = average_probs(ballots.probs[silent]).probs
        return probs

    def to_state(self) -> State:
        """Return what `restore` needs."""
        return {
            "name": self.name,
            "index": self.index,
            "n_specialists": self.n_specialists,
            "n_classes": self.n_classes,
        }


def fit(ballots: Ballots, gold: IntArray, *, seed: int = 0) -> FittedSingle:
    """Return the specialist that is right most often where gold (n,) is known; an abstention is not right.

    Of equals the one with the lower log-loss is taken, then by content, so the pool's order changes nothing. `seed`
    changes nothing. Raises BadInput for impossible gold or a pool of none.
    """
    del seed
    ballots.check_gold(gold)
    if not ballots.n_specialists:
        raise BadInput("The pool has no specialist: name at least one.")
    known = np.flatnonzero(gold != ABSTAIN)
    right = (ballots.votes[known] == gold[known, None]).sum(axis=0)
    losses = np.array([_sum_losses(ballots.probs[known, index], gold[known]) for index in range(len(right))])
    places = find_order(ballots, gold).find_places()
    index = int(np.lexsort((places, losses, -right))[0])
    return FittedSingle(index, ballots.n_specialists, ballots.n_classes)


def restore(state: State) -> FittedSingle:
    """Return what gave this state; raise BadInput for a garbled one."""
    index, (n_specialists, n_classes) = read_count(state, "index"), read_sizes(state)
    if index >= n_specialists:
        raise BadInput(f"The stored aggregator names specialist {index} of {n_specialists}: fit it anew.")
    return FittedSingle(index, n_specialists, n_classes)


def _sum_losses(probs: FloatArray, gold: IntArray) -> float:
    """Return the summed log-loss in nats, exactly rounded; an abstention spreads its probability evenly."""
    even = np.where(has_voted(probs)[:, None], probs, 1.0 / probs.shape[1])
    losses: Doubles = -take_logs(even)[np.arange(len(gold)), gold]
    return math.fsum(losses.tolist())
