"""How many audit answers a certificate needs, before anybody has answered.

Source: engine section 6.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.contract.bounds import tail_below
from annotator_core.contract.walk import WALKS, most_wrong, walk_power
from annotator_core.errors import BadInput

_TRIED: Final = np.concatenate([np.arange(2, 500, 2), np.arange(500, 5_000, 20), np.arange(5_000, 50_001, 200)])
"""The numbers of rows that are tried: nobody plans to the row. Chosen; gives the reference's figures."""
_PARTS: Final = 8
"""Parts in which they are tried, fewest rows first: most answers stand in the first. Chosen."""
_POWER: Final = 0.8
"""The chance that a planned audit is enough. Source: engine section 6."""
_FINER: Final = 1.05
"""A plan for a walk is tried in steps of a twentieth, from what one test takes. Chosen."""
_TRIES: Final = 100
"""Steps until no number would do: to 130 times the rows of one test. Chosen."""

PlanWhy = Literal["reachable", "too_many_errors", "frame_too_small"]


def rows_needed(target_error: float, true_error: float, *, confidence: float = 0.95, power: float = 0.8) -> int | None:
    """Return how many random rows show **in one test** that an error is at most target_error when it is true_error.

    target_error: 0 to 1, not included. true_error, confidence: 0 to 1. power: the chance, 0 to 1, that so many rows
    are enough; they are judged as by `bounds.exact_upper`. Counts rows **inside the set** to be accepted, of which
    nothing but all of it is tested: `certify` walks over many sets and takes more, see `plan_audit`. The smallest
    number tried that does: even ones under 500, then in steps of 20, from 5,000 in steps of 200. None where the true
    error is not below the target, or 50,000 rows would not do. Raises BadInput for shares outside 0 to 1.

    Source: engine section 6 (95%, 80% power): 5% when truly 2%: 234, when truly 3%: 660; 10% when 5%: 180; 2% when
    0.5%: 386. The smallest numbers of all are 234, 601, 179 and 386; the power falls again behind each.

    >>> [rows_needed(0.05, 0.02), rows_needed(0.05, 0.03), rows_needed(0.1, 0.05), rows_needed(0.02, 0.005)]
    [234, 660, 180, 386]
    """
    _check(target_error, true_error, confidence, power)
    if true_error >= target_error:
        return None
    allowed = _most_wrong(target_error, 1.0 - confidence)
    for part in np.array_split(np.arange(len(_TRIED)), _PARTS):
        enough = tail_below(allowed[part], _TRIED[part], true_error) >= power
        if enough.any():
            return int(_TRIED[part[np.argmax(enough)]])
    return None


@lru_cache(maxsize=64)
def _most_wrong(target_error: float, risk: float) -> IntArray:
    """Return how many of each number of rows may be wrong and still show the target; -1 where none may."""
    allowed = most_wrong(_TRIED, target_error, risk)
    allowed.setflags(write=False)  # it is kept for the next call
    return allowed


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What an audit costs. Each number is of different texts to answer, None where no number would do.

    set_rows: certifying rows inside the hoped set, as many as are to be expected. certify_rows: certifying rows in all.
    total_rows: with the fitting third, where a third fits. is_reachable: whether the audit frame holds that many; `why`
    says what stands in the way.
    """

    set_rows: int | None
    certify_rows: int | None
    total_rows: int | None
    frame_texts: int
    why: PlanWhy

    @property
    def is_reachable(self) -> bool:
        """Whether the audit can be drawn from the frame and would be enough."""
        return self.why == "reachable"


def plan_audit(
    target_error: float,
    true_error: float,
    *,
    frame_texts: int,
    accepted_share: float = 1.0,
    confidence: float = 0.95,
    is_unfitted: bool = False,
) -> AuditPlan:
    """Return how many texts of the frame to answer so that `certify` accepts a set with that true error.

    target_error, true_error, confidence: as of `rows_needed`. frame_texts: different texts in the audit frame, 0 or
    more. accepted_share: how much of the data set one hopes to accept, above 0 to 1. With a chance of 80% a walk of
    `certify` accepts that share, as `walk.walk_power` counts it: every set before the last must pass, too, and which
    texts certify and which are in the set is chance. Twice as many as all are wrong of the least sure rows in the
    set, hardly any of the surest: labels whose score tells less take more, those whose score tells more take fewer.
    Adds the third that fits unless is_unfitted. In steps of a twentieth: nobody plans to the row. Raises BadInput for
    numbers outside these.

    Source: engine section 6: a third of an audit fits, the rest certifies; docs/decisions/0046.

    >>> plan_audit(0.05, 0.02, frame_texts=2_000).total_rows
    629
    """
    if not 0.0 < accepted_share <= 1.0 or frame_texts < 0:
        raise BadInput(f"{accepted_share} of the rows and a frame of {frame_texts} texts cannot be planned with.")
    _check(target_error, true_error, confidence, _POWER)
    risk = (1.0 - confidence) / WALKS
    certify_rows = _walked_rows(target_error, true_error, accepted_share, risk, not is_unfitted)
    if certify_rows is None:
        return AuditPlan(None, None, None, frame_texts, "too_many_errors")
    total = certify_rows if is_unfitted else math.ceil(certify_rows * 3 / 2)
    why: PlanWhy = "reachable" if total <= frame_texts else "frame_too_small"
    return AuditPlan(math.ceil(certify_rows * accepted_share), certify_rows, total, frame_texts, why)


@lru_cache(maxsize=500)
def _walked_rows(target: float, error: float, share: float, risk: float, is_drawn: bool) -> int | None:
    """Return how many certifying rows a walk takes, from what one test takes on; None where no number would do."""
    one_test = rows_needed(target, error, confidence=1.0 - risk, power=_POWER)
    if one_test is None:
        return None
    for tried in range(_TRIES):
        rows = math.ceil(one_test / share * _FINER**tried)
        found = walk_power(
            rows, target_error=target, true_error=error, accepted_share=share, risk=risk, is_drawn=is_drawn
        )
        if found >= _POWER:
            return rows
    return None


def explain_plan(plan: AuditPlan) -> str:
    """Return the plan in one English sentence, for a terminal or a report."""
    if plan.total_rows is None:
        return "Not reachable: the labels are expected to be no better than the target, so no audit can show it."
    is_fitted = plan.total_rows != plan.certify_rows
    some = f"{plan.certify_rows} that certify, the others fit" if is_fitted else "all certify"
    answers = f"{plan.total_rows} answers ({some})"
    if plan.is_reachable:
        return f"Reachable with {answers}; there are {plan.frame_texts} texts to draw from."
    return f"Not reachable: it takes {answers}, but there are only {plan.frame_texts} texts to draw from."


def price_of(rows: int, price_per_label: float) -> float:
    """Return what that many answers cost, in the currency of price_per_label. Raises BadInput below 0.

    >>> price_of(200, 0.05)
    10.0
    """
    if rows < 0 or not price_per_label >= 0.0:
        raise BadInput(f"{rows} rows at {price_per_label} a label have no price: give numbers from 0 up.")
    return rows * price_per_label


def _check(target_error: float, true_error: float, confidence: float, power: float) -> None:
    if not (0.0 < target_error < 1.0 and 0.0 <= true_error <= 1.0 and 0.0 < confidence < 1.0 and 0.0 < power < 1.0):
        raise BadInput(
            f"Target {target_error}, true error {true_error}, confidence {confidence} and power {power} must be shares "
            "between 0 and 1."
        )
