"""Label maps: proposals by hand, refusals, and the test on gold rows."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.specialists.label_map import (
    How,
    ProblemKind,
    find_better_permutation,
    find_problems,
    find_uncovered,
    is_unnamed,
    normalise,
    propose,
)
from annotator_core.types import ABSTAIN, LabelMap

SENTIMENT = ("negative", "neutral", "positive")
A = ABSTAIN


@pytest.mark.parametrize(
    ("labels", "classes", "targets", "how"),
    [
        (("positive", "negative"), SENTIMENT, (2, 0), ("exact", "exact")),
        (("POS", "NEU", "Neg."), SENTIMENT, (2, 1, 0), ("synonym",) * 3),
        ((" Positive ", "NEUTRAL"), SENTIMENT, (2, 1), ("normalised",) * 2),
        (("LABEL_0", "LABEL_1", "LABEL_2"), SENTIMENT, (A, A, A), ("none",) * 3),
        (("0", "1"), ("0", "1"), (A, A), ("none",) * 2),
        (("LABEL_0",), ("LABEL_0", "other"), (A,), ("none",)),
        (("non-toxic", "toxic"), ("toxic", "not toxic"), (1, 0), ("synonym", "exact")),
        (("1 star", "5 stars"), ("Very negative", "Very positive"), (0, 1), ("synonym",) * 2),
        (("Bug", "bug"), ("bug", "BUG"), (A, 0), ("none", "exact")),
        (("joy",), SENTIMENT, (A,), ("none",)),
        (("!!!", ""), ("???", "x"), (A, A), ("none",) * 2),
    ],
)
def test_propose_by_hand(labels: tuple, classes: tuple, targets: tuple, how: tuple) -> None:
    proposal = propose(labels, classes)
    assert proposal.label_map == LabelMap(labels, targets)
    assert proposal.how == how


def test_propose_lists_what_a_person_must_decide() -> None:
    assert propose(("LABEL_0", "positive"), SENTIMENT).unresolved == ("LABEL_0",)


@pytest.mark.parametrize("label", ["LABEL_0", "label-12", "Class 3", "7", "CATEGORY_1", "٣"])
def test_numbered_labels_have_no_meaning(label: str) -> None:
    assert is_unnamed(label)


@pytest.mark.parametrize("label", ["5 stars", "label", "positive", "top10", ""])
def test_named_labels_have_a_meaning(label: str) -> None:
    assert not is_unnamed(label)


@given(st.lists(st.text(max_size=30), max_size=6), st.lists(st.text(max_size=30), max_size=6))
def test_propose_survives_any_names_and_never_leaves_the_classes(labels: list[str], classes: list[str]) -> None:
    proposal = propose(labels, classes)
    assert all(A <= target < len(classes) for target in proposal.label_map.targets)
    assert [target == A for target in proposal.label_map.targets] == [how is How.NONE for how in proposal.how]


@given(st.permutations(SENTIMENT), st.permutations(SENTIMENT))
def test_propose_finds_equal_names_in_any_order(labels: list[str], classes: list[str]) -> None:
    assert [classes[target] for target in propose(labels, classes).label_map.targets] == labels


def test_normalise_keeps_letters_of_every_script() -> None:
    assert normalise("  Non-Toxic__(v2)! ") == "non toxic v2"
    assert normalise("ＰＯＳ") == "pos"
    assert normalise("Позитив") == "позитив"


def test_problems_of_a_whole_map_are_none() -> None:
    assert find_problems(LabelMap(("n", "o", "p"), (0, 1, 2)), 3) == ()
    assert find_problems(LabelMap(("a", "b", "c", "d"), (0, 0, 1, A)), 2) == ()


def test_problems_hole_is_refused_until_confirmed() -> None:
    holed = LabelMap(("n", "p"), (0, 2))
    (problem,) = find_problems(holed, 3)
    assert (problem.kind, problem.positions) == (ProblemKind.HOLE, (1,))
    assert find_problems(holed, 3, confirmed_holes=True) == ()
    assert find_uncovered(holed, 3) == (1,)


def test_problems_map_to_nothing_is_refused_even_when_confirmed() -> None:
    (problem,) = find_problems(LabelMap(("a", "b"), (A, A)), 3, confirmed_holes=True)
    assert problem.kind is ProblemKind.MAPS_NOTHING


@pytest.mark.parametrize("target", [-2, 3])
def test_problems_target_outside_the_classes_is_refused(target: int) -> None:
    (problem,) = find_problems(LabelMap(("a", "b"), (0, target)), 3, confirmed_holes=True)
    assert (problem.kind, problem.positions) == (ProblemKind.OUT_OF_RANGE, (1,))


def _gold_rows(renamed: list[int], accuracy: float, n_rows: int) -> tuple[list[int], list[int]]:
    rng = random.Random(7)
    gold = [rng.randrange(3) for _ in range(n_rows)]
    predicted = [renamed[y] if rng.random() < accuracy else rng.randrange(3) for y in gold]
    return predicted, gold


def test_better_permutation_of_a_swapped_map_is_found() -> None:
    predicted, gold = _gold_rows([2, 1, 0], 0.7, 100)
    better = find_better_permutation(predicted, gold, LabelMap(("a", "b", "c"), (0, 1, 2)), 3)
    assert better is not None
    assert better.label_map.targets == (2, 1, 0)
    assert better.accuracy > 0.7 > better.current_accuracy
    assert better.p_value < 0.01


@pytest.mark.parametrize(
    ("renamed", "accuracy", "n_rows"), [([0, 1, 2], 0.7, 100), ([2, 1, 0], 0.7, 4), ([0, 1, 2], 0.0, 100)]
)
def test_better_permutation_right_map_few_rows_or_chance_is_none(renamed: list, accuracy: float, n_rows: int) -> None:
    predicted, gold = _gold_rows(renamed, accuracy, n_rows)
    assert find_better_permutation(predicted, gold, LabelMap(("a", "b", "c"), (0, 1, 2)), 3) is None


def test_better_permutation_ignores_abstentions_and_rows_without_gold() -> None:
    label_map = LabelMap(("a", "b", "c"), (0, 1, A))
    assert find_better_permutation([2, 2, 0, -1], [0, 1, -1, 0], label_map, 2) is None


def test_better_permutation_of_many_classes_needs_more_than_a_few_rows() -> None:
    label_map = LabelMap(tuple(f"class {i}" for i in range(200)), tuple(range(200)))
    assert find_better_permutation([0, 1] * 20, [1, 0] * 20, label_map, 200) is None


def test_better_permutation_keeps_the_abstaining_labels() -> None:
    label_map = LabelMap(("a", "b", "c"), (0, 1, A))
    better = find_better_permutation([0, 1, 2] * 20, [1, 0, 0] * 20, label_map, 2)
    assert better is not None
    assert better.label_map.targets == (1, 0, A)
    assert (better.accuracy, better.current_accuracy) == (1.0, 0.0)
