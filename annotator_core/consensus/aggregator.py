"""What every aggregator takes and gives: n samples, m specialists, k classes, abstentions everywhere.

An aggregator is a module of this package with ``fit(ballots, gold, *, seed=0) -> Fitted`` and
``restore(state) -> Fitted``; `table` names them all. Source: the shapes and ABSTAIN = -1 are Snorkel's (Ratner et al.
2017, PVLDB 11, 269).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.opinion import Doubles, pick_classes
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN

State = Mapping[str, object]
"""A fitted aggregator as JSON holds it: ``name`` and the numbers it needs."""


@dataclass(frozen=True, slots=True)
class Ballots:
    """The votes of m specialists on n samples.

    votes (n, m): class index or ABSTAIN. probs (n, m, k): float32, rows sum to 1, NaN rows where a specialist
    abstained. keys (n,): a number of each row that its text alone decides, None where nobody knows texts: with it the
    folds of a cross-validation do not depend on the last digits of probabilities, which follow a model's batches.
    """

    votes: IntArray
    probs: FloatArray
    keys: IntArray | None = None

    def __post_init__(self) -> None:
        """Raise BadInput when the two do not describe the same samples and specialists."""
        if self.probs.ndim != 3 or self.votes.shape != self.probs.shape[:2]:
            raise BadInput(f"Votes of shape {self.votes.shape} do not fit probabilities of shape {self.probs.shape}.")
        if self.keys is not None and self.keys.shape != self.votes.shape[:1]:
            raise BadInput(f"{len(self.votes)} rows of votes, but keys of shape {self.keys.shape}.")

    @classmethod
    def from_probs(cls, probs: FloatArray, keys: IntArray | None = None) -> Self:
        """Return the ballots of probabilities (n, m, k): each vote is the most probable class. keys (n,): see there."""
        return cls(pick_classes(probs), probs, keys)

    @classmethod
    def from_votes(cls, votes: IntArray, n_classes: int) -> Self:
        """Return the ballots of bare votes (n, m), as crowds give them: all probability on the class voted for.

        Raises BadInput for a vote that is neither a class index below n_classes nor ABSTAIN.
        """
        if votes.size and (votes.min() < ABSTAIN or votes.max() >= n_classes):
            raise BadInput(f"Votes must be class indices 0 to {n_classes - 1} or {ABSTAIN}.")
        probs = np.eye(n_classes, dtype=np.float32)[np.maximum(votes, 0)]
        probs[votes == ABSTAIN] = np.nan
        return cls(votes, probs)

    def __len__(self) -> int:
        """Return n."""
        return len(self.votes)

    @property
    def n_specialists(self) -> int:
        """Return m."""
        return int(self.votes.shape[1])

    @property
    def n_classes(self) -> int:
        """Return k."""
        return int(self.probs.shape[2])

    def check_sizes(self, n_specialists: int, n_classes: int) -> None:
        """Raise BadInput for another number of specialists or classes."""
        if (self.n_specialists, self.n_classes) != (n_specialists, n_classes):
            raise BadInput(
                f"Fitted on {n_specialists} specialists and {n_classes} classes, "
                f"but these votes are of {self.n_specialists} and {self.n_classes}: fit it anew."
            )

    def check_gold(self, gold: IntArray) -> None:
        """Raise BadInput unless gold (n,) holds a class index or ABSTAIN for each row."""
        if gold.shape != (len(self),):
            raise BadInput(f"{len(self)} rows of votes, but gold labels of shape {gold.shape}.")
        if gold.size and (gold.min() < ABSTAIN or gold.max() >= self.n_classes):
            raise BadInput(f"Gold labels must be class indices 0 to {self.n_classes - 1} or {ABSTAIN}.")

    def append(self, others: "Ballots") -> "Ballots":
        """Return these rows and then the others'; raise BadInput for another pool. Keys stay where both have them."""
        if (others.n_specialists, others.n_classes) != (self.n_specialists, self.n_classes):
            raise BadInput(
                f"Rows of {others.n_specialists} specialists and {others.n_classes} classes do not go with rows of "
                f"{self.n_specialists} and {self.n_classes}."
            )
        keys = None if self.keys is None or others.keys is None else np.concatenate([self.keys, others.keys])
        return Ballots(np.concatenate([self.votes, others.votes]), np.concatenate([self.probs, others.probs]), keys)

    def take(self, rows: IntArray) -> "Ballots":
        """Return the ballots of these rows, in their order; a boolean mask (n,) does too."""
        return Ballots(self.votes[rows], self.probs[rows], None if self.keys is None else self.keys[rows])


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Rows that people answered because of their votes, least certain first: no random sample of anything.

    gold (n,): a class index for every row of the ballots. What models P(class | votes) may learn from them, what counts
    how often a class or an error occurs may not. Source: Shimodaira (2000), Journal of Statistical Planning and
    Inference 90, 227: rows chosen by what the model sees need no weights where the model is right.
    """

    ballots: Ballots
    gold: IntArray

    def __post_init__(self) -> None:
        """Raise BadInput unless every row has its class."""
        self.ballots.check_gold(self.gold)
        if self.gold.size and self.gold.min() == ABSTAIN:
            raise BadInput("A reviewed row without an answer teaches nothing: leave it out.")

    def __len__(self) -> int:
        """Return n."""
        return len(self.gold)


class Fitted(Protocol):
    """An aggregator that has seen its gold rows, or needs none."""

    @property
    def name(self) -> str:
        """Its name in `table`."""
        ...

    def predict(self, ballots: Ballots) -> FloatArray:
        """Return class probabilities (n, k), float32, rows sum to 1; NaN rows where nobody voted.

        Raises BadInput for another number of specialists or classes than it was fitted on.
        """
        ...

    def to_state(self) -> State:
        """Return what `restore` needs: JSON values only."""
        ...


BLOCK_CELLS: Final = 1_000_000
"""Rows x specialists x classes that a prediction works on at a time: 8 MB of doubles; chosen."""


def predict_in_blocks(ballots: Ballots, predict: Callable[[Ballots], FloatArray]) -> FloatArray:
    """Return the probabilities (n, k) of a prediction that sees only some rows at a time, so memory stays small."""
    probs = np.empty((len(ballots), ballots.n_classes), dtype=np.float32)
    step = max(BLOCK_CELLS // max(ballots.n_specialists * ballots.n_classes, 1), 1)
    for low in range(0, len(ballots), step):
        rows = slice(low, low + step)
        probs[rows] = predict(Ballots(ballots.votes[rows], ballots.probs[rows]))
    return probs


def read_sizes(state: State) -> tuple[int, int]:
    """Return n_specialists and n_classes of a state; raise BadInput unless both are counts."""
    return read_count(state, "n_specialists"), read_count(state, "n_classes")


def read_count(state: State, key: str) -> int:
    """Return a number of a state, 0 or more; raise BadInput for anything else."""
    value = state.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadInput(f"The stored aggregator has no count {key!r}: fit it anew.")
    return value


def read_numbers(state: State, key: str, *shape: int) -> Doubles:
    """Return the finite numbers of a state as float64 of this shape, (m, k) for m, k; raise BadInput for others."""
    try:
        numbers = np.array(state.get(key), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"The stored aggregator has no numbers {key!r}: fit it anew.") from error
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise BadInput(f"The stored aggregator's {key!r} are not {shape} finite numbers: fit it anew.")
    return numbers
