"""Bounds on a share of wrong rows: published and hand-computed values, then coverage, exact and at every look."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from annotator_core.contract.bounds import exact_lower, exact_upper, running_upper, tail_below
from annotator_core.errors import BadInput

COUNTS = st.integers(1, 400).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))


def test_exact_upper_without_a_wrong_row_is_the_closed_form() -> None:
    assert exact_upper(0, 59, confidence=0.95) == pytest.approx(1 - 0.05 ** (1 / 59))


@pytest.mark.parametrize(("wrong", "rows", "bound"), [(5, 5, 1.0), (0, 0, 1.0)])
def test_exact_upper_of_nothing_known_is_one(wrong: int, rows: int, bound: float) -> None:
    assert exact_upper(wrong, rows, confidence=0.95) == bound


def test_exact_lower_without_a_wrong_row_is_zero() -> None:
    assert exact_lower(0, 7, confidence=0.95) == 0.0


@settings(deadline=None)
@given(COUNTS)
def test_exact_bounds_are_those_of_a_peer(counts: tuple[int, int]) -> None:
    peer = binomtest(*counts).proportion_ci(confidence_level=0.9, method="exact")
    assert exact_lower(*counts, confidence=0.95) == pytest.approx(peer.low, abs=1e-9)
    assert exact_upper(*counts, confidence=0.95) == pytest.approx(peer.high, abs=1e-9)


@pytest.mark.parametrize("share", [0.03, 0.05, 0.3])
def test_exact_upper_covers_whatever_the_share_is(share: float) -> None:
    wrong = np.arange(121)
    is_missed = exact_upper(wrong, np.full(121, 120), confidence=0.95) < share
    assert 0.0 < binom.pmf(wrong[is_missed], 120, share).sum() <= 0.05


def test_exact_upper_of_arrays_is_that_of_each() -> None:
    found = exact_upper([0, 3], [59, 60], confidence=0.9)
    assert found.tolist() == [exact_upper(0, 59, confidence=0.9), exact_upper(3, 60, confidence=0.9)]


def test_running_upper_solves_its_own_equation() -> None:
    # By hand, nobody wrong: integral of (1-q)^n dBeta(q; 1/2, 10) = (1-p)^n / 0.05.
    q = (np.arange(200_000) + 0.5) / 200_000
    density = q**-0.5 * (1 - q) ** 9
    mixture = (density * (1 - q) ** 40).sum() / density.sum()
    assert running_upper(0, 40, confidence=0.95) == pytest.approx(1 - (0.05 * mixture) ** (1 / 40), abs=2e-4)


@settings(deadline=None)
@given(COUNTS)
def test_running_upper_is_never_below_the_exact_one(counts: tuple[int, int]) -> None:
    assert running_upper(*counts, confidence=0.95) >= exact_upper(*counts, confidence=0.95) - 1e-9


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_running_upper_holds_at_every_look_and_the_exact_one_does_not(share: float) -> None:
    rows = np.arange(1, 301)
    wrong = (np.random.default_rng(7).random((1_000, 300)) < share).cumsum(axis=1)
    rows_each = np.broadcast_to(rows, wrong.shape)
    missed = {
        bound: (bound(wrong, rows_each, confidence=0.95) < share).any(axis=1).sum()
        for bound in (running_upper, exact_upper)
    }
    assert missed[running_upper] <= 50 + 3 * (1_000 * 0.05 * 0.95) ** 0.5 < missed[exact_upper]


@settings(deadline=None)
@given(COUNTS, st.floats(0.001, 0.999))
def test_tail_below_is_the_binomial_tail(counts: tuple[int, int], share: float) -> None:
    assert tail_below(*counts, share) == pytest.approx(binom.cdf(*counts, share), abs=1e-9)


def test_tail_below_of_fewer_than_none_is_zero() -> None:
    assert tail_below([-1, 0], [10, 10], 0.5).tolist() == [0.0, 0.5**10]


@pytest.mark.parametrize("bound", [exact_upper, exact_lower, running_upper])
@pytest.mark.parametrize(
    ("wrong", "rows", "confidence"), [(-1, 3, 0.95), (4, 3, 0.95), ([1, 2], [3], 0.9), (1, 3, 1.0)]
)
def test_bounds_of_what_are_no_counts_are_refused(bound, wrong: object, rows: object, confidence: float) -> None:
    with pytest.raises(BadInput):
        bound(wrong, rows, confidence=confidence)
