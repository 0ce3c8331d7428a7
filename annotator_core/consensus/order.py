"""An order of rows and specialists that depends on what they hold, never on how they came.

Sums of floats differ in the last bits when their order does, and a tie may then fall otherwise. What is fitted in this
order is the same, bit for bit, however the caller's rows and columns stand.

Source: docs/decisions/0019; the bits are mixed by splitmix64 (Steele, Lea and Flood 2014).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.opinion import has_voted
from annotator_core.types import ABSTAIN

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Order:
    """Where things stand: rows (n,) and columns (m,) index the caller's; keys (n,) are the rows' hashes, in order.

    Where the ballots know their texts, keys are the hashes of these, else of what rows hold.
    """

    rows: IntArray
    columns: IntArray
    keys: Hashes

    def arrange(self, ballots: Ballots) -> Ballots:
        """Return the ballots in this order."""
        cells = np.ix_(self.rows, self.columns)
        keys = None if ballots.keys is None else ballots.keys[self.rows]
        return Ballots(ballots.votes[cells], ballots.probs[cells], keys)

    def find_places(self) -> IntArray:
        """Return where each of the caller's specialists stands in this order (m,)."""
        places: IntArray = np.argsort(self.columns)
        return places


def find_order(ballots: Ballots, gold: IntArray) -> Order:
    """Return the order of rows and specialists by their votes, probabilities and gold labels (n,).

    Rows go by their keys first where the ballots have any. Only rows, or specialists, that hold the same in every place
    are left in the caller's order.
    """
    cells = _hash_cells(ballots)
    loose = _mix(_mix(cells).sum(axis=1, dtype=np.uint64) + _mix(gold.astype(np.uint64)))
    columns = np.argsort(_mix(cells ^ loose[:, None]).sum(axis=0, dtype=np.uint64), kind="stable")
    keys = loose
    for column in columns:
        keys = _mix(keys ^ cells[:, column])
    named = keys if ballots.keys is None else _mix(ballots.keys.astype(np.uint64))
    rows = np.lexsort((keys, named))
    return Order(rows, columns, named[rows])


def split_folds(gold: IntArray, keys: Hashes, folds: int, *, seed: int = 0) -> IntArray:
    """Return the fold of each row (n,), 0 to folds - 1, ABSTAIN where gold is; the same rows fall the same way.

    Each class is spread evenly over the folds, and the folds are equally large to within one row.
    """
    known = np.flatnonzero(gold != ABSTAIN)
    drawn = _mix(keys[known] ^ _mix(np.uint64(seed % 2**64)))
    ordered = known[np.lexsort((drawn, gold[known]))]
    fold = np.full(len(gold), ABSTAIN, dtype=np.int64)
    fold[ordered] = np.arange(len(ordered)) % folds
    return fold


def _hash_cells(ballots: Ballots) -> Hashes:
    """Return a hash (n, m) of each specialist's answer to each row."""
    plain = np.where(has_voted(ballots.probs)[:, :, None], ballots.probs, -1.0).astype(np.float32) + np.float32(0.0)
    bits = plain.view(np.uint32).astype(np.uint64)
    cells = _mix(ballots.votes.astype(np.uint64))
    for index in range(ballots.n_classes):
        cells = _mix(cells ^ bits[:, :, index])
    return cells


def _mix(values: Hashes | np.uint64) -> Hashes:
    """Return 64 well-mixed bits for each number. Source: splitmix64 (Steele, Lea, Flood 2014)."""
    mixed = np.atleast_1d(values) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
