"""Certificates: walks by hand, ties and gaps, what is needed, and the promise itself on hard cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator_core.contract.bounds import exact_upper, running_upper
from annotator_core.contract.certify import FIXED_GRID, certify, certify_classes, confidence_at, explain
from annotator_core.contract.plan import rows_needed
from annotator_core.contract.simulate import allowed_violations
from annotator_core.errors import BadInput


def falling(n: int, dtype: type = np.float64) -> np.ndarray:
    return np.linspace(1, 0, n, dtype=dtype)


def test_certify_takes_all_where_nothing_is_wrong() -> None:
    found = certify(falling(100), np.ones(100, bool), target_error=0.05)
    assert (found.threshold, found.accepted_share, found.rows_accepted, found.why) == (0.0, 1.0, 100, "reached")
    # Two walks share the risk.
    assert found.error_bound == exact_upper(0, 100, confidence=0.975)


def test_certify_stops_at_the_candidate_before_the_wrong_ones() -> None:
    # 72 rows are the first set at 97.5% (0.95^72 = 0.0249); candidates are 10 rows apart: 72, 82, ... 132, 142.
    found = certify(falling(200), np.arange(200) < 135, target_error=0.05)
    assert (found.rows_accepted, found.rows_used, found.accepted_share) == (132, 200, 0.66)
    assert falling(200)[132] < found.threshold <= falling(200)[131]


def test_certify_walk_ends_at_the_first_set_that_fails() -> None:
    # The first 72 hold two wrong rows: the small walk ends there; 3 x 72 = 216 rows, the large start, hold two of 220.
    is_right = np.ones(400, bool)
    is_right[[10, 20]] = False
    found = certify(falling(400), is_right, target_error=0.05)
    assert found.rows_accepted == 400
    is_right[[100, 110, 120, 130, 140, 150, 160, 170]] = False
    assert certify(falling(400), is_right, target_error=0.05).threshold is None


def test_certify_never_jumps_over_a_set_that_fails() -> None:
    # 10 wrong rows from the 101st on: sets of 122 and 222 rows fail, all 1,000 rows alone would pass.
    is_right = ~np.isin(np.arange(1_000), range(100, 140, 4))
    assert exact_upper(10, 1_000, confidence=0.975) < 0.05
    assert certify(falling(1_000), is_right, target_error=0.05).rows_accepted == 72


def test_certify_needs_its_least_rows() -> None:
    assert certify(falling(71), np.ones(71, bool), target_error=0.05).threshold is None
    assert certify(falling(72), np.ones(72, bool), target_error=0.05).rows_accepted == 72


def test_certify_of_no_rows_asks_for_what_labels_without_a_wrong_one_take() -> None:
    found = certify(np.empty(0), np.empty(0, bool), target_error=0.05)
    assert (found.threshold, found.rows_used, found.accepted_share, found.rows_needed) == (None, 0, None, 72)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_certify_threshold_can_be_compared_in_the_width_of_the_scores(dtype: type) -> None:
    scores = falling(200, dtype)
    found = certify(scores, np.arange(200) < 135, target_error=0.05)
    assert (scores >= found.threshold).sum() == (scores > found.threshold).sum() + 0 == found.rows_accepted
    assert (scores.astype(np.float64) >= found.threshold).sum() == found.rows_accepted


def test_certify_keeps_equal_scores_together() -> None:
    # As of three voters: 150 unanimous rows, one of them wrong, then 50 split ones, 20 wrong.
    scores, is_right = np.repeat([1.0, 1 / 3], [150, 50]), np.ones(200, bool)
    is_right[[3, *range(150, 170)]] = False
    found = certify(scores, is_right, target_error=0.05)
    assert (found.rows_accepted, found.threshold > 1 / 3, found.threshold <= 1.0) == (150, True, True)


def test_certify_never_accepts_rows_that_nobody_voted_on() -> None:
    scores, is_right = np.append(falling(100), np.full(20, np.nan)), np.arange(120) < 100
    found = certify(scores, is_right, target_error=0.05)
    assert (found.rows_accepted, found.rows_used, found.accepted_share) == (100, 120, pytest.approx(100 / 120))


def test_certify_says_how_many_more_rows_would_do() -> None:
    # 20 rows, none wrong: at 97.5% it takes 72, 52 more.
    found = certify(falling(20), np.ones(20, bool), target_error=0.05)
    assert (found.why, found.rows_needed) == ("too_few_rows", rows_needed(0.05, 0.0, confidence=0.975) - 20)
    assert explain(found) == (
        "Not reachable yet: at most 5.0% wrong with 95% confidence needs at least 52 more certifying texts at the "
        "error seen in the 20 there are."
    )


def test_certify_asks_for_rows_of_the_set_that_is_good_though_it_is_too_small() -> None:
    # At 1% it takes 368 rows without a wrong one; the surest 100 of 300 hold none, the others many.
    found = certify(falling(300), np.arange(300) < 100, target_error=0.01)
    # Candidates are 15 rows apart: 20, 35, ... 95 rows without a wrong one.
    assert (found.why, found.rows_needed) == ("too_few_rows", -(-368 * 300 // 95) - 300)


@pytest.mark.parametrize(("rows", "most"), [(40, 0.25), (200, 0.15)])
def test_certify_seldom_names_a_number_where_none_would_do(rows: int, most: float) -> None:
    # A tenth is wrong whatever the score. The seen error of the best of all sets from 20 rows on would name a number
    # in 36 and 28 of 100 refusals.
    rng = np.random.default_rng(0)
    found = [certify(rng.random(rows), rng.random(rows) >= 0.1, target_error=0.05) for _ in range(400)]
    assert not any(one.is_reached for one in found)
    assert np.mean([one.rows_needed is not None for one in found]) <= most


def test_certify_asks_no_rows_of_a_set_that_is_good_by_chance() -> None:
    # The surest 20 of 200 hold no wrong row, which of 8% wrong ones is seen in one set of five; all others hold enough.
    is_right = np.arange(200) % 10 != 5
    is_right[:20] = True
    assert exact_upper(0, 20, confidence=0.75) > 0.05
    assert certify(falling(200), is_right, target_error=0.05).rows_needed is None
    # 40 sure rows are shown to be better than the target, though 72 are the least that can be tested.
    is_right[:40] = True
    assert certify(falling(200), is_right, target_error=0.05).rows_needed == 72 * 200 // 40 - 200


def test_certify_says_where_no_number_of_rows_would_do() -> None:
    found = certify(falling(300), np.arange(300) % 5 > 0, target_error=0.05)
    assert (found.why, found.rows_needed) == ("too_many_errors", None)
    assert explain(found).startswith("Not reachable: at most 5.0% wrong")


def test_explain_of_a_reached_certificate_names_its_rows() -> None:
    found = certify(falling(100), np.ones(100, bool), target_error=0.05)
    assert explain(found) == (
        "Texts that score 0.0 or more may be accepted: at most 5.0% wrong with 95% confidence, by 100 of 100 "
        "certifying texts (100.0%)."
    )


def test_certify_on_a_grid_accepts_from_one_of_its_thresholds() -> None:
    found = certify(falling(200), np.arange(200) < 150, target_error=0.1, grid=(0.6, 0.5, 0.4, 0.3, 0.1))
    # Four walks; 0.3 holds 140 rows, all right, 0.1 holds 180, 30 of them wrong.
    assert (found.threshold, found.rows_accepted) == (0.3, 140)
    assert found.error_bound == exact_upper(0, 140, confidence=1 - 0.05 / 4)


def test_certify_at_every_look_uses_the_running_bound_on_a_fixed_grid() -> None:
    found = certify(falling(400), np.ones(400, bool), target_error=0.05, always_valid=True)
    assert (found.threshold, found.rows_accepted) == (FIXED_GRID[-1], 400)
    assert found.error_bound == running_upper(0, 400, confidence=1 - 0.05 / 4)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_permuting_rows_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, order = rng.integers(0, 40, 150) / 40, rng.permutation(150)
    is_right = rng.random(150) < 0.9 + scores / 10
    assert certify(scores, is_right, target_error=0.1) == certify(scores[order], is_right[order], target_error=0.1)


def test_certify_classes_holds_each_class_to_its_share_of_the_risk() -> None:
    scores, classes = np.tile(falling(200), 2), np.repeat([0, 1], 200)
    is_right = np.append(np.ones(200, bool), np.arange(200) % 4 > 0)
    first, second = certify_classes(scores, is_right, classes, n_classes=2, target_error=0.05)
    assert first == certify(falling(200), np.ones(200, bool), target_error=0.05, confidence=0.975)
    assert (second.threshold, second.why) == (None, "too_many_errors")


@pytest.mark.parametrize(("labels", "n_classes"), [([0], 2), ([0, 1], 0)])
def test_certify_classes_that_do_not_fit_are_refused(labels: list[int], n_classes: int) -> None:
    with pytest.raises(BadInput, match="do not fit 2 scores"):
        certify_classes(falling(2), np.ones(2, bool), np.array(labels), n_classes=n_classes, target_error=0.05)


def test_certify_classes_refuses_answers_of_another_length() -> None:
    with pytest.raises(BadInput, match="do not fit answers of shape"):
        certify_classes(falling(2), np.ones(3, bool), np.array([0, 1]), n_classes=2, target_error=0.05)


@pytest.mark.parametrize(
    ("scores", "options"),
    [
        ([0.5], {}),
        ([[0.5, 0.5]], {}),
        ([0.5, -0.1], {}),
        ([0.5, np.inf], {}),
        ([0.5, 0.5], {"target_error": 0.0}),
        ([0.5, 0.5], {"confidence": 1.0}),
        ([0.5, 0.5], {"grid": []}),
        ([0.5, 0.5], {"grid": [0.1, 0.2]}),
        ([0.5, 0.5], {"grid": [np.nan]}),
    ],
)
def test_certify_of_what_cannot_be_judged_is_refused(scores: list[float], options: dict) -> None:
    with pytest.raises(BadInput):
        certify(np.array(scores), np.ones(2, bool), **{"target_error": 0.05} | options)


def test_confidence_at_shares_the_risk_among_all_looks() -> None:
    risks = [1 - confidence_at(look, 0.9) for look in range(1, 20_001)]
    assert sum(risks) == pytest.approx(0.1, abs=1e-5)
    assert risks[1] == pytest.approx(risks[0] / 4)


@pytest.mark.parametrize(("look", "confidence"), [(0, 0.95), (1, 1.0)])
def test_confidence_at_no_look_is_refused(look: int, confidence: float) -> None:
    with pytest.raises(BadInput, match="looks count from 1"):
        confidence_at(look, confidence)


def draw_curve(error, rng: np.random.Generator, rows: int):
    scores = rng.random(rows)
    return scores, rng.random(rows) >= error(scores)


def draw_groups(groups, rng: np.random.Generator, rows: int):
    values, shares, errors = (np.array(column) for column in zip(*groups, strict=True))
    drawn = rng.choice(len(values), rows, p=shares)
    return values[drawn], rng.random(rows) >= errors[drawn]


CURVES = {
    "just too bad everywhere": lambda scores: np.full_like(scores, 0.0505),
    "a cliff behind good rows": lambda scores: np.where(scores > 0.7, 0.045, 0.2),
    "surest rows worst": lambda scores: np.where(scores > 0.9, 0.08, 0.049),
    "waves over the target": lambda scores: 0.054 + 0.05 * np.sin(40 * scores),
}
GROUPS = {
    "one value for all": [(1.0, 1.0, 0.0505)],
    "three voters": [(1.0, 0.7, 0.0505), (1 / 3, 0.3, 0.3)],
    "best group in the middle": [(1.0, 0.2, 0.06), (0.5, 0.1, 0.0), (0.2, 0.7, 0.07)],
    "a small bad group above a good one": [(1.0, 0.19, 0.06), (0.5, 0.3, 0.0445), (0.2, 0.51, 0.2)],
}
CASES = [(draw_curve, name, curve) for name, curve in CURVES.items()]
CASES += [(draw_groups, name, groups) for name, groups in GROUPS.items()]


@pytest.mark.parametrize(("draw", "name", "truth"), CASES, ids=[case[1] for case in CASES])
def test_certify_keeps_its_promise_however_error_and_score_go_together(draw, name: str, truth) -> None:
    rng = np.random.default_rng(11)
    all_scores, all_right = draw(truth, rng, 400_000)
    violations = 0
    for _ in range(150):
        found = certify(*draw(truth, rng, 240), target_error=0.05)
        violations += found.is_reached and (~all_right[all_scores >= found.threshold]).mean() > 0.05
    assert violations <= allowed_violations(150)
