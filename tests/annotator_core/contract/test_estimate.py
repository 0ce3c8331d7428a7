"""Shares with intervals: published values, coverage, and strata."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from annotator_core.contract.estimate import Estimate, Stratum, combine_strata, estimate_share
from annotator_core.errors import BadInput

NOTHING = Estimate(None, 0.0, 1.0)


def right(count: int, rows: int) -> np.ndarray:
    return np.arange(rows) < count


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_estimate_share_is_the_wilson_interval_of_a_peer(counts: tuple[int, int]) -> None:
    peer = binomtest(*counts).proportion_ci(method="wilson")
    assert estimate_share(right(*counts)) == pytest.approx((counts[0] / counts[1], peer.low, peer.high), abs=1e-9)


def test_estimate_share_of_newcombes_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81 of 263.
    assert [round(number, 4) for number in estimate_share(right(81, 263))[1:]] == [0.2553, 0.3662]


def test_estimate_share_of_no_rows_is_unknown() -> None:
    assert estimate_share(right(0, 0)) == NOTHING


def test_estimate_share_with_equal_weights_changes_nothing() -> None:
    assert estimate_share(right(7, 20), weights=np.full(20, 3)) == pytest.approx(estimate_share(right(7, 20)))


def test_estimate_share_weighs_copies_and_widens_for_it() -> None:
    weights = np.array([9.0] + [1.0] * 9)
    found = estimate_share(right(1, 10), weights=weights)
    assert found.value == 0.5
    # (18)^2 / (81 + 9) = 3.6 rows.
    assert found.high - found.low == pytest.approx(
        2 * 1.96 * (0.25 / 3.6 + 1.96**2 / 51.84) ** 0.5 / (1 + 1.96**2 / 3.6), abs=1e-3
    )


def test_estimate_share_of_the_whole_population_is_no_estimate() -> None:
    assert estimate_share(right(7, 20), population=20) == Estimate(0.35, 0.35, 0.35)


def test_estimate_share_from_a_small_population_is_narrower() -> None:
    half, endless = estimate_share(right(70, 200), population=399), estimate_share(right(70, 200))
    assert half == pytest.approx(estimate_share(right(140, 400)), abs=1e-9)
    assert half.high - half.low < endless.high - endless.low


def test_estimate_share_covers_with_weights() -> None:
    rng = np.random.default_rng(5)
    copies = rng.integers(1, 6, size=(500, 150))
    held = rng.random((500, 150)) < 0.8
    found = [estimate_share(is_right, weights=weights) for is_right, weights in zip(held, copies, strict=True)]
    covered = sum(each.low <= 0.8 <= each.high for each in found)
    assert covered >= 500 * 0.95 - 3 * (500 * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, np.nan]])
def test_estimate_share_with_wrong_weights_is_refused(weights: list[float]) -> None:
    with pytest.raises(BadInput, match="need as many weights"):
        estimate_share(right(1, 2), weights=weights)


@pytest.mark.parametrize(
    ("held", "options"),
    [
        (right(1, 2), {"population": 1}),
        (right(0, 0), {"population": 0}),
        (right(1, 2), {"confidence": 1.0}),
        (np.ones((2, 2), bool), {}),
    ],
)
def test_estimate_share_of_what_gives_none_is_refused(held: np.ndarray, options: dict) -> None:
    with pytest.raises(BadInput):
        estimate_share(held, **options)


def test_combine_strata_of_one_is_itself() -> None:
    one = estimate_share(right(7, 20))
    assert combine_strata([Stratum(1.0, one)]) == pytest.approx(one)


def test_combine_strata_leaves_room_for_what_nobody_measured() -> None:
    found = combine_strata([Stratum(0.75, Estimate(0.8, 0.8, 0.8)), Stratum(0.25, NOTHING)])
    assert found == (None, pytest.approx(0.6), pytest.approx(0.85))


def test_combine_strata_covers() -> None:
    rng = np.random.default_rng(6)
    shares, true = (0.7, 0.3), (0.95, 0.6)

    def draw() -> Estimate:
        parts = zip(shares, true, strict=True)
        return combine_strata([Stratum(share, estimate_share(rng.random(80) < right)) for share, right in parts])

    found = [draw() for _ in range(500)]
    covered = sum(each.low <= 0.845 <= each.high for each in found)
    assert covered >= 500 * 0.95 - 3 * (500 * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize("shares", [[], [0.5], [1.5, -0.5]])
def test_combine_strata_with_wrong_shares_is_refused(shares: list[float]) -> None:
    with pytest.raises(BadInput):
        combine_strata([Stratum(share, NOTHING) for share in shares])
