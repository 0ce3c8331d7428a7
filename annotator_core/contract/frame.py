"""The audit frame and its thirds, by text hash alone, so that they never change. Standard library only.

Source: engine section 6.
"""

from typing import Final, Literal

from annotator_core.errors import BadInput

Third = Literal["fit", "certify"]
"""What an answer of the audit is for: fitting the race and the calibration, or only certifying."""

FRAME_SHARE: Final = 0.02
FRAME_LEAST: Final = 300
FRAME_MOST: Final = 0.2
"""The frame is 2% of the texts, at least 300 of them, at most 20%. Source of all three: engine section 6."""
_FITTING: Final = 3
"""One part in three fits. Source: engine section 6."""
_DIGITS: Final = slice(8, 16)
"""The hash digits that choose the third: the frame takes the smallest hashes, so it ties the first ones, and the gate
reads the last eight."""


def frame_size(n_texts: int) -> int:
    """Return how many of so many different texts the audit frame holds: the larger of 2% and 300, at most 20%.

    Raises BadInput for a negative number.

    >>> [frame_size(texts) for texts in (4, 1_000, 10_000, 100_000)]
    [0, 200, 300, 2000]
    """
    if n_texts < 0:
        raise BadInput(f"A data set cannot hold {n_texts} texts: give 0 or more.")
    return min(int(n_texts * FRAME_MOST), max(round(n_texts * FRAME_SHARE), FRAME_LEAST))


def third_of(text_hash: str) -> Third:
    """Return what the audit's answer on the text of this hash (32 hex digits) is for; "fit" for one in three.

    Raises BadInput for anything but the hash of a text.

    >>> third_of("0" * 32)
    'fit'
    """
    try:
        part = int(text_hash[_DIGITS], 16)
    except ValueError:
        part = -1
    if part < 0 or len(text_hash) != 32:
        raise BadInput(f"{text_hash!r} is not the hash of a text: it must have 32 hex digits.")
    return "certify" if part % _FITTING else "fit"
