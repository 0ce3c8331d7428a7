"""What every aggregator must hold: order changes nothing, states come back, odd pools are served."""

import json

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.opinion import opinion
from annotator_core.consensus.table import AGGREGATORS, fit_aggregator, restore
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import hide, make_votes, permute

each = pytest.mark.parametrize("name", AGGREGATORS)


@each
@pytest.mark.parametrize("seed", range(4))
def test_permuting_rows_and_specialists_changes_nothing(name, seed):
    ballots, gold = make_votes(150, 4, 3, seed=seed)
    known = hide(gold, 0.3, seed=seed)
    other, other_known, rows, _columns = permute(ballots, known, seed=seed)
    one = fit_aggregator(name, ballots, known).predict(ballots)[rows]
    two = fit_aggregator(name, other, other_known).predict(other)
    assert np.array_equal(one, two, equal_nan=True)


@each
def test_votes_that_tie_in_every_way_fall_alike_in_any_order(name):
    votes = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 1], [1, 0, 0], [2, 2, 0]])
    ballots, gold = Ballots.from_votes(votes, 3), np.array([0, 1, 2, ABSTAIN, ABSTAIN, 2])
    for seed in range(6):
        other, other_gold, rows, _columns = permute(ballots, gold, seed=seed)
        one = fit_aggregator(name, ballots, gold).predict(ballots)[rows]
        two = fit_aggregator(name, other, other_gold).predict(other)
        assert np.array_equal(opinion(one).classes, opinion(two).classes), seed


@each
def test_equal_seeds_give_equal_bytes_and_a_state_gives_the_same_again(name):
    ballots, gold = make_votes(seed=3)
    first, second = (fit_aggregator(name, ballots, gold, seed=7) for _ in range(2))
    back = restore(json.loads(json.dumps(first.to_state())))
    assert first.predict(ballots).tobytes() == second.predict(ballots).tobytes() == back.predict(ballots).tobytes()
    assert first.name == back.name == name


@each
@pytest.mark.parametrize(("m", "k"), [(1, 2), (2, 2), (1, 5), (5, 2)])
@pytest.mark.parametrize("n_gold", [0, 1, 2, 40])
def test_small_pools_and_few_answers_give_distributions(name, m, k, n_gold):
    ballots, gold = make_votes(60, m, k, abstain=0.3)
    known = np.where(np.arange(60) < n_gold, gold, ABSTAIN)
    probs = fit_aggregator(name, ballots, known).predict(ballots)
    silent = (ballots.votes == ABSTAIN).all(axis=1)
    assert np.array_equal(np.isnan(probs).any(axis=1), silent)
    assert np.allclose(probs[~silent].sum(axis=1), 1, atol=1e-5)
    assert (probs[~silent] >= 0).all()


@each
def test_a_specialist_that_always_abstains_changes_no_class(name):
    ballots, gold = make_votes(120, 3, 3, abstain=0)
    silent = np.full((120, 1, 3), np.nan, dtype=np.float32)
    wider = Ballots.from_probs(np.concatenate([ballots.probs, silent], axis=1))
    one, two = (fit_aggregator(name, held, gold).predict(held) for held in (ballots, wider))
    assert np.mean(opinion(one).classes == opinion(two).classes) >= 0.98


@each
@pytest.mark.parametrize("n_gold", [0, 30])
def test_constant_votes_and_a_class_without_gold_are_no_trouble(name, n_gold):
    ballots = Ballots.from_votes(np.tile([[0, 0, 1]], (40, 1)), 3)
    gold = np.where(np.arange(40) < n_gold, np.arange(40) % 2, ABSTAIN)
    probs = fit_aggregator(name, ballots, gold).predict(ballots)
    assert np.isfinite(probs).all()
    assert (probs == probs[0]).all()


@each
def test_an_empty_table_is_answered_with_none(name):
    ballots, gold = make_votes()
    fitted = fit_aggregator(name, ballots, gold)
    assert fitted.predict(ballots.take(np.arange(0))).shape == (0, 3)


@each
def test_another_pool_is_refused(name):
    ballots, gold = make_votes()
    fitted = fit_aggregator(name, ballots, gold)
    with pytest.raises(BadInput, match="Fitted on 3 specialists and 3 classes"):
        fitted.predict(make_votes(5, 2, 3)[0])


@pytest.mark.parametrize("name", ["weighted_majority", "dawid_skene", "naive_bayes", "stacker", "best_single"])
@pytest.mark.parametrize("gold", [np.array([0]), np.full(200, 3), np.full(200, -2)])
def test_impossible_gold_is_refused(name, gold):
    with pytest.raises(BadInput, match="old labels"):
        fit_aggregator(name, make_votes()[0], gold)


@pytest.mark.parametrize("state", [None, [], {}, {"name": "oracle"}, {"name": "majority"}, {"name": "average"}])
def test_a_garbled_state_is_refused(state):
    with pytest.raises(BadInput):
        restore(state)


@pytest.mark.parametrize(
    ("name", "garbled"),
    [
        ("majority", {"n_classes": -1}),
        ("majority", {"n_specialists": True}),
        ("weighted_majority", {"accuracies": [0.5]}),
        ("naive_bayes", {"prior": ["much", 0, 0]}),
        ("dawid_skene", {"confusions": None}),
        ("best_single", {"index": 3}),
        ("stacker", {"doubt": 1.5}),
        ("stacker", {"intercept": [0, float("nan"), 0]}),
    ],
)
def test_a_state_with_a_garbled_number_is_refused(name, garbled):
    state = fit_aggregator(name, *make_votes()).to_state()
    with pytest.raises(BadInput, match="stored aggregator"):
        restore({**state, **garbled})


def test_an_unknown_aggregator_is_refused_with_the_names_there_are():
    with pytest.raises(BadInput, match="'oracle': choose one of majority, weighted_majority"):
        fit_aggregator("oracle", *make_votes())
