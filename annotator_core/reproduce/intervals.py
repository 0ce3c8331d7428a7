"""Means with 95% intervals: over seeds where something was drawn, over rows where nothing was.

Source: Student (1908), Biometrika 6, 1, over seeds; Wilson (1927), JASA 22, 209, over rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt

import numpy as np
from scipy.stats import t

from annotator_core.contract.estimate import estimate_share


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with the bounds of its 95% interval, in the unit of what was averaged (shares, mostly); NaN for none."""

    value: float
    low: float
    high: float

    def tell(self, scale: float = 100.0, digits: int = 1) -> str:
        """Return it times scale as text, by default a share in percent: ``81.2 (80.1 to 82.3)``; a dash for NaN."""
        if isnan(self.value):
            return "-"
        shown = f"{self.value * scale:.{digits}f}"
        low, high = f"{self.low * scale:.{digits}f}", f"{self.high * scale:.{digits}f}"
        return shown if isnan(self.low) or low == high else f"{shown} ({low} to {high})"

    def tell_percent(self) -> str:
        """Return it as a percentage with its sign behind the figure: ``81.2% (80.1 to 82.3)``; a dash for NaN."""
        figure, gap, interval = self.tell().partition(" ")
        return figure if isnan(self.value) else f"{figure}%{gap}{interval}"


def average(values: Sequence[float]) -> Mean:
    """Return the mean of values in any unit with Student's interval; NaN are left out, one value has no interval.

    >>> average([1.0, 2.0, 3.0]).tell(1.0)
    '2.0 (-0.5 to 4.5)'
    """
    found = [value for value in values if not isnan(value)]
    if not found:
        return Mean(nan, nan, nan)
    middle = float(np.mean(found))
    if len(found) == 1:
        return Mean(middle, nan, nan)
    width = float(t.ppf(0.975, len(found) - 1)) * float(np.std(found, ddof=1)) / sqrt(len(found))
    return Mean(middle, middle - width, middle + width)


def share_of_rows(share: float, rows: int) -> Mean:
    """Return a share of n rows, 0 to 1, with Wilson's interval."""
    if isnan(share) or not rows:
        return Mean(nan, nan, nan)
    found = estimate_share(np.arange(rows) < round(share * rows))
    return Mean(share, found.low, found.high)
