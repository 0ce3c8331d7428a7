"""What an audit knows of a pool, as arrays: n answered texts, m specialists, k classes."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.consensus.aggregator import Ballots, Reviewed
from annotator_core.types import ABSTAIN
from labeling.labels.engine import Combined, combine


@dataclass(frozen=True, slots=True)
class Way:
    """How a run makes one class of the votes: `aggregation` is a fitted aggregator's state, None for the plain ways."""

    min_agree: int
    is_average: bool
    aggregation: dict[str, Any] | None

    @property
    def name(self) -> str:
        """Its name in the engine's table."""
        if self.aggregation is not None:
            return str(self.aggregation["name"])
        return "average" if self.is_average else "majority"

    def combine(self, ballots: Ballots) -> Combined:
        """Class, score and confidence of each row, as the run would store them."""
        return combine(
            ballots.votes,
            ballots.probs,
            min_agree=self.min_agree,
            is_average=self.is_average,
            aggregation=self.aggregation,
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """Answered texts of a run with the newest pool's votes on them, all arrays (n,) and in the same order.

    gold: the answer's class index, ABSTAIN where the pool does not know its class: whatever it says is wrong then.
    is_fit: the fitting third. is_whole: of a draw that is answered whole, so that it is a random sample; no other row
    certifies. labels: the class index of the label that no person gave, ABSTAIN where there is none; is_model: a
    language model gave it. is_reviewed: a person decides it in this run. second: another source's class index, ABSTAIN
    where only one has spoken. hashes: of the texts. answers: a language model's class index, ABSTAIN where none was
    asked or it gave none; None in a run without one. unanswered: ballots of other texts, which no audit has drawn; None
    where there are none. reviewed: texts that people decided because of their votes; None where nobody learns of them.
    """

    ballots: Ballots
    gold: IntArray
    is_fit: BoolArray
    is_whole: BoolArray
    labels: IntArray
    is_model: BoolArray
    is_reviewed: BoolArray
    second: IntArray
    copies: IntArray
    hashes: tuple[str, ...]
    answers: IntArray | None = None
    unanswered: Ballots | None = None
    reviewed: Reviewed | None = None

    @property
    def is_known(self) -> BoolArray:
        """Rows whose answer is a class of the pool."""
        return np.asarray(self.gold != ABSTAIN)

    @property
    def is_fitting(self) -> BoolArray:
        """Rows that the race fits on: of the fitting third, with a class of the pool, of whole draws once there is one.

        Hard texts are answered first, and the certificates must not change with every answer.
        """
        rows = self.is_fit & self.is_known
        return rows & self.is_whole if self.is_whole.any() else rows

    @property
    def digest(self) -> str:
        """32 hex digits of all that a certificate rests on but the pool: answers of whole draws, what a race learns."""
        rows = np.flatnonzero(self.is_whole)
        found = hashlib.blake2b(digest_size=16)
        for text_hash, index in sorted((self.hashes[row], int(self.gold[row])) for row in rows):
            found.update(f"{text_hash} {index}\n".encode())
        if self.unanswered is not None:
            found.update(self.unanswered.votes.tobytes())
        if self.reviewed is not None:
            found.update(self.reviewed.gold.tobytes())
            found.update(self.reviewed.ballots.votes.tobytes())
        return found.hexdigest()

    def is_right(self, classes: IntArray) -> BoolArray:
        """Which rows these classes (n,) are right on."""
        return np.asarray(self.is_known & (classes == self.gold))
