"""Warnings: each stands where its test says so, and nowhere else."""

from collections import Counter

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.warnings import find_warnings
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import make_votes

GOLD = np.arange(90) % 3
GUESS = np.random.default_rng(4).integers(0, 3, 90)


def _vote(*columns):
    return Ballots.from_votes(np.stack(columns, axis=1), 3)


def test_a_good_pool_is_not_warned_of():
    ballots, gold = make_votes(400, right=0.8)
    assert find_warnings(ballots, gold, answers=gold) == ()


@pytest.mark.parametrize("votes", [GUESS, np.ones(90, dtype=int), (GOLD + 1) % 3])
def test_a_specialist_at_chance_is_named(votes):
    found = find_warnings(_vote(GOLD, votes, GOLD), GOLD)
    assert [(finding.code, finding.specialist) for finding in found] == [("specialist_at_chance", 1)]


def test_a_little_more_than_chance_is_no_proof():
    votes = np.where(np.arange(90) % 9 == 0, GOLD, GUESS)
    assert np.mean(votes == GOLD) > 1 / 3 + 0.02
    found = find_warnings(_vote(GOLD, votes, GOLD), GOLD)
    assert [finding.specialist for finding in found] == [1]


def test_chance_by_hand():
    # It votes 0 always, and 30 of 90 are 0: a third right, a third by chance; P(at least 30 of 90) at 1/3 is .5386.
    found = find_warnings(_vote(GOLD, np.zeros(90, dtype=int), GOLD), GOLD)[0]
    assert (found.rows, found.share, found.other) == (90, pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert found.p_value == pytest.approx(0.539, abs=0.001)


@pytest.mark.parametrize("known", [np.arange(90) < 19, GOLD == 0])
def test_too_few_rows_or_only_one_class_call_nobody_blind(known):
    gold = np.where(known, GOLD, ABSTAIN)
    assert find_warnings(_vote(GOLD, GUESS, GOLD), gold) == ()


def test_mcnemar_by_hand():
    # 20 hard rows: the pool is right on 12 where the verifier is wrong, the other way round on 3: p = .0176.
    pool = np.concatenate([np.zeros(15, int), np.ones(5, int)])
    rest = np.where(np.arange(20) < 10, 1, 2)
    answers = np.concatenate([np.ones(12, int), np.zeros(3, int), np.zeros(3, int), np.ones(2, int)])
    ballots = _vote(pool, pool, rest)
    found = [
        finding for finding in find_warnings(ballots, np.zeros(20, int), answers=answers) if not finding.specialist
    ]
    assert [finding.code for finding in found] == ["verifier_worse"]
    assert (found[0].rows, found[0].share, found[0].other) == (20, 0.3, 0.75)
    assert found[0].p_value == pytest.approx(576 / 2**15)


def _of_verifier(ballots, gold, answers):
    """The codes of what is said of a verifier."""
    found = find_warnings(ballots, gold, answers=answers)
    return [finding.code for finding in found if finding.code.startswith("verifier")]


def test_a_verifier_better_than_the_pool_is_not_warned_of():
    ballots, gold = make_votes(300, right=0.5, abstain=0)
    other = make_votes(300, right=0.5, abstain=0, seed=0)[0].probs.mean(axis=1).argmax(axis=1)
    assert _of_verifier(ballots, gold, other) == []
    assert _of_verifier(ballots, gold, (gold + 1) % 3) == ["verifier_worse"]
    assert _of_verifier(ballots, gold, gold) == []


def test_unproven_by_hand():
    # 12 hard rows: the verifier alone is right on 6, the pool alone on 1: P(at least 6 of 7 by a coin) is .0625.
    pool = np.concatenate([np.ones(6, int), np.zeros(6, int)])
    answers = np.concatenate([np.zeros(6, int), np.ones(1, int), np.zeros(5, int)])
    ballots = _vote(pool, pool, np.full(12, 2))
    found = find_warnings(ballots, np.zeros(12, int), answers=answers)
    (finding,) = [one for one in found if one.code == "verifier_unproven"]
    assert (finding.rows, finding.share, finding.other) == (12, pytest.approx(11 / 12), 0.5)
    assert finding.p_value == pytest.approx(8 / 2**7)
    # One row more that it alone is right on, and it is proven: .035.
    assert _of_verifier(ballots, np.zeros(12, int), np.where(np.arange(12) == 6, 0, answers)) == []


@pytest.mark.parametrize("asked", [0, 1, 4])
def test_the_fewest_answers_prove_nothing(asked):
    answers = np.where(np.arange(9) < asked, 0, ABSTAIN)
    ballots = _vote(np.ones(9, int), np.ones(9, int), np.full(9, 2))
    assert _of_verifier(ballots, np.zeros(9, int), answers) == (["verifier_unproven"] if asked else [])


def test_an_answer_that_changes_no_label_proves_nothing():
    ballots, gold = make_votes(300, right=0.5, abstain=0)
    assert _of_verifier(ballots, gold, vote_majority(ballots.votes, 3, ballots.probs).classes) == ["verifier_unproven"]


def _simulate(gap, rows, repeats=100):
    """How often each code is said of a verifier `gap` better, in as many audits of hard rows, half of which differ."""
    rng, said = np.random.default_rng(7), Counter()
    for _repeat in range(repeats):
        fate = rng.choice(3, rows, p=[(0.5 - gap) / 2, (0.5 + gap) / 2, 0.5])
        # 0: the pool alone is right, 1: the verifier alone is, 2: neither. The third specialist makes the row hard.
        pool, answers = np.where(fate == 0, 0, 1), np.where(fate == 1, 0, 2)
        said.update(_of_verifier(_vote(pool, pool, np.full(rows, 2)), np.zeros(rows, int), answers))
    return said["verifier_worse"] / repeats, said["verifier_unproven"] / repeats


@pytest.mark.parametrize(
    ("gap", "rows", "least", "most"),
    [
        (-0.16, 300, 0.95, 1.0),
        (-0.16, 100, 0.5, 0.85),
        (-0.05, 300, 0.15, 0.5),
        (-0.02, 300, 0.0, 0.3),
        (0.0, 300, 0.0, 0.1),
    ],
)
def test_how_often_a_worse_verifier_is_called_so(gap, rows, least, most):
    """Weak where the two are close, and hardly ever a false alarm."""
    worse, _unproven = _simulate(gap, rows)
    assert least <= worse <= most


@pytest.mark.parametrize("rows", [20, 60, 100, 300])
@pytest.mark.parametrize("gap", [-0.16, -0.05, -0.02, 0.0])
def test_of_a_verifier_that_does_not_help_one_of_the_two_is_said(gap, rows):
    # 0.95 or more by the test's own level; less by chance of the simulation, whose standard error is 0.015.
    assert sum(_simulate(gap, rows, repeats=200)) >= 0.92


@pytest.mark.parametrize(
    ("gap", "rows", "least", "most"),
    [(0.05, 300, 0.5, 0.85), (0.16, 100, 0.15, 0.5), (0.16, 300, 0.0, 0.05), (0.3, 100, 0.0, 0.05)],
)
def test_how_often_a_better_verifier_is_called_unproven(gap, rows, least, most):
    worse, unproven = _simulate(gap, rows)
    assert worse == 0.0
    assert least <= unproven <= most


@pytest.mark.parametrize(("wrong_agreed", "is_warned"), [(20, True), (3, False)])
def test_agreed_rows_as_wrong_as_the_rest(wrong_agreed, is_warned):
    gold = np.concatenate(
        [np.full(wrong_agreed, 1), np.zeros(60 - wrong_agreed, int), np.full(20, 1), np.zeros(40, int)]
    )
    same, differs = np.zeros(120, int), np.where(np.arange(120) < 60, 0, 2)
    found = [finding for finding in find_warnings(_vote(same, same, differs), gold) if finding.specialist is None]
    assert [finding.code for finding in found] == (["agreed_as_wrong"] if is_warned else [])
    if found:
        assert (found[0].share, found[0].other) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_a_pool_that_is_hardly_wrong_is_not_doubted_for_it():
    assert find_warnings(_vote(GOLD, GOLD, np.where(np.arange(90) < 45, GOLD, (GOLD + 1) % 3)), GOLD) == ()


def test_what_was_accepted_may_be_given():
    ballots, gold = make_votes(300, right=0.8)
    nonsense = np.random.default_rng(0).random(300) < 0.5
    assert "agreed_as_wrong" in [finding.code for finding in find_warnings(ballots, gold, agreed=nonsense)]
