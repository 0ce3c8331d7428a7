"""The order by content: the same for any order of the caller's."""

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.fusion import add_verifier
from annotator_core.consensus.order import find_order, split_folds
from annotator_core.errors import BadInput
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


def test_where_texts_are_known_folds_do_not_follow_the_last_digits_of_probabilities():
    ballots, gold = make_votes(60)
    keys = np.random.default_rng(3).integers(-(2**63), 2**63, 60)
    moved = (ballots.probs * np.float32(1 + 1e-6)).astype(np.float32)
    folds = {}
    for name, known in (("texts", keys), ("contents", None)):
        pair = [Ballots(ballots.votes, probs, known) for probs in (ballots.probs, moved)]
        orders = [find_order(each, gold) for each in pair]
        drawn = [split_folds(gold[order.rows], order.keys, 5) for order in orders]
        folds[name] = [fold[np.argsort(order.rows)].tolist() for fold, order in zip(drawn, orders, strict=True)]
    assert folds["texts"][0] == folds["texts"][1]
    assert folds["contents"][0] != folds["contents"][1]


def test_ballots_keep_the_keys_of_their_rows():
    ballots, gold = make_votes(6)
    known = Ballots(ballots.votes, ballots.probs, np.arange(6) * 7)
    assert known.take(np.array([4, 1])).keys.tolist() == [28, 7]
    assert sorted(find_order(known, gold).arrange(known).keys.tolist()) == [0, 7, 14, 21, 28, 35]
    assert add_verifier(known, gold).keys.tolist() == known.keys.tolist()
    with pytest.raises(BadInput, match="keys of shape"):
        Ballots(ballots.votes, ballots.probs, np.arange(5))
