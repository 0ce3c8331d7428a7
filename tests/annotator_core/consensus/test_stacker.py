"""Logistic stacking: scikit-learn's own probabilities, abstentions, classes without gold."""

import numpy as np
import pytest

from annotator_core.consensus import stacker
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.opinion import opinion
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import make_votes


@pytest.mark.parametrize("k", [2, 3, 5])
def test_it_is_scikit_learns_regression(k):
    from sklearn.linear_model import LogisticRegression

    ballots, gold = make_votes(400, 3, k, abstain=0.2)
    voted = np.isfinite(ballots.probs).all(axis=1).all(axis=1) | (ballots.votes != ABSTAIN).any(axis=1)
    features = stacker.describe(ballots.probs).reshape(400, -1)
    peer = LogisticRegression(C=0.1, max_iter=5000, tol=1e-10).fit(features, gold)
    ours = stacker.fit(ballots, gold).predict(ballots)
    assert np.abs(ours - peer.predict_proba(features))[voted].max() < 1e-3


def test_few_rows_of_many_classes_are_learned_without_a_word():
    ballots, gold = make_votes(40, 3, 40, abstain=0)
    assert len(np.unique(gold)) > len(gold) / 2
    assert stacker.fit(ballots, gold).predict(ballots).shape == (40, 40)


def test_features_by_hand():
    probs = np.array([[[1.0, 0.0], [np.nan, np.nan]]], dtype=np.float32)
    assert stacker.describe(probs)[0] == pytest.approx(np.array([[0, np.log(1e-6), 0], [np.log(0.5), np.log(0.5), 1]]))


def test_a_shared_bias_is_mended():
    # Everybody takes half of class 2 for class 1, with a sure voice less sure than elsewhere.
    ballots, gold = make_votes(2000, 3, 3, abstain=0)
    ballots.probs[:, :, 1] += 0.4
    ballots.probs[:] /= ballots.probs.sum(axis=2, keepdims=True)
    fitted = stacker.fit(ballots.take(np.arange(300)), gold[:300])
    rest = ballots.take(np.arange(300, 2000))
    stacked, averaged = opinion(fitted.predict(rest)).classes, average_probs(rest.probs).classes
    assert np.mean(stacked == gold[300:]) > np.mean(averaged == gold[300:]) + 0.02


def test_a_class_without_gold_keeps_a_part_of_the_average():
    ballots, gold = make_votes(100, 3, 3, abstain=0)
    known = np.where(gold == 2, ABSTAIN, gold)
    rows = int((known != ABSTAIN).sum())
    fitted = stacker.fit(ballots, known)
    assert fitted.doubt == 1 / (rows + 3)
    assert np.allclose(fitted.predict(ballots)[:, 2], fitted.doubt * average_probs(ballots.probs).probs[:, 2])


@pytest.mark.parametrize("gold", [np.full(50, ABSTAIN), np.zeros(50, dtype=int)])
def test_gold_of_less_than_two_classes_leaves_the_average(gold):
    ballots, _ = make_votes(50)
    assert np.array_equal(
        stacker.fit(ballots, gold).predict(ballots), average_probs(ballots.probs).probs, equal_nan=True
    )
