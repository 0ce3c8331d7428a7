"""Slices and folds: classes spread evenly, equal texts together, none lost."""

from collections import Counter

import pytest

from annotator_core.errors import BadInput
from annotator_core.refine.plan import TrainingRow
from annotator_core.refine.slices import assign_folds, check_classes, keep_slice

ROWS = [TrainingRow(f"text {number}", number % 2) for number in range(50)]


def test_keep_slice_leaves_out_another_fifth_of_each_class() -> None:
    left = [set(ROWS) - set(keep_slice(ROWS, part, seed=1)) for part in range(5)]
    assert [Counter(row.class_index for row in rows) for rows in left] == [Counter({0: 5, 1: 5})] * 5
    assert set().union(*left) == set(ROWS)
    assert keep_slice(ROWS, None, seed=1) == ROWS
    assert left[0] != set(ROWS) - set(keep_slice(ROWS, 0, seed=2))


def test_keep_slice_never_loses_a_class() -> None:
    rows = [TrainingRow("a", 0), TrainingRow("b", 1), TrainingRow("c", 1)]
    kept = [keep_slice(rows, part, seed=1) for part in range(5)]
    assert [{row.class_index for row in part} for part in kept] == [{0, 1}] * 5
    assert [len(part) for part in kept] == [2, 2, 3, 3, 3]


def test_assign_folds_spreads_classes_and_keeps_equal_texts_together() -> None:
    rows = [*ROWS, TrainingRow("text 3", 0), TrainingRow("text 3", 1)]
    folds = assign_folds(rows, 5, seed=1)
    assert Counter((row.class_index, fold) for row, fold in zip(ROWS, folds, strict=False)) == Counter(
        {(class_index, fold): 5 for class_index in range(2) for fold in range(5)}
    )
    assert folds[3] == folds[50] == folds[51]
    assert folds != assign_folds(rows, 5, seed=2)


@pytest.mark.parametrize("folds", [1, 51])
def test_assign_folds_refuses_what_cannot_be(folds: int) -> None:
    with pytest.raises(BadInput, match=f"50 different texts cannot be cut into {folds} parts"):
        assign_folds(ROWS, folds, seed=1)


@pytest.mark.parametrize(
    ("rows", "names", "message"),
    [
        (ROWS, ("a",), "A specialist needs at least 2 classes to tell apart."),
        ([], ("a", "b"), "There is no labeled text to fine-tune on."),
        (ROWS[:1], ("a", "b"), "Label at least one text of b."),
        (ROWS, ("a", "b", "c", "d", "e"), "Label at least one text of c, d and e."),
    ],
)
def test_check_classes_names_what_is_missing(rows: list[TrainingRow], names: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_classes(rows, names)
    assert str(refused.value) == message
