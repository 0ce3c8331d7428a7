"""Averaged probability: hand-computed tables, then properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from annotator_core.consensus.average import average_probs, has_voted, pick_classes
from annotator_core.types import ABSTAIN

NAN = float("nan")
RAW = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(2, 4)),
    elements=st.floats(0.125, 1, width=32),
)


@pytest.mark.parametrize(
    ("probs", "winner", "top", "score"),
    [
        ([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1]], 0, 0.7, 0.5),
        ([[0.2, 0.8, 0.0], [NAN, NAN, NAN]], 1, 0.8, 0.6),
        ([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]], 0, 0.5, 0.0),
        ([[NAN, NAN, NAN], [NAN, NAN, NAN]], ABSTAIN, 0.0, 0.0),
        ([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]], 2, 1.0, 1.0),
    ],
)
def test_average_by_hand(probs: list[list[float]], winner: int, top: float, score: float) -> None:
    result = average_probs(np.array([probs], dtype=np.float32))
    assert result.classes[0] == winner
    assert (result.top[0], result.score[0]) == pytest.approx((top, score), abs=1e-6)


def test_average_of_one_class_has_a_full_margin() -> None:
    assert average_probs(np.ones((1, 2, 1), dtype=np.float32)).score[0] == 1.0


def test_average_of_no_rows_is_empty() -> None:
    assert average_probs(np.empty((0, 3, 2), dtype=np.float32)).probs.shape == (0, 2)


def test_nobody_voted_gives_nan_probabilities() -> None:
    assert np.isnan(average_probs(np.full((1, 2, 3), np.nan, dtype=np.float32)).probs).all()


def test_a_row_that_is_partly_infinite_is_no_vote() -> None:
    probs = np.array([[np.inf, 0.5], [0.25, 0.75]], dtype=np.float32)
    assert has_voted(probs).tolist() == [False, True]
    assert pick_classes(probs).tolist() == [ABSTAIN, 1]


@given(RAW, st.randoms(use_true_random=False))
def test_permuting_specialists_changes_not_a_bit(raw: np.ndarray, rng: object) -> None:
    probs = raw / raw.sum(axis=2, keepdims=True)
    order = list(range(probs.shape[1]))
    rng.shuffle(order)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert np.array_equal(average_probs(probs).probs, average_probs(probs[:, order]).probs)


@given(RAW)
def test_the_average_is_a_distribution_and_the_score_a_share(raw: np.ndarray) -> None:
    result = average_probs(raw / raw.sum(axis=2, keepdims=True))
    assert np.allclose(result.probs.sum(axis=1), 1.0, atol=1e-5)
    assert ((result.score >= 0) & (result.score <= 1)).all()
