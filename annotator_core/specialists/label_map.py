"""What a model's labels mean in a project: proposals, what is wrong with a map, and a test of it on gold rows.

Importing this needs the standard library only; `find_better_permutation` uses scipy.

Source: McNemar (1947), Psychometrika 12, 153, in its exact one-sided form; the best permutation by Kuhn (1955).
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from annotator_core.specialists.synonyms import SYNONYMS
from annotator_core.types import ABSTAIN, LabelMap

_UNNAMED: Final = re.compile(r"(label|class|category|output|target|id)?\d+")
_SIGNIFICANCE: Final = 0.01
"""The corrected p-value under which another permutation counts as clearly better; chosen."""


class How(StrEnum):
    """How a model label found its class."""

    EXACT = "exact"
    NORMALISED = "normalised"
    SYNONYM = "synonym"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed map with, for each model label in order, how it was found. Labels found by nothing abstain."""

    label_map: LabelMap
    how: tuple[How, ...]

    @property
    def unresolved(self) -> tuple[str, ...]:
        """The model labels that a person has to decide on."""
        return tuple(label for label, how in zip(self.label_map.model_labels, self.how, strict=True) if how is How.NONE)


class ProblemKind(StrEnum):
    """What is wrong with a label map."""

    OUT_OF_RANGE = "out_of_range"
    MAPS_NOTHING = "maps_nothing"
    HOLE = "hole"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a label map may not vote: positions are of model labels (out of range) or of classes (a hole)."""

    kind: ProblemKind
    positions: tuple[int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class BetterPermutation:
    """Another reading of a model's labels that fits the gold rows clearly better.

    Accuracies are shares of the gold rows, 0 to 1; p_value is corrected for the number of permutations tried.
    """

    label_map: LabelMap
    accuracy: float
    current_accuracy: float
    p_value: float


def normalise(name: str) -> str:
    """Return the name without case, accents of form and punctuation: ``Non-Toxic_`` gives ``non toxic``."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(re.findall(r"[^\W_]+", folded))


def is_unnamed(label: str) -> bool:
    """Return whether a label is a mere number (``LABEL_0``, ``2``), whose meaning nobody can know."""
    return _UNNAMED.fullmatch(normalise(label).replace(" ", "")) is not None


def propose(model_labels: Sequence[str], class_names: Sequence[str]) -> Proposal:
    """Return a map by exact name, else by normalised name, else by synonym; a match must be the only one.

    A label that is a mere number never maps by itself: it abstains until a person decides.
    """
    found = [_find_class(label, class_names) for label in model_labels]
    label_map = LabelMap(tuple(model_labels), tuple(target for target, _ in found))
    return Proposal(label_map, tuple(how for _, how in found))


def _find_class(label: str, class_names: Sequence[str]) -> tuple[int, How]:
    if is_unnamed(label):
        return ABSTAIN, How.NONE
    meaning = normalise(label)
    tests = (
        (How.EXACT, [name == label for name in class_names]),
        (How.NORMALISED, [bool(meaning) and normalise(name) == meaning for name in class_names]),
        (How.SYNONYM, [_mean_the_same(meaning, normalise(name)) for name in class_names]),
    )
    for how, matches in tests:
        if sum(matches) == 1:
            return matches.index(True), how
    return ABSTAIN, How.NONE


def _mean_the_same(one: str, other: str) -> bool:
    return any(one in words and other in words for words in SYNONYMS)


def find_uncovered(label_map: LabelMap, n_classes: int) -> tuple[int, ...]:
    """Return the classes, ascending, that no label maps to: they always get probability 0."""
    return tuple(index for index in range(n_classes) if index not in label_map.targets)


def find_problems(label_map: LabelMap, n_classes: int, *, confirmed_holes: bool = False) -> tuple[Problem, ...]:
    """Return why this map may not vote; empty when it may. A class without a label is allowed once confirmed."""
    outside = tuple(i for i, target in enumerate(label_map.targets) if not ABSTAIN <= target < n_classes)
    if outside:
        message = f"{len(outside)} labels map to a class that does not exist (there are {n_classes})."
        return (Problem(ProblemKind.OUT_OF_RANGE, outside, message),)
    holes = find_uncovered(label_map, n_classes)
    if len(holes) == n_classes:
        return (Problem(ProblemKind.MAPS_NOTHING, holes, "No label of the model maps to any class."),)
    if holes and not confirmed_holes:
        message = f"{len(holes)} of {n_classes} classes have no label of the model: it could never vote for them."
        return (Problem(ProblemKind.HOLE, holes, message),)
    return ()


def find_better_permutation(
    predicted: Sequence[int], gold: Sequence[int], label_map: LabelMap, n_classes: int
) -> BetterPermutation | None:
    """Return the permutation of the classes under which the map fits gold rows clearly better, None when there is none.

    predicted: index of the model's top label per row; gold: class index per row; rows with a negative number are
    ignored. Clearly: one-sided exact McNemar test against the current map, times the permutations tried, under 0.01.
    """
    pairs = Counter(
        (label_map.targets[label], truth)
        for label, truth in zip(predicted, gold, strict=True)
        if label >= 0 and truth >= 0 and label_map.targets[label] != ABSTAIN
    )
    renamed = _best_permutation(pairs, n_classes)
    won = sum(count for (target, truth), count in pairs.items() if renamed[target] == truth != target)
    lost = sum(count for (target, truth), count in pairs.items() if target == truth != renamed[target])
    p_value = _mcnemar(won, lost, n_classes)
    if won <= lost or p_value >= _SIGNIFICANCE:
        return None
    better = tuple(target if target == ABSTAIN else renamed[target] for target in label_map.targets)
    right, total = sum(count for (target, truth), count in pairs.items() if target == truth), sum(pairs.values())
    return BetterPermutation(
        LabelMap(label_map.model_labels, better), (right + won - lost) / total, right / total, p_value
    )


def _best_permutation(pairs: Counter[tuple[int, int]], n_classes: int) -> list[int]:
    from scipy.optimize import linear_sum_assignment

    matrix = [[pairs[target, truth] for truth in range(n_classes)] for target in range(n_classes)]
    _, columns = linear_sum_assignment(matrix, maximize=True)
    return [int(column) for column in columns]


def _mcnemar(won: int, lost: int, n_classes: int) -> float:
    from scipy.special import betainc

    # P(X >= won) for X ~ Binomial(won + lost, 1/2); in logarithms, since 200! is no float.
    one_test = float(betainc(won, lost + 1, 0.5)) if won else 1.0
    log_p = math.log(max(one_test, 1e-300)) + math.lgamma(n_classes + 1)
    return math.exp(min(log_p, 0.0))
