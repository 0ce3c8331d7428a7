"""The order by content: the same for any order of the caller's."""

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.order import find_order, split_folds
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import hide, make_votes, permute


@pytest.mark.parametrize("seed", range(5))
def test_any_order_is_arranged_alike(seed):
    ballots, gold = make_votes(80, 4, 3, seed=seed, abstain=0.3)
    known = hide(gold, 0.5)
    other, other_known, _rows, _columns = permute(ballots, known, seed=seed)
    one, two = find_order(ballots, known), find_order(other, other_known)
    assert np.array_equal(one.arrange(ballots).probs, two.arrange(other).probs, equal_nan=True)
    assert np.array_equal(one.keys, two.keys)
    assert np.array_equal(known[one.rows], other_known[two.rows])


def test_places_lead_back():
    ballots, gold = make_votes(20, 5, 3)
    order = find_order(ballots, gold)
    assert np.array_equal(order.columns[order.find_places()], np.arange(5))


def test_zero_and_minus_zero_are_the_same():
    probs = np.array([[[1.0, 0.0]], [[1.0, -0.0]]], dtype=np.float32)
    keys = find_order(Ballots.from_probs(probs), np.zeros(2, dtype=int)).keys
    assert keys[0] == keys[1]


def test_folds_spread_each_class_evenly():
    gold = np.array([0] * 23 + [1] * 7 + [2] * 3 + [ABSTAIN] * 10)
    fold = split_folds(gold, np.arange(43, dtype=np.uint64), 5)
    assert (fold[gold == ABSTAIN] == ABSTAIN).all()
    for index in range(3):
        counts = np.bincount(fold[gold == index], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.bincount(fold[gold != ABSTAIN]).tolist() == [7, 7, 7, 6, 6]


def test_folds_differ_by_seed_alone():
    gold, keys = np.zeros(50, dtype=int), np.arange(50, dtype=np.uint64)
    one, again, other = (split_folds(gold, keys, 5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
