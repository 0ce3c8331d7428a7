"""Shares of right rows with their intervals, as an audit measures them: plain, weighted by copies, and by strata."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from annotator_core.arrays import BoolArray
from annotator_core.errors import BadInput


class Estimate(NamedTuple):
    """A share 0 to 1 with its two-sided interval; value None and the interval 0 to 1 where nothing was measured."""

    value: float | None
    low: float
    high: float


class Stratum(NamedTuple):
    """A part of the data set: its share of all rows, 0 to 1, and what was measured in it."""

    share: float
    estimate: Estimate


def estimate_share(
    is_right: BoolArray,
    *,
    weights: npt.ArrayLike | None = None,
    population: int | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the share of right rows and its Wilson interval, from n rows drawn at random.

    is_right (n,). weights (n,): above 0, such as the copies of a text, or 1 / inclusion probability; the share is the
    weighted one, and its interval that of (sum w)^2 / sum w^2 rows. population: the number of texts that the n were
    drawn from without putting back, at least n; the interval closes as n comes near it. Raises BadInput for other
    lengths, weights or populations, or a confidence outside 0 to 1.

    Source: Wilson (1927), JASA 22, 209; effective rows: Kish (1965), Survey Sampling, section 11.7; finite population:
    Cochran (1977), Sampling Techniques, section 2.6, as n (N - 1) / (N - n) rows.

    >>> import numpy as np
    >>> [round(number, 3) for number in estimate_share(np.arange(10) < 8)]
    [0.8, 0.49, 0.943]
    """
    held = np.asarray(is_right, np.bool_)
    weight = _weigh(weights, held)
    _check(held, population, confidence)
    if not len(held):
        return Estimate(None, 0.0, 1.0)
    value = float(weight[held].sum() / weight.sum())
    rows = float(weight.sum() ** 2 / (weight**2).sum())
    if population is not None:
        if population == len(held):
            return Estimate(value, value, value)
        rows *= (population - 1) / (population - len(held))
    return Estimate(value, *_wilson(value, rows, confidence))


def combine_strata(strata: Sequence[Stratum]) -> Estimate:
    """Return the share of right rows over all strata, with an interval of the strata's own confidence.

    Shares add to 1. A stratum that nothing measured takes the value away and leaves an interval that allows for
    anything in it; who takes it as right says so with Estimate(1, 1, 1). Raises BadInput for shares that do not add up.

    Source: Zou and Donner (2008), Statistics in Medicine 27, 1693 (the variance is recovered from each interval).

    >>> combine_strata([Stratum(0.5, Estimate(1.0, 1.0, 1.0)), Stratum(0.5, Estimate(0.8, 0.6, 0.9))])
    Estimate(value=0.9, low=0.8, high=0.95)
    """
    if not strata or min(stratum.share for stratum in strata) < 0.0:
        raise BadInput("There must be at least one stratum, and none with a share below 0.")
    if not math.isclose(sum(stratum.share for stratum in strata), 1.0, abs_tol=1e-6):
        raise BadInput("The shares of the strata must add to 1.")
    known = [(stratum.share, stratum.estimate) for stratum in strata if stratum.estimate.value is not None]
    unknown = sum(stratum.share for stratum in strata if stratum.estimate.value is None)
    value = sum(share * (found.value or 0.0) for share, found in known)
    below = math.hypot(*(share * ((found.value or 0.0) - found.low) for share, found in known))
    above = math.hypot(*(share * (found.high - (found.value or 0.0)) for share, found in known))
    low, high = max(value - below, 0.0), min(value + above + unknown, 1.0)
    return Estimate(None if unknown > 0.0 else value, low, high)


def _weigh(weights: npt.ArrayLike | None, is_right: BoolArray) -> npt.NDArray[np.float64]:
    if weights is None:
        return np.ones(len(is_right))
    weight = np.asarray(weights, np.float64)
    if weight.shape != is_right.shape or not (np.isfinite(weight).all() and (weight > 0.0).all()):
        raise BadInput(f"{len(is_right)} rows need as many weights, each above 0.")
    return weight


def _check(is_right: BoolArray, population: int | None, confidence: float) -> None:
    if is_right.ndim != 1 or not 0.0 < confidence < 1.0:
        raise BadInput(f"Answers of shape {is_right.shape} and confidence {confidence} give no share.")
    if population is not None and population < max(len(is_right), 1):
        raise BadInput(f"{len(is_right)} rows cannot be drawn from {population}.")


def _wilson(value: float, rows: float, confidence: float) -> tuple[float, float]:
    z = float(ndtri((1.0 + confidence) / 2.0))
    middle = (value + z * z / (2.0 * rows)) / (1.0 + z * z / rows)
    spread = z * math.sqrt(value * (1.0 - value) / rows + z * z / (4.0 * rows * rows)) / (1.0 + z * z / rows)
    return max(middle - spread, 0.0), min(middle + spread, 1.0)
