"""Calibration: temperatures that are known, steps by hand, bins by hand."""

import json

import numpy as np
import pytest

from annotator_core.consensus.calibration import (
    COLDEST,
    HOTTEST,
    NO_CALIBRATION,
    Calibrated,
    Calibration,
    choose_calibration,
    expected_error,
    find_losses,
    fit_isotonic,
    fit_temperature,
    reliability,
)
from annotator_core.consensus.opinion import pick_classes
from annotator_core.consensus.table import fit_aggregator, restore
from annotator_core.errors import BadInput
from tests.annotator_core.consensus.made import make_votes


def _draw(n, temperature, seed=0):
    """Probabilities stated at a temperature, and gold drawn from what they are at temperature 1."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 3)) * 2
    true, stated = (np.exp(logits / heat) for heat in (1.0, 1.0 / temperature))
    true /= true.sum(axis=1, keepdims=True)
    gold = (true.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    return (stated / stated.sum(axis=1, keepdims=True)).astype(np.float32), gold


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found(temperature):
    assert fit_temperature(*_draw(20_000, temperature)) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize(("right", "bound"), [(True, COLDEST), (False, HOTTEST)])
def test_a_temperature_stays_in_bounds(right, bound):
    probs = np.tile(np.array([[0.7, 0.3]], dtype=np.float32), (9, 1))
    assert fit_temperature(probs, np.full(9, 0 if right else 1)) == bound


def test_no_votes_leave_the_temperature_at_one():
    assert fit_temperature(np.full((3, 2), np.nan, dtype=np.float32), np.zeros(3, dtype=int)) == 1.0


def test_isotonic_steps_by_hand():
    probs = np.array([[0.6, 0.4], [0.7, 0.3], [0.8, 0.2], [0.9, 0.1]], dtype=np.float32)
    knots = fit_isotonic(probs, np.array([0, 1, 1, 0]))
    assert knots == pytest.approx(np.array([[0.6, 0.7, 0.8, 0.9], [1 / 3, 1 / 3, 1 / 3, 5 / 6]]))


def test_isotonic_needs_a_vote():
    with pytest.raises(BadInput, match="nothing to calibrate on"):
        fit_isotonic(np.full((3, 2), np.nan, dtype=np.float32), np.zeros(3, dtype=int))


@pytest.mark.parametrize("method", ["none", "temperature", "isotonic"])
def test_a_calibrated_row_keeps_its_class_and_sums_to_one(method):
    probs, _gold = _draw(500, 3.0)
    probs[7] = np.nan
    corrected = Calibration(method, 2.5, np.array([[0.3, 0.9], [0.1, 0.8]])).apply(probs)
    assert np.array_equal(pick_classes(corrected), pick_classes(probs))
    assert np.allclose(np.delete(corrected, 7, axis=0).sum(axis=1), 1, atol=1e-5)


def test_isotonic_keeps_the_order_of_two_classes():
    top = np.linspace(0.5, 1, 50, dtype=np.float32)
    corrected = Calibration("isotonic", 1.0, np.array([[0.5, 1.0], [0.7, 0.7]])).apply(np.stack([top, 1 - top], axis=1))
    assert (np.diff(corrected[:-1, 0]) > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_choice_by_cross_validation_never_loses_much_and_mends_what_is_too_sure(seed):
    probs, gold = _draw(400, 4.0, seed)
    calibration, loss = choose_calibration(probs, gold, np.arange(400) % 5)
    fresh, fresh_gold = _draw(5000, 4.0, seed + 100)
    assert calibration.method != "none"
    assert find_losses(calibration.apply(fresh), fresh_gold).mean() < find_losses(fresh, fresh_gold).mean() - 0.1
    assert loss == pytest.approx(find_losses(calibration.apply(fresh), fresh_gold).mean(), abs=0.1)


def test_losses_by_hand():
    probs = np.array([[0.25, 0.75], [1, 0], [np.nan, np.nan]], dtype=np.float32)
    assert find_losses(probs, np.array([0, 1, 1])) == pytest.approx([np.log(4), -np.log(1e-6), np.log(2)])


def test_bins_and_their_error_by_hand():
    probs = np.array([[0.95, 0.05], [0.91, 0.09], [0.6, 0.4], [np.nan, np.nan]], dtype=np.float32)
    gold = np.array([0, 1, 0, 0])
    low, high = reliability(probs, gold)
    # 0.6 as a float32 is a little more than 0.6.
    assert (low.low, low.high, low.rows, low.confidence, low.accuracy) == (0.6, 0.7, 1, pytest.approx(0.6), 1.0)
    assert (high.low, high.high) == (0.9, 1.0)
    assert (high.rows, high.confidence, high.accuracy) == (2, pytest.approx(0.93), 0.5)
    assert expected_error(probs, gold) == pytest.approx((2 * 0.43 + 0.4) / 3)


def test_bins_of_nothing_hold_nothing():
    nothing = np.full((2, 3), np.nan, dtype=np.float32)
    assert (reliability(nothing, np.zeros(2, dtype=int)), expected_error(nothing, np.zeros(2, dtype=int))) == ((), 0.0)


@pytest.mark.parametrize(
    "calibration",
    [
        NO_CALIBRATION,
        Calibration("temperature", 1.75, np.empty((2, 0))),
        Calibration("isotonic", 1.0, np.array([[0.4, 0.9], [0.5, 0.7]])),
    ],
)
def test_a_calibrated_state_comes_back(calibration):
    ballots, gold = make_votes()
    fitted = Calibrated(fit_aggregator("stacker", ballots, gold), calibration)
    back = restore(json.loads(json.dumps(fitted.to_state())))
    assert back.predict(ballots).tobytes() == fitted.predict(ballots).tobytes()
    assert back.name == "stacker"


@pytest.mark.parametrize(
    "calibration",
    [
        None,
        {"method": "magic"},
        {"method": "temperature", "temperature": 0.0, "knots": []},
        {"method": "isotonic", "temperature": 1.0, "knots": [[], []]},
        {"method": "isotonic", "temperature": 1.0, "knots": [[0.5, 0.6], [0.5]]},
    ],
)
def test_a_garbled_calibration_is_refused(calibration):
    inner = fit_aggregator("majority", *make_votes()).to_state()
    with pytest.raises(BadInput, match="stored aggregator"):
        restore({"name": "majority", "inner": inner, "calibration": calibration})
