"""Routing: the paper's rule without float noise, and the exact budget."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadInput
from annotator_core.routing import hard_by_agreement, hard_by_budget, min_agree_from_epsilon

ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9]), st.integers(0, 4)), max_size=30)


@pytest.mark.parametrize(
    ("epsilon", "n_specialists", "expected"),
    [
        (1 / 3, 3, 3),
        (1 - 2 / 3, 3, 3),
        (2 / 3, 3, 2),
        (0.34, 3, 2),
        (0.01, 3, 3),
        (0.2, 5, 5),
        (0.4, 5, 4),
        (0.0, 3, 4),
        (1.0, 3, 1),
        (0.5, 1, 1),
    ],
)
def test_min_agree_by_hand(epsilon: float, n_specialists: int, expected: int) -> None:
    assert min_agree_from_epsilon(epsilon, n_specialists) == expected


@given(st.integers(1, 12), st.data())
def test_min_agree_equals_eq_5_at_every_step_of_the_uncertainty(n_specialists: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, n_specialists))
    count = data.draw(st.integers(1, n_specialists))
    is_hard = n_specialists - count >= step
    counts, no_tie = np.array([count]), np.array([False])
    min_agree = min_agree_from_epsilon(step / n_specialists, n_specialists)
    assert hard_by_agreement(counts, no_tie, min_agree)[0] == is_hard


@pytest.mark.parametrize("epsilon", [-0.1, 1.1, math.nan])
def test_epsilon_outside_its_range_is_refused(epsilon: float) -> None:
    with pytest.raises(BadInput, match="between 0 and 1"):
        min_agree_from_epsilon(epsilon, 3)


def test_hard_by_agreement_by_hand() -> None:
    counts = np.array([3, 2, 2, 1, 0])
    is_tie = np.array([False, False, True, True, False])
    assert hard_by_agreement(counts, is_tie, 3).tolist() == [False, True, True, True, True]
    assert hard_by_agreement(counts, is_tie, 2).tolist() == [False, False, True, True, True]
    assert hard_by_agreement(counts, is_tie, 0).tolist() == [False, False, True, True, True]


def _cut(scores: list[float], groups: list[int], share: float, unvoted: list[bool] | None = None) -> list[bool]:
    flags = None if unvoted is None else np.array(unvoted, dtype=np.bool_)
    arrays = np.array(scores, dtype=np.float32), np.array(groups, dtype=np.int64)
    return [bool(flag) for flag in hard_by_budget(*arrays, share, unvoted=flags)]


@pytest.mark.parametrize(
    ("scores", "groups", "share", "expected"),
    [
        ([0.9, 0.1, 0.5, 0.2], [0, 1, 2, 3], 0.5, [False, True, False, True]),
        ([0.9, 0.1, 0.5, 0.2], [0, 1, 2, 3], 0.49, [False, True, False, False]),
        ([0.1, 0.1, 0.1, 0.9], [0, 1, 2, 3], 0.5, [True, True, False, False]),
        ([0.1, 0.1, 0.5, 0.9], [7, 7, 2, 3], 0.25, [False, False, True, False]),
        ([0.3, 0.9, 0.1, 0.9], [1, 2, 3, 2], 0.75, [True, False, True, False]),
        ([0.1, 0.2], [0, 1], 1.0, [True, True]),
        ([0.1, 0.2], [0, 1], 0.0, [False, False]),
        ([], [], 0.5, []),
    ],
)
def test_budget_by_hand(scores: list[float], groups: list[int], share: float, expected: list[bool]) -> None:
    assert _cut(scores, groups, share) == expected


def test_budget_counts_29_percent_of_100_rows_as_29() -> None:
    assert sum(_cut([0.5] * 100, list(range(100)), 0.29)) == 29


def test_budget_takes_unvoted_rows_first_and_even_beyond_it() -> None:
    assert _cut([0.0, 0.1, 0.9, 0.2], [0, 1, 2, 3], 0.5, [True, False, False, False]) == [True, True, False, False]
    assert _cut([0.0, 0.1, 0.9], [0, 1, 2], 0.0, [True, False, False]) == [True, False, False]


@pytest.mark.parametrize("share", [-0.1, 1.5, math.nan])
def test_budget_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(BadInput, match="between 0 and 1"):
        _cut([0.1], [0], share)


@given(ROWS, st.floats(0, 1))
def test_budget_is_kept_and_equal_texts_go_together(rows: list[tuple[float, int]], share: float) -> None:
    scores, groups = [row[0] for row in rows], [row[1] for row in rows]
    hard = _cut(scores, groups, share)
    assert sum(hard) <= math.floor(share * len(rows) + 1e-9)
    assert len({(group, flag) for group, flag in zip(groups, hard, strict=True)}) == len(set(groups))


@given(ROWS, st.floats(0, 1))
def test_budget_leaves_no_room_for_a_less_certain_group(rows: list[tuple[float, int]], share: float) -> None:
    scores, groups = [row[0] for row in rows], [row[1] for row in rows]
    hard = _cut(scores, groups, share)
    left = math.floor(share * len(rows) + 1e-9) - sum(hard)
    waiting = [groups.count(group) for group, flag in zip(groups, hard, strict=True) if not flag]
    assert all(size > left for size in waiting)


@given(ROWS, st.floats(0, 1), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing_under_a_budget(rows: list[tuple[float, int]], share: float, rng) -> None:
    order = rng.sample(range(len(rows)), len(rows))
    scores, groups = [row[0] for row in rows], [row[1] for row in rows]
    hard = _cut(scores, groups, share)
    turned = _cut([scores[row] for row in order], [groups[row] for row in order], share)
    assert turned == [hard[row] for row in order]


def test_equal_scores_go_by_the_texts_and_not_by_the_file() -> None:
    assert _cut([0.5, 0.5, 0.5, 0.5], [4, 2, 3, 1], 0.5) == [False, True, False, True]
