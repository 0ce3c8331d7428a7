"""How large a share of wrong rows can be, from the wrong ones among random rows: exact, and valid at every look."""

import math
from typing import Final, overload

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv, betaln

from annotator_core.errors import BadInput

Shares = npt.NDArray[np.float64]
"""Shares 0 to 1 as float64."""
Counts = npt.ArrayLike
"""Numbers of rows: an int or an integer array of any shape."""

_PRIOR: Final = (0.5, 10.0)
"""The mixture of `running_upper`, Beta(1/2, 10): most of its weight on error rates under 15%. Chosen."""
_STEPS: Final = 60
"""Halvings until the bound's last digit stands: 2^-60. Chosen."""


@overload
def exact_upper(wrong: int, rows: int, *, confidence: float) -> float: ...
@overload
def exact_upper(wrong: Counts, rows: Counts, *, confidence: float) -> Shares: ...
def exact_upper(wrong: Counts, rows: Counts, *, confidence: float) -> Shares | float:
    """Return the one-sided Clopper-Pearson upper bound, 0 to 1, on the share of wrong rows; 1 where all or none are.

    wrong, rows (...): ints, or arrays of equal shape; of `rows` random rows `wrong` are wrong. The bound is at least
    the true share with at least `confidence`, whatever that is: rows drawn without replacement only make it safer
    (Hoeffding 1963, section 6). Raises BadInput for counts that are no counts or a confidence outside 0 to 1.

    Source: Clopper and Pearson (1934), Biometrika 26, 404.

    >>> round(exact_upper(0, 59, confidence=0.95), 4)
    0.0495
    """
    x, n = _check(wrong, rows, confidence)
    bound = np.where(x < n, betaincinv(x + 1.0, np.maximum(n - x, 1.0), confidence), 1.0)
    return _unwrap(bound)


@overload
def exact_lower(wrong: int, rows: int, *, confidence: float) -> float: ...
@overload
def exact_lower(wrong: Counts, rows: Counts, *, confidence: float) -> Shares: ...
def exact_lower(wrong: Counts, rows: Counts, *, confidence: float) -> Shares | float:
    """Return the one-sided Clopper-Pearson lower bound, 0 to 1, on the share of wrong rows; 0 where none is wrong.

    Shapes, errors and source as of `exact_upper`.
    """
    x, n = _check(wrong, rows, confidence)
    bound = np.where(x > 0, betaincinv(np.maximum(x, 1.0), n - x + 1.0, 1.0 - confidence), 0.0)
    return _unwrap(bound)


def tail_below(wrong: Counts, rows: Counts, share: float) -> Shares:
    """Return P(at most `wrong` of `rows` are wrong), 0 to 1, where each is wrong with probability `share`, 0 to 1.

    wrong, rows (...): ints, or arrays whose shapes go together; so does the result. Source: the binomial distribution
    as an incomplete beta function, NIST Digital Library of Mathematical Functions, 8.17.5.
    """
    x, n = np.broadcast_arrays(np.asarray(wrong, np.float64), np.asarray(rows, np.float64))
    return np.where(
        x < 0, 0.0, np.where(x >= n, 1.0, betainc(np.maximum(n - x, 1e-9), np.maximum(x, 0) + 1.0, 1.0 - share))
    )


@overload
def running_upper(wrong: int, rows: int, *, confidence: float) -> float: ...
@overload
def running_upper(wrong: Counts, rows: Counts, *, confidence: float) -> Shares: ...
def running_upper(wrong: Counts, rows: Counts, *, confidence: float) -> Shares | float:
    """Return a time-uniform upper bound, 0 to 1, on the share of wrong rows: people may look after every row.

    Shapes and errors as of `exact_upper`. With at least `confidence` the bounds after 1, 2, 3 ... rows are **all** at
    least the true share. It is the upper end of the beta-binomial confidence sequence: every share p with
    integral q^x (1-q)^(n-x) dBeta(q; 1/2, 10) < p^x (1-p)^(n-x) / (1 - confidence). Under the true p the left side over
    p^x (1-p)^(n-x) is a martingale that starts at 1, so by Ville's inequality it ever reaches 1 / (1 - confidence) with
    probability 1 - confidence at most.

    Source: Robbins (1970), Ann. Math. Stat. 41, 1397; Howard, Ramdas, McAuliffe and Sekhon (2021), Ann. Stat. 49, 1055.

    >>> round(running_upper(0, 100, confidence=0.95), 4)
    0.0412
    """
    x, n = _check(wrong, rows, confidence)
    prior = betaln(_PRIOR[0] + x, _PRIOR[1] + n - x) - betaln(*_PRIOR) + math.log(1.0 - confidence)
    low, high = np.where(n > 0, x / np.maximum(n, 1), 1.0), np.ones_like(n)
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        with np.errstate(divide="ignore", invalid="ignore"):
            likelihood = np.where(x > 0, x * np.log(middle), 0.0) + np.where(n > x, (n - x) * np.log1p(-middle), 0.0)
        is_inside = prior < likelihood
        low, high = np.where(is_inside, middle, low), np.where(is_inside, high, middle)
    return _unwrap(high)


def _check(wrong: Counts, rows: Counts, confidence: float) -> tuple[Shares, Shares]:
    if not 0.0 < confidence < 1.0:
        raise BadInput(f"The confidence must lie between 0 and 1, not {confidence}.")
    x, n = np.asarray(wrong, np.float64), np.asarray(rows, np.float64)
    if x.shape != n.shape or (x < 0).any() or (x > n).any():
        raise BadInput("Of each number of rows between none and all can be wrong: the two do not fit each other.")
    return x, n


def _unwrap(bound: Shares) -> Shares | float:
    return float(bound) if np.ndim(bound) == 0 else bound
