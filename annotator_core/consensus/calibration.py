"""Probabilities that mean what they say: temperature or isotonic calibration, and how far a stated one is from true.

Source: Guo et al. (2017), On Calibration of Modern Neural Networks, sections 2 (reliability, ECE) and 4.2
(temperature); Zadrozny and Elkan (2002) for isotonic regression, here on the top class alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, Fitted, State, read_numbers
from annotator_core.consensus.opinion import Doubles, has_voted, normalise, opinion, pick_classes, take_logs
from annotator_core.errors import BadInput

Method = Literal["none", "temperature", "isotonic"]

COLDEST: Final = 0.25
HOTTEST: Final = 20.0
"""Bounds of a temperature: a few rows that are all right, or all wrong, would lead to 0 or infinity; chosen."""
_RISE: Final = 1e-3
"""How much of the stated probability stays in an isotonic one, so that its steps keep the order of rows; chosen."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How probabilities are corrected.

    temperature: what log-probabilities are divided by, 1 for the other methods. knots (2, t): stated and corrected
    probability of the top class in rising order, empty (2, 0) for the other methods.
    """

    method: Method
    temperature: float
    knots: Doubles

    def apply(self, probs: FloatArray) -> FloatArray:
        """Return corrected probabilities (n, k); NaN rows stay, and so does each row's class."""
        if self.method == "temperature":
            return _heat(probs, self.temperature)
        return _step(probs, self.knots) if self.method == "isotonic" else probs


NO_CALIBRATION: Final = Calibration("none", 1.0, np.empty((2, 0)))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A fitted aggregator whose probabilities are corrected."""

    inner: Fitted
    calibration: Calibration

    @property
    def name(self) -> str:
        """The aggregator's own name."""
        return self.inner.name

    def predict(self, ballots: Ballots) -> FloatArray:
        """Return corrected class probabilities (n, k), NaN rows where nobody voted; raise BadInput as inner does."""
        return self.calibration.apply(self.inner.predict(ballots))

    def to_state(self) -> State:
        """Return what `restore_calibrated` needs."""
        calibration = {
            "method": self.calibration.method,
            "temperature": self.calibration.temperature,
            "knots": self.calibration.knots.tolist(),
        }
        return {"name": self.name, "inner": self.inner.to_state(), "calibration": calibration}


def restore_calibrated(state: State, inner: Fitted) -> Calibrated:
    """Return what gave this state around its restored inner aggregator; raise BadInput for a garbled one."""
    stored = state.get("calibration")
    if not isinstance(stored, dict) or stored.get("method") not in ("none", "temperature", "isotonic"):
        raise BadInput("The stored aggregator's calibration has no known method: fit it anew.")
    if stored["method"] != "isotonic":
        temperature = float(read_numbers(stored, "temperature"))
        if not COLDEST <= temperature <= HOTTEST:
            raise BadInput(f"The stored aggregator's temperature is {temperature}: fit it anew.")
        return Calibrated(inner, Calibration(stored["method"], temperature, np.empty((2, 0))))
    rows = stored.get("knots")
    n_knots = len(rows[0]) if isinstance(rows, list) and rows and isinstance(rows[0], list) else 0
    if not n_knots:
        raise BadInput("The stored aggregator's isotonic calibration has no steps: fit it anew.")
    return Calibrated(inner, Calibration("isotonic", 1.0, read_numbers(stored, "knots", 2, n_knots)))


def fit_temperature(probs: FloatArray, gold: IntArray) -> float:
    """Return the temperature of the lowest log-loss for probs (n, k) and gold classes (n,), 0.25 to 20.

    Over 1 means that the probabilities were too sure. Rows that are NaN are left out; without rows it is 1.
    """
    from scipy.optimize import brentq

    voted = has_voted(probs)
    logs, truths = take_logs(probs[voted]), gold[voted]
    if not len(truths):
        return 1.0
    meant = logs[np.arange(len(truths)), truths].mean()

    def slope(coolness: float) -> float:
        powers = np.exp(coolness * (logs - logs.max(axis=1, keepdims=True)))
        return float(((powers / powers.sum(axis=1, keepdims=True)) * logs).sum(axis=1).mean() - meant)

    low, high = 1.0 / HOTTEST, 1.0 / COLDEST
    if slope(low) >= 0.0:
        return HOTTEST
    return COLDEST if slope(high) <= 0.0 else float(1.0 / brentq(slope, low, high, xtol=1e-12))


def fit_isotonic(probs: FloatArray, gold: IntArray) -> Doubles:
    """Return the knots (2, t) of the share that is right, rising with the stated probability of the top class.

    probs (n, k) and gold classes (n,); rows that are NaN are left out. Shares stay between 1 / (n + 2) and 1 minus
    that. Raises BadInput without rows.
    """
    from scipy.optimize import isotonic_regression

    formed = opinion(probs)
    voted = has_voted(probs)
    stated, n_rows = formed.top[voted].astype(np.float64), int(voted.sum())
    if not n_rows:
        raise BadInput("No row with gold has a vote: there is nothing to calibrate on.")
    right = (formed.classes == gold)[voted].astype(np.float64)
    tops, places, sizes = np.unique(stated, return_inverse=True, return_counts=True)
    shares = np.bincount(places, right) / sizes
    risen = isotonic_regression(shares, weights=sizes.astype(np.float64)).x
    return np.stack([tops, np.clip(risen, 1.0 / (n_rows + 2), 1.0 - 1.0 / (n_rows + 2))])


def choose_calibration(probs: FloatArray, gold: IntArray, fold: IntArray) -> tuple[Calibration, float]:
    """Return the calibration of the lowest log-loss on rows that it has not seen, fitted on all, and that loss in nats.

    probs (n, k) must be out of sample; gold (n,) are classes, fold (n,) says which rows are left out together. Of
    equals the simplest is taken.
    """
    losses = [_cross_loss(method, probs, gold, fold) for method in _FITS]
    best = int(np.argmin(losses))
    return _FITS[best](probs, gold), losses[best]


def find_losses(probs: FloatArray, gold: IntArray) -> Doubles:
    """Return each row's log-loss (n,) in nats, floored at 1e-6: probs (n, k), gold classes (n,); NaN rows are even."""
    filled = np.where(has_voted(probs)[:, None], probs, 1.0 / max(probs.shape[1], 1))
    losses: Doubles = -take_logs(filled)[np.arange(len(gold)), gold]
    return losses


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose stated confidence lies above low, up to high: its mean, and the share that is right; all 0 to 1."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def reliability(probs: FloatArray, gold: IntArray, bins: int = 10) -> tuple[Bin, ...]:
    """Return the bins that hold rows, of equal width: probs (n, k), gold classes (n,); NaN rows are left out."""
    formed = opinion(probs)
    voted = has_voted(probs)
    stated, right = formed.top[voted].astype(np.float64), (formed.classes == gold)[voted]
    places = np.clip(np.ceil(stated * bins).astype(np.int64) - 1, 0, bins - 1)
    return tuple(
        Bin(
            index / bins,
            (index + 1) / bins,
            int(inside.sum()),
            float(stated[inside].mean()),
            float(right[inside].mean()),
        )
        for index in range(bins)
        if (inside := places == index).any()
    )


def expected_error(probs: FloatArray, gold: IntArray, bins: int = 10) -> float:
    """Return the expected calibration error, 0 to 1: the bins' distance of confidence and accuracy, by their rows.

    probs (n, k), gold classes (n,); NaN rows are left out. 0 without rows.
    """
    filled = reliability(probs, gold, bins)
    total = sum(held.rows for held in filled)
    return sum(held.rows * abs(held.confidence - held.accuracy) for held in filled) / total if total else 0.0


def _keep(_probs: FloatArray, _gold: IntArray) -> Calibration:
    return NO_CALIBRATION


def _fit_heat(probs: FloatArray, gold: IntArray) -> Calibration:
    return Calibration("temperature", fit_temperature(probs, gold), np.empty((2, 0)))


def _fit_steps(probs: FloatArray, gold: IntArray) -> Calibration:
    return Calibration("isotonic", 1.0, fit_isotonic(probs, gold)) if has_voted(probs).any() else NO_CALIBRATION


_FITS: Final = (_keep, _fit_heat, _fit_steps)


def _cross_loss(
    fit: Callable[[FloatArray, IntArray], Calibration], probs: FloatArray, gold: IntArray, fold: IntArray
) -> float:
    losses = np.zeros(len(gold))
    for index in np.unique(fold):
        held = fold == index
        calibration = fit(probs[~held], gold[~held])
        losses[held] = find_losses(calibration.apply(probs[held]), gold[held])
    return float(losses.mean())


def _heat(probs: FloatArray, temperature: float) -> FloatArray:
    return normalise(take_logs(np.nan_to_num(probs)) / temperature, has_voted(probs))


def _step(probs: FloatArray, knots: Doubles) -> FloatArray:
    """Return probabilities whose top one is corrected and the others share the rest as before; the top one stays it."""
    voted, rows = has_voted(probs), np.arange(len(probs))
    filled = np.where(voted[:, None], probs, 1.0 / probs.shape[1]).astype(np.float64)
    winner = np.maximum(pick_classes(probs), 0)
    top = filled[rows, winner]
    filled[rows, winner] = 0.0
    rest = filled.sum(axis=1)
    shares = np.divide(filled, rest[:, None], out=np.zeros_like(filled), where=rest[:, None] > 0)
    wanted = (1.0 - _RISE) * np.interp(top, knots[0], knots[1]) + _RISE * top
    # Below this the second class would come out on top.
    least = shares.max(axis=1) / (1.0 + shares.max(axis=1))
    corrected = np.where(rest > 0, np.maximum(wanted, least + _RISE * (1.0 - least) * top), 1.0)
    spread = shares * (1.0 - corrected)[:, None]
    spread[rows, winner] = corrected
    return np.where(voted[:, None], spread, np.nan).astype(np.float32)
