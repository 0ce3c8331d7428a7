"""What a run holds and gives: the votes on a window of texts, and what became of each text."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.types import ABSTAIN, LabelSource, Route


@dataclass(frozen=True, slots=True)
class Ballot:
    """The votes of m specialists on the n texts of a window.

    probs (n, m, k): float32, NaN rows for abstentions. reasons: m tuples of n, None where a vote was cast. names: m.
    """

    texts: list[str]
    probs: FloatArray
    reasons: list[tuple[str | None, ...]]
    names: list[str]


@dataclass(frozen=True, slots=True)
class Vote:
    """One specialist's vote: class index or ABSTAIN with a reason, and the probability of the class (0 for none)."""

    specialist: str
    class_index: int
    prob: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What became of one text.

    label: class index, ABSTAIN while a person must decide; source: who decided, None then. confidence: the pool's
    probability of the label, None for a verifier's. uncertainty: U of eq. 4, 0 to 1.
    """

    text: str
    label: int
    source: LabelSource | None
    confidence: float | None
    uncertainty: float
    route: Route
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """What became of the n texts of a window, as columns; each row is an `Annotation`.

    labels (n,): class index, ABSTAIN while a person must decide. is_hard, is_verified (n,): a hard row went to the
    verifier or waits for a person. confidence (n,): NaN where there is none. uncertainty (n,): U of eq. 4, 0 to 1.
    votes (n, m): class index or ABSTAIN. vote_probs (n, m): probability of that class, 0 for none. verified_by: who
    decided the verified rows.
    """

    ballot: Ballot
    labels: IntArray
    is_hard: BoolArray
    is_verified: BoolArray
    confidence: FloatArray
    uncertainty: FloatArray
    votes: IntArray
    vote_probs: FloatArray
    verified_by: LabelSource = LabelSource.VERIFIER

    def __len__(self) -> int:
        """Return n."""
        return len(self.labels)

    def list_sources(self) -> list[LabelSource | None]:
        """Return who decided each label, None where nobody did."""
        by_code = (None, LabelSource.CONSENSUS, self.verified_by)
        codes = np.where(self.is_verified, 2, (self.labels != ABSTAIN).astype(np.int64))
        return [by_code[code] for code in codes.tolist()]

    def list_routes(self) -> list[Route]:
        """Return the route of each row."""
        by_code = (Route.ACCEPT, Route.REVIEW, Route.VERIFY)
        codes = np.where(self.is_verified, 2, self.is_hard.astype(np.int64))
        return [by_code[code] for code in codes.tolist()]

    def iterate(self) -> Iterator[Annotation]:
        """Yield the rows as annotations, in order."""
        confidence = [None if value != value else value for value in self.confidence.tolist()]
        columns = (self.ballot.texts, self.labels.tolist(), self.list_sources(), confidence, self.uncertainty.tolist())
        return map(Annotation, *columns, self.list_routes(), self._list_votes())

    def _list_votes(self) -> Iterator[tuple[Vote, ...]]:
        n, names, reasons = len(self), self.ballot.names, self.ballot.reasons
        columns = [
            map(Vote, [name] * n, self.votes[:, column].tolist(), self.vote_probs[:, column].tolist(), reasons[column])
            for column, name in enumerate(names)
        ]
        return zip(*columns, strict=True)
