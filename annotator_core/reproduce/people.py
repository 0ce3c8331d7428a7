"""Who reviews: a person that is right with a given probability, a simulated LLM, real stored answers.

Source: reference.md, LLMs on hard rows; engine section 2.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Accuracies:
    """How often a simulated LLM is right, 0 to 1, on rows where all specialists agree and on the others."""

    easy: float
    hard: float


LLM_SENTIMENT: Final = Accuracies(0.75, 0.67)
LLM_TOXICITY: Final = Accuracies(0.85, 0.73)
"""Hard: the paper's own share of right answers among reviewed rows (engine section 2). Easy: chosen, 8 to 12 points
better, since real models are 0 to 15 points worse on hard rows than overall (reference.md)."""


def tell_share(accuracy: float) -> str:
    """Return an accuracy, 0 to 1, as a percentage with no digit more than it has.

    >>> tell_share(0.9), tell_share(0.925)
    ('90%', '92.5%')
    """
    return f"{100 * accuracy:g}%"


def answer_rows(gold: IntArray, right_share: FloatArray | float, n_classes: int, seed: int) -> IntArray:
    """Return one answer a row (n,): gold with the probability right_share, (n,) or one for all, else another class."""
    rng = np.random.default_rng([seed, 1])
    is_right = rng.random(len(gold)) < right_share
    other = (gold + rng.integers(1, n_classes, len(gold))) % n_classes
    return np.where(is_right, gold, other)


def simulate_llm(gold: IntArray, hard: BoolArray, n_classes: int, rates: Accuracies, seed: int) -> IntArray:
    """Return a simulated LLM's answers (n,) that is less often right on hard rows (n,)."""
    return answer_rows(gold, np.where(hard, rates.hard, rates.easy).astype(np.float32), n_classes, seed)


def simulate_person(gold: IntArray, n_classes: int, accuracy: float, seed: int) -> IntArray:
    """Return a person's answers (n,), each right with the probability accuracy, 0 to 1; at 1 they are gold."""
    return answer_rows(gold, accuracy, n_classes, seed + 1000)
