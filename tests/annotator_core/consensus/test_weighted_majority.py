"""Weighted majority: by hand, and the majority where nothing is known."""

import math

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.opinion import opinion
from annotator_core.consensus.table import fit_aggregator
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import make_votes


def test_accuracies_by_hand():
    # 8, 4 and 0 of 8 are right: 12 of 24, with two votes of 2/3 added 13.333 of 26.
    votes = np.stack([np.zeros(8, int), np.arange(8) % 2, np.ones(8, int)], axis=1)
    fitted = fit_aggregator("weighted_majority", Ballots.from_votes(votes, 2), np.zeros(8, int))
    common = (12 + 4 / 3) / 26
    assert fitted.accuracies == pytest.approx([(right + 2 * common) / 10 for right in (8, 4, 0)])


def test_votes_add_their_log_odds():
    votes = np.array([[0, 1, 1]] * 10 + [[0, 0, 1]] * 10)
    fitted = fit_aggregator("weighted_majority", Ballots.from_votes(votes, 2), np.zeros(20, int))
    odds = np.log(fitted.accuracies / (1 - fitted.accuracies))
    probs = fitted.predict(Ballots.from_votes(np.array([[0, 1, ABSTAIN]]), 2))
    assert probs[0, 0] == pytest.approx(1 / (1 + math.exp(odds[1] - odds[0])), abs=1e-3)


def test_one_good_specialist_outvotes_two_bad_ones():
    gold = np.arange(60) % 3
    votes = np.stack([gold, (gold + 1) % 3, (gold + 1) % 3], axis=1)
    ballots = Ballots.from_votes(votes, 3)
    assert np.array_equal(opinion(fit_aggregator("weighted_majority", ballots, gold).predict(ballots)).classes, gold)


def test_without_gold_it_is_the_majority():
    ballots, gold = make_votes(300, 4, 3)
    one, two = (
        opinion(fit_aggregator(name, ballots, np.full_like(gold, ABSTAIN)).predict(ballots)).classes
        for name in ("weighted_majority", "majority")
    )
    assert np.array_equal(one, two)
