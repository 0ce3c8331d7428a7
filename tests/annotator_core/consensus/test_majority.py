"""Majority vote: hand-computed tables, then properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.majority import fit, vote_majority
from annotator_core.consensus.opinion import pick_classes
from annotator_core.types import ABSTAIN

VOTES = hnp.arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.integers(ABSTAIN, 3))


@pytest.mark.parametrize(
    ("votes", "winner", "count", "uncertainty", "is_tie"),
    [
        ([0, 0, 0], 0, 3, 0.0, False),
        ([0, 0, 1], 0, 2, 1 / 3, False),
        ([2, 1, 0], 0, 1, 2 / 3, True),
        ([1, 1, 0, 0], 0, 2, 0.5, True),
        ([ABSTAIN, 1, 1], 1, 2, 1 / 3, False),
        ([ABSTAIN, ABSTAIN, 2], 2, 1, 2 / 3, False),
        ([ABSTAIN, 0, 1], 0, 1, 2 / 3, True),
        ([ABSTAIN, ABSTAIN, ABSTAIN], ABSTAIN, 0, 1.0, False),
        ([1], 1, 1, 0.0, False),
    ],
)
def test_majority_by_hand(votes: list[int], winner: int, count: int, uncertainty: float, is_tie: bool) -> None:
    result = vote_majority(np.array([votes]), 3)
    assert (result.classes[0], result.counts[0], result.is_tie[0]) == (winner, count, is_tie)
    assert result.uncertainty[0] == pytest.approx(uncertainty)


def test_majority_tie_goes_to_the_higher_average_probability_and_stays_a_tie() -> None:
    probs = np.array([[[0.6, 0.4, 0.0], [0.1, 0.9, 0.0]]], dtype=np.float32)
    result = vote_majority(np.array([[0, 1]]), 3, probs)
    assert (result.classes[0], result.is_tie[0]) == (1, True)


def test_majority_winner_is_not_overruled_by_probability() -> None:
    probs = np.array([[[0.51, 0.49], [0.51, 0.49], [0.0, 1.0]]], dtype=np.float32)
    assert vote_majority(np.array([[0, 0, 1]]), 2, probs).classes[0] == 0


@pytest.mark.parametrize("vote", [-2, 3])
def test_majority_vote_outside_the_classes_is_refused(vote: int) -> None:
    with pytest.raises(ValueError, match="class indices 0 to 2"):
        vote_majority(np.array([[0, vote]]), 3)


def test_majority_of_no_rows_is_empty() -> None:
    assert vote_majority(np.empty((0, 3), dtype=np.int64), 3).classes.shape == (0,)


@given(VOTES, st.randoms(use_true_random=False))
def test_permuting_specialists_changes_nothing(votes: np.ndarray, rng: object) -> None:
    order = list(range(votes.shape[1]))
    rng.shuffle(order)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    one, other = vote_majority(votes, 4), vote_majority(votes[:, order], 4)
    assert np.array_equal(one.classes, other.classes)
    assert np.array_equal(one.uncertainty, other.uncertainty)
    assert np.array_equal(one.is_tie, other.is_tie)


@given(VOTES)
def test_renaming_classes_renames_the_winner(votes: np.ndarray) -> None:
    renamed = np.where(votes == ABSTAIN, ABSTAIN, 3 - votes)
    one, other = vote_majority(votes, 4), vote_majority(renamed, 4)
    clear = ~one.is_tie & (one.counts > 0)
    assert np.array_equal(3 - one.classes[clear], other.classes[clear])
    assert np.array_equal(one.counts, other.counts)


@given(VOTES)
def test_an_abstention_never_lowers_the_uncertainty(votes: np.ndarray) -> None:
    silenced = votes.copy()
    silenced[:, 0] = ABSTAIN
    assert (vote_majority(silenced, 4).uncertainty >= vote_majority(votes, 4).uncertainty).all()


def test_fitted_majority_gives_shares_that_lean_on_the_average_by_hand() -> None:
    probs = np.array([[[0.6, 0.4], [0.1, 0.9], [np.nan, np.nan]], [[0.8, 0.2], [0.7, 0.3], [0.4, 0.6]]], np.float32)
    ballots = Ballots.from_probs(probs)
    shares = fit(ballots, np.full(2, ABSTAIN)).predict(ballots)
    assert shares[0] == pytest.approx([0.999 * 0.5 + 0.001 * 0.35, 0.999 * 0.5 + 0.001 * 0.65])
    assert shares[1, 0] == pytest.approx(0.999 * 2 / 3 + 0.001 * 1.9 / 3)


def test_fitted_majority_picks_what_the_vote_picks() -> None:
    rng = np.random.default_rng(0)
    ballots = Ballots.from_probs(rng.dirichlet(np.ones(3), (500, 4)).astype(np.float32))
    votes = vote_majority(ballots.votes, 3, ballots.probs).classes
    assert np.array_equal(pick_classes(fit(ballots, votes).predict(ballots)), votes)
