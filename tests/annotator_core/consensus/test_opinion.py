"""Opinions of rows, and sums that no order of the pool changes."""

import numpy as np
import pytest

from annotator_core.consensus.opinion import add_up, normalise, opinion, take_logs
from annotator_core.types import ABSTAIN

NAN = float("nan")


@pytest.mark.parametrize(
    ("probs", "winner", "top", "score"),
    [
        ([0.2, 0.7, 0.1], 1, 0.7, 0.5),
        ([0.4, 0.4, 0.2], 0, 0.4, 0.0),
        ([NAN, NAN, NAN], ABSTAIN, 0.0, 0.0),
        ([1.0], 0, 1.0, 1.0),
    ],
)
def test_an_opinion_by_hand(probs, winner, top, score):
    formed = opinion(np.array([probs], dtype=np.float32))
    assert formed.classes[0] == winner
    assert (formed.top[0], formed.score[0]) == pytest.approx((top, score))


def test_a_sum_over_specialists_is_the_same_to_the_last_bit_in_any_order():
    parts = np.random.default_rng(0).normal(size=(500, 5, 3)) * [1, 1e3, 1e-3]
    assert np.array_equal(add_up(parts), add_up(parts[:, [3, 0, 4, 2, 1]]))


def test_logs_have_a_floor():
    assert take_logs(np.array([0.0, 1.0])).tolist() == [np.log(1e-6), 0.0]


def test_a_row_without_votes_has_no_probabilities():
    probs = normalise(np.log([[1.0, 3.0], [1.0, 1.0]]), np.array([True, False]))
    assert probs[0] == pytest.approx([0.25, 0.75])
    assert np.isnan(probs[1]).all()
