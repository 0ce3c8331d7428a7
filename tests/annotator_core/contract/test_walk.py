"""How often a walk arrives: by hand where it is one test, and beside the share of simulated audits that arrive."""

import numpy as np
import pytest

from annotator_core.contract.bounds import exact_upper
from annotator_core.contract.certify import certify
from annotator_core.contract.walk import least_rows, most_wrong, rank_step, walk_power


def power(rows: int, *, target: float = 0.05, true: float = 0.02, share: float = 1.0, is_drawn: bool = False) -> float:
    return walk_power(rows, target_error=target, true_error=true, accepted_share=share, risk=0.025, is_drawn=is_drawn)


def simulate(rng: np.random.Generator, rows: int, target: float, true: float, share: float, is_drawn: bool) -> bool:
    """Whether one audit accepts what is hoped for: errors rise evenly inside the set, half is wrong outside."""
    n = int(rng.binomial(round(rows * 1.5), 2 / 3)) if is_drawn else rows
    scores = rng.random(n)
    is_right = rng.random(n) >= np.where(scores > 1 - share, 2 * true * (1 - scores) / share, 0.5)
    found = certify(scores, is_right, target_error=target)
    return found.rows_accepted >= (n if share == 1.0 else max(1, (share - 0.05) * n))


@pytest.mark.parametrize(
    ("rows", "target", "true", "share", "is_drawn"),
    [
        (312, 0.05, 0.02, 1.0, False),
        (419, 0.05, 0.02, 1.0, True),
        (300, 0.1, 0.05, 1.0, True),
        (624, 0.05, 0.02, 0.5, True),
        (1_500, 0.05, 0.02, 0.2, False),
    ],
)
def test_the_power_is_the_share_of_simulated_audits_that_arrive(rows, target, true, share, is_drawn) -> None:
    rng = np.random.default_rng(7)
    found = np.mean([simulate(rng, rows, target, true, share, is_drawn) for _ in range(500)])
    # Three standard deviations of 500 audits, and the rounding of random numbers of rows.
    assert power(rows, target=target, true=true, share=share, is_drawn=is_drawn) == pytest.approx(found, abs=0.08)


@pytest.mark.parametrize("rows", [72, 75, 90])
def test_a_walk_over_few_rows_is_one_test_of_all_of_them(rows: int) -> None:
    # Under 3 x 72 rows the second walk begins with all; none of up to 90 may be wrong: 1.0 - 0.975^(1/108) = 0.0335...
    assert most_wrong(rows, 0.05, 0.025) == 0
    assert power(rows, true=0.01) == pytest.approx(0.99**rows)


def test_no_walk_begins_under_the_least_rows() -> None:
    assert least_rows(0.05, 0.025) == 72
    assert (power(71, true=0.0), power(72, true=0.0)) == (0.0, pytest.approx(1.0))


def test_random_numbers_of_certifying_rows_cost_power_where_few_are_enough() -> None:
    # Of 108 texts 72 are expected to certify; in two fifths of the cases fewer do.
    assert power(72, true=0.0, is_drawn=True) == pytest.approx(0.6)


def test_most_wrong_is_the_largest_count_that_the_exact_bound_lets_pass() -> None:
    rows = np.arange(1, 400)
    found = most_wrong(rows, 0.05, 0.025)
    assert (found[:71] == -1).all()
    some = rows[found >= 0]
    assert (exact_upper(found[71:], some, confidence=0.975) <= 0.05).all()
    assert (exact_upper(found[71:] + 1, some, confidence=0.975) > 0.05).all()


@pytest.mark.parametrize(("rows", "step"), [(0, 1), (9, 1), (100, 5), (333, 17)])
def test_candidates_are_a_twentieth_apart(rows: int, step: int) -> None:
    assert rank_step(rows) == step
