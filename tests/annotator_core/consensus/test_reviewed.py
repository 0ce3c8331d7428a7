"""Rows that were reviewed because of their votes: who learns from them, and that they measure nobody."""

import json

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots, Reviewed
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.opinion import opinion
from annotator_core.consensus.race import run_race
from annotator_core.consensus.reviewed import learn_from_reviews
from annotator_core.consensus.stacker import fit
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import make_votes, permute

AUDITED = 50


def _biased_pool(n=2_000):
    """One specialist leans to a class, one leans away from another, one guesses: fifty answers tell little of that."""
    rng = np.random.default_rng(3)
    gold = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 3, 3)) + 1.25 * np.eye(3)[gold][:, None]
    logits[:, 0, 2] += 3.0
    logits[:, 1, 0] -= 3.0
    logits[:, 2] = 2.0 * rng.normal(size=(n, 3))
    probs = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return Ballots.from_probs(probs.astype(np.float32)), gold


def _least_certain(ballots, count):
    """Rows after the audited ones that a reviewer sees first."""
    score = opinion(average_probs(ballots.probs).probs).score[AUDITED:]
    return AUDITED + np.argsort(score, kind="stable")[:count]


def _race(ballots, gold, reviewed=None):
    audited, known = ballots.take(np.arange(AUDITED)), gold[:AUDITED]
    race = run_race(audited, known)
    return race if reviewed is None else learn_from_reviews(race, audited, known, reviewed)


def _tell(race):
    """All of a race as values that can be compared."""
    return race.entries, race.winner, race.why, race.reviewed, json.dumps(race.fitted.to_state())


def _loss(fitted, ballots, gold):
    probs = fitted.predict(ballots)
    return float(-np.log(probs[np.arange(len(gold)), gold]).mean())


def _reviewed(ballots, gold, count=800):
    rows = _least_certain(ballots, count)
    return rows, Reviewed(ballots.take(rows), gold[rows])


def test_stacking_learns_from_reviewed_rows_and_predicts_the_others_better():
    ballots, gold = _biased_pool()
    rows, reviewed = _reviewed(ballots, gold)
    alone, taught = _race(ballots, gold), _race(ballots, gold, reviewed)
    assert (alone.reviewed, taught.reviewed, taught.winner) == (0, 800, "stacker")
    assert taught.why.startswith("Logistic stacking has learned from 800 reviewed rows")
    assert taught.entries == alone.entries
    unseen = np.setdiff1d(np.arange(AUDITED, len(gold)), rows)
    losses = [_loss(race.fitted, ballots.take(unseen), gold[unseen]) for race in (alone, taught)]
    assert losses[1] < losses[0] - 0.02


def test_it_is_fitted_on_audited_and_reviewed_rows():
    ballots, gold = _biased_pool()
    rows, reviewed = _reviewed(ballots, gold)
    taught = _race(ballots, gold, reviewed).fitted
    both = np.concatenate([np.arange(AUDITED), rows])
    assert taught.inner.to_state() == fit(ballots.take(both), gold[both]).to_state()


def test_answers_that_mislead_are_not_learned_from():
    ballots, gold = make_votes(600, right=0.9)
    rng = np.random.default_rng(0)
    noise = Reviewed(ballots.take(np.arange(100, 160)), rng.integers(0, 3, 60))
    assert _tell(_race(ballots, gold, noise)) == _tell(_race(ballots, gold))


@pytest.mark.parametrize("seed", range(2))
def test_neither_the_order_of_reviewed_rows_nor_that_of_specialists_changes_anything(seed):
    ballots, gold = _biased_pool()
    rows, reviewed = _reviewed(ballots, gold, 400)
    one = _race(ballots, gold, reviewed)
    other, other_gold, _rows, columns = permute(ballots.take(rows), gold[rows], seed=seed)
    shuffled = Ballots(ballots.votes[:, columns], ballots.probs[:, columns])
    two = _race(shuffled, gold, Reviewed(other, other_gold))
    assert (one.why, one.reviewed) == (two.why, two.reviewed)
    assert one.reviewed == 400
    assert np.array_equal(one.fitted.predict(ballots), two.fitted.predict(shuffled))


def test_reviewed_rows_need_answers_and_the_same_pool():
    ballots, gold = make_votes(80)
    with pytest.raises(BadInput, match="without an answer"):
        Reviewed(ballots, np.where(np.arange(80) < 79, gold, ABSTAIN))
    with pytest.raises(BadInput, match="Gold labels must be class indices"):
        Reviewed(ballots, gold + 3)
    more, more_gold = make_votes(20, m=4)
    with pytest.raises(BadInput, match="of 4 specialists and 3 classes do not go with rows of 3 and 3"):
        _race(ballots, gold, Reviewed(more, more_gold))


@pytest.mark.parametrize(("audited", "reviewed"), [(49, 31), (80, 0)])
def test_without_a_race_or_a_reviewed_row_nothing_is_learned(audited, reviewed):
    ballots, gold = make_votes(80 + reviewed)
    known = np.where(np.arange(80) < audited, gold[:80], ABSTAIN)
    own, rest = ballots.take(np.arange(80)), np.arange(80, 80 + reviewed)
    race = run_race(own, known)
    assert learn_from_reviews(race, own, known, Reviewed(ballots.take(rest), gold[rest])) is race
