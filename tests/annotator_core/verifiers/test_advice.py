"""Advice on epsilon and beta, by hand."""

import pytest

from annotator_core.errors import BadInput
from annotator_core.routing import min_agree_from_epsilon
from annotator_core.verifiers.advice import advise_beta, advise_epsilon, list_epsilons

FIVE = [(0.0, 50), (0.2, 20), (0.4, 20), (0.6, 10)]


def test_the_rules_of_a_pool_of_five():
    rules = list_epsilons(FIVE, 5)
    assert [(rule[0], rule[2]) for rule in rules] == [(5, 0.5), (4, 0.3), (3, 0.1), (2, 0.0), (1, 0.0)]
    assert [rule[1] for rule in rules] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


@pytest.mark.parametrize("m", [1, 2, 3, 5, 7])
def test_each_epsilon_is_the_rule_that_it_stands_beside(m):
    for min_agree, epsilon, _hard in list_epsilons([(0.0, 1)], m):
        assert min_agree_from_epsilon(epsilon, m) == min_agree


@pytest.mark.parametrize(
    ("place", "wish", "min_agree", "words"),
    [
        (0, {}, 5, "about 50% of the rows are hard then. Any disagreement is reviewed, as in the paper."),
        (1, {}, 4, "The next stricter rule, 50%, is more than you allow."),
        (2, {}, 3, "The next stricter rule, 30%"),
        (3, {"target": 0.85}, 2, "Reviewed as recommended, no rule with fewer hard rows is expected to reach 85.0%."),
        (0, {"target": 0.85}, 5, "no rule with fewer hard rows is expected to reach 85.0%."),
        (0, {"target": 0.99, "is_reached": False}, 5, "No rule is expected to reach 99.0%"),
    ],
)
def test_the_rule_that_was_chosen_says_why(place, wish, min_agree, words):
    advice = advise_epsilon(list_epsilons(FIVE, 5), place, **wish)
    assert (advice.min_agree, words in advice.reason) == (min_agree, True)


def test_a_pool_that_never_agrees_is_pointed_at():
    assert "at chance" in advise_epsilon(list_epsilons([(0.0, 2), (1 / 3, 98)], 3)).reason


@pytest.mark.parametrize(
    ("n_hard", "beta", "rounds"),
    [(0, None, 0), (749, None, 0), (750, 750, 1), (1999, 750, 2), (2000, 1000, 2), (9000, 1000, 9), (12_000, 1200, 10),
     (50_000, 2000, 25)],
)  # fmt: skip
def test_beta_by_the_hard_rows_that_are_expected(n_hard, beta, rounds):
    advice = advise_beta(n_hard)
    assert (advice.beta, advice.rounds) == (beta, rounds)
    assert f"{n_hard:,} hard rows are expected" in advice.reason


def test_impossible_numbers_are_refused():
    for wrong in (lambda: advise_beta(-1), lambda: list_epsilons([], 3), lambda: list_epsilons([(0.0, 1)], 0)):
        with pytest.raises(BadInput):
            wrong()
