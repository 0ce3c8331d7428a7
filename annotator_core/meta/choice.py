"""Which candidates to take: the most accurate where that is known, else those that tell most of each other.

Source: engine section 7: prefer accurate candidates where there is gold, else mutually informative ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.meta.proof import Proof, measure_agreement
from annotator_core.types import ABSTAIN

SAME: Final = 0.98
"""Share of equal votes from which a candidate is a copy of another: as a voter it would add nothing. Chosen."""
MIN_INFORMATION: Final = 0.05
"""Under this share of the classes' information a candidate's answers are as good as noise to the others. Chosen."""
MAX_ABSTAINED: Final = 0.5
"""Chosen."""


class WhyNot(StrEnum):
    """Why a candidate that was tried is not among the top."""

    NO_BETTER_THAN_ONE_CLASS = "one_class"
    TELLS_NOTHING = "tells_nothing"
    ABSTAINS = "abstains"
    COPY = "copy"
    OTHERS_BETTER = "others_better"


WHY_NOT: Final = {
    WhyNot.NO_BETTER_THAN_ONE_CLASS: "It is no better than answering the most frequent class every time.",
    WhyNot.TELLS_NOTHING: "Its answers have next to nothing to do with those of the others.",
    WhyNot.ABSTAINS: "Its labels mean none of the classes on most rows.",
    WhyNot.COPY: "It answers like a candidate above it, so it would add no vote.",
    WhyNot.OTHERS_BETTER: "Others are better.",
}
"""Each of them as a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate's place: rank from 1, and why it is not among the top; None for those to take."""

    index: int
    rank: int
    why_not: WhyNot | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the choice looks at: similarity of task and card (0 to 1), the proof, and the votes (n,) behind it."""

    similarity: float
    proof: Proof
    votes: IntArray


def choose(candidates: Sequence[Standing], gold: IntArray, top: int) -> tuple[Choice, ...]:
    """Return the candidates from the best to the worst, the first ``top`` sound ones as those to take.

    gold (n,): class indices, ABSTAIN where nobody knows. Ranked by accuracy where all have one, else by mutual
    information; equals by similarity, then by their order.
    """
    order = sorted(range(len(candidates)), key=lambda index: _sort_key(candidates, index))
    guess = _share_of_one_class(gold)
    taken: list[int] = []
    whys: dict[int, WhyNot | None] = {}
    for index in order:
        whys[index] = _find_fault(candidates, index, taken, guess)
        if whys[index] is None and len(taken) < top:
            taken.append(index)
        elif whys[index] is None:
            whys[index] = WhyNot.OTHERS_BETTER
    ranked = sorted(order, key=lambda index: whys[index] is not None)
    return tuple(Choice(index, rank, whys[index]) for rank, index in enumerate(ranked, start=1))


def _sort_key(candidates: Sequence[Standing], index: int) -> tuple[float, float, int]:
    one = candidates[index]
    has_accuracy = all(other.proof.accuracy.value is not None for other in candidates)
    worth = one.proof.accuracy.value if has_accuracy else one.proof.information
    return (-(worth or 0.0), -one.similarity, index)


def _share_of_one_class(gold: IntArray) -> float:
    known = gold[gold != ABSTAIN]
    return float(np.bincount(known).max() / len(known)) if len(known) else 0.0


def _find_fault(candidates: Sequence[Standing], index: int, taken: Sequence[int], guess: float) -> WhyNot | None:
    one = candidates[index]
    if one.proof.accuracy.value is not None and one.proof.accuracy.value <= guess:
        return WhyNot.NO_BETTER_THAN_ONE_CLASS
    information = one.proof.information
    if one.proof.accuracy.value is None and information is not None and information < MIN_INFORMATION:
        return WhyNot.TELLS_NOTHING
    if one.proof.abstained is not None and one.proof.abstained > MAX_ABSTAINED:
        return WhyNot.ABSTAINS
    same = (measure_agreement(one.votes, candidates[other].votes) for other in taken)
    if any(share is not None and share >= SAME for share in same):
        return WhyNot.COPY
    return None
