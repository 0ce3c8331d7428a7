"""When it is worth its time to learn from reviewed rows anew. Source: docs/decisions/0047."""

from bisect import bisect_right
from typing import Final

LEARN_AT: Final = (100, 400, 1_600, 6_400)
"""Numbers of reviewed rows: few, for at each all rows may be routed again, and a certificate is looked at once more.
Chosen; twice as many brought less than a hundredth more."""


def milestone(reviewed: int) -> int:
    """Return the last of `LEARN_AT` that so many reviewed rows have reached, 0 before the first.

    >>> [milestone(rows) for rows in (99, 100, 399, 7_000)]
    [0, 100, 100, 6400]
    """
    place = bisect_right(LEARN_AT, reviewed)
    return LEARN_AT[place - 1] if place else 0
