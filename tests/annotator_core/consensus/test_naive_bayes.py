"""Confusion naive Bayes: by hand, against scikit-learn, and the majority where nothing is known."""

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.confusion import FittedConfusions
from annotator_core.consensus.opinion import opinion
from annotator_core.consensus.table import fit_aggregator
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import make_votes


def test_a_posterior_by_hand():
    confusions = np.array([[[0.9, 0.1], [0.4, 0.6]], [[0.5, 0.5], [0.2, 0.8]]])
    fitted = FittedConfusions("naive_bayes", np.array([0.25, 0.75]), confusions)
    probs = fitted.predict(Ballots.from_votes(np.array([[0, 1], [0, ABSTAIN]]), 2))
    assert probs[:, 0] == pytest.approx([0.1125 / (0.1125 + 0.24), 0.225 / (0.225 + 0.3)])


def test_a_matrix_by_hand():
    # Of 6 rows of class 0 one votes 1; the belief is 2/3, one vote strong, then k = 2 votes of the pooled matrix.
    votes = np.array([[0]] * 5 + [[1]] * 1 + [[1]] * 4)
    fitted = fit_aggregator("naive_bayes", Ballots.from_votes(votes, 2), np.array([0] * 6 + [1] * 4))
    pooled = (5 + 2 / 3) / 7
    assert fitted.confusions[0, 0] == pytest.approx([(5 + 2 * pooled) / 8, (1 + 2 * (1 - pooled)) / 8])
    assert fitted.prior == pytest.approx([7 / 12, 5 / 12])


def test_with_many_rows_it_is_scikit_learns():
    from sklearn.naive_bayes import CategoricalNB

    ballots, gold = make_votes(20_000, 3, 3, abstain=0)
    peer = CategoricalNB(alpha=1.0).fit(ballots.votes, gold).predict_proba(ballots.votes)
    assert np.abs(fit_aggregator("naive_bayes", ballots, gold).predict(ballots) - peer).max() < 2e-3


def test_without_gold_it_is_the_majority():
    ballots, gold = make_votes(300, 3, 2, abstain=0)
    one, two = (
        opinion(fit_aggregator(name, ballots, np.full_like(gold, ABSTAIN)).predict(ballots)).classes
        for name in ("naive_bayes", "majority")
    )
    assert np.array_equal(one, two)
