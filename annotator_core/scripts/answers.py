"""What comes out of the box, read as data that may be anything."""

import math
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.errors import BadInput

NO_ANSWER: Final = "The script gave no answer for this text."
NO_PROBS: Final = "The script's answer for this text is no probabilities."
_SUM_TOLERANCE: Final = 1e-3
"""How far from 1 the sum of a row may be; chosen: a script may round to four digits."""


def read_probs(answer: object, n_texts: int, n_classes: int) -> tuple[FloatArray, list[str | None]]:
    """Return probabilities (n, k), rows sum to 1 or are NaN, and for each row why it abstains, None where it votes.

    Raises BadInput for an answer that is no list of n rows.
    """
    if not isinstance(answer, list) or len(answer) != n_texts:
        told = f"a list of {len(answer)}" if isinstance(answer, list) else "no list"
        raise BadInput(f"The script must answer with a list of {n_texts} rows; this is {told}.")
    probs = np.full((n_texts, n_classes), np.nan, dtype=np.float32)
    reasons: list[str | None] = []
    for place, row in enumerate(answer):
        read = _read_row(row, n_classes)
        reasons.append(None if read else NO_ANSWER if row is None else NO_PROBS)
        if read:
            probs[place] = read
    return probs, reasons


def _read_row(row: object, n_classes: int) -> list[float] | None:
    if not isinstance(row, list) or len(row) != n_classes:
        return None
    values = [one for one in row if isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one <= 1.001]
    if len(values) != n_classes or not math.isclose(sum(values), 1.0, abs_tol=_SUM_TOLERANCE):
        return None
    return [one / sum(values) for one in values]
