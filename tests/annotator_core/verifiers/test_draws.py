"""Draws and models: the majority, its share as confidence, and no class where two lead."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Outcome, Plan, Verdict
from annotator_core.verifiers.draws import join_draws, join_models
from annotator_core.verifiers.parse import Parsed

PLAN = Plan(("a", "b", "c"), draws=3, temperature=0.7)
EMPTY, REFUSED = Parsed(ABSTAIN, Outcome.EMPTY, "empty"), Parsed(ABSTAIN, Outcome.REFUSED, "no")


def _say(index, probs=None):
    return Parsed(index, Outcome.ANSWERED, f"because {index}", None if probs is None else probs[index], probs)


def _tell(index, number=1, confidence=None):
    outcome = Outcome.ANSWERED if index != ABSTAIN else Outcome.OUTSIDE
    return Verdict(1, index, outcome, confidence, f"reason {number}", (f"key {number}",))


@pytest.mark.parametrize(
    ("draws", "index", "outcome", "confidence"),
    [
        ([_say(0), _say(0), _say(0)], 0, Outcome.ANSWERED, 1.0),
        ([_say(0), _say(1), _say(1)], 1, Outcome.ANSWERED, 2 / 3),
        ([_say(2), EMPTY, EMPTY], 2, Outcome.ANSWERED, 1 / 3),
        ([_say(0), _say(1), _say(2)], ABSTAIN, Outcome.SPLIT, None),
        ([_say(0), _say(1), EMPTY], ABSTAIN, Outcome.SPLIT, None),
        ([EMPTY, REFUSED, REFUSED], ABSTAIN, Outcome.REFUSED, None),
        ([EMPTY, REFUSED], ABSTAIN, Outcome.EMPTY, None),
    ],
)
def test_draws_by_hand(draws, index, outcome, confidence):
    joined = join_draws(draws, PLAN)
    assert (joined.class_index, joined.outcome, joined.confidence) == (index, outcome, confidence)


def test_log_probabilities_say_more_than_shares():
    joined = join_draws([_say(0, (0.9, 0.1, 0)), _say(0, (0.6, 0.4, 0)), _say(1, (0.3, 0.7, 0))], PLAN)
    assert (joined.class_index, joined.confidence) == (0, pytest.approx(0.6))


def test_one_draw_stands_as_it_is():
    one = _say(1, (0.2, 0.8, 0))
    assert join_draws([one], Plan(PLAN.classes)) is one


def test_a_split_says_what_was_answered():
    assert join_draws([_say(0), _say(1)], PLAN).reason == "The answers do not agree: a 1 times, b 1 times."


@given(st.lists(st.sampled_from([_say(0), _say(1), _say(2), EMPTY]), min_size=1, max_size=4))
def test_the_order_of_draws_changes_no_class(draws):
    found = {join_draws(order, PLAN).class_index for order in itertools.permutations(draws)}
    assert len(found) == 1


@pytest.mark.parametrize(
    ("indexes", "index", "outcome", "confidence"),
    [
        ([0, 0, 1], 0, Outcome.ANSWERED, 2 / 3),
        ([0, 1], ABSTAIN, Outcome.SPLIT, None),
        ([0, ABSTAIN, ABSTAIN], 0, Outcome.ANSWERED, 1 / 3),
        ([ABSTAIN, ABSTAIN], ABSTAIN, Outcome.OUTSIDE, None),
    ],
)
def test_models_by_hand(indexes, index, outcome, confidence):
    joined = join_models([_tell(each, number) for number, each in enumerate(indexes)])
    assert (joined.class_index, joined.outcome, joined.confidence) == (index, outcome, confidence)
    assert joined.keys == tuple(f"key {number}" for number in range(len(indexes)))


def test_one_model_stands_as_it_is():
    verdict = _tell(1, confidence=0.8)
    assert join_models([verdict]) is verdict


def test_the_reason_is_that_of_a_model_that_agrees():
    assert join_models([_tell(1, 1), _tell(0, 2), _tell(0, 3)]).reason == "reason 2"


@pytest.mark.parametrize("verdicts", [[], [_tell(0), Verdict(2, 0, Outcome.ANSWERED)]])
def test_what_cannot_be_joined_is_refused(verdicts):
    with pytest.raises(BadInput):
        join_models(verdicts)
    with pytest.raises(BadInput):
        join_draws([], PLAN)
