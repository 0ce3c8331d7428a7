"""Advice on epsilon (which rows are hard) and beta (after how many of them the specialists learn), with its reasons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from annotator_core.errors import BadInput

CROWDED: Final = 0.9
"""Hard share above which one specialist is to blame. Source: reference.md: with one at chance it is .978."""
DECIDING: Final = 100
"""Gate rows that decide, under which nothing is promoted by machine. Source: engine section 8."""
DECIDING_SHARE: Final = 2 / 15
"""Of verified rows, those that decide at the gate (decision record 0015)."""
BETA: Final = 1000
"""Source: reference.md: rounds at 500, 1,000 and 2,000 left 33, 36 and 40% of the rows to review, 46% without; at 500
a round's gate has too few rows to decide."""
PAPER_BETA: Final = 2000
"""Source: AutoAnnotator (arXiv 2506.16393), its default."""
MANY_ROUNDS: Final = 10
"""Rounds of one run beyond which each trains on more rows instead; chosen."""


@dataclass(frozen=True, slots=True)
class EpsilonAdvice:
    """How many of m must agree, the paper's epsilon for it (0 to 1), the share of rows that are hard then, and why."""

    min_agree: int
    epsilon: float
    hard_share: float
    reason: str


@dataclass(frozen=True, slots=True)
class BetaAdvice:
    """The size of the hard pool that starts a round, the rounds to expect, and why; beta None: no round is worth it."""

    beta: int | None
    rounds: int
    reason: str


def list_epsilons(histogram: Sequence[tuple[float, int]], n_specialists: int) -> list[tuple[int, float, float]]:
    """Return (min_agree, epsilon, share of hard rows) for each count of m that may be asked for, strictest first.

    histogram: the uncertainty U of eq. 4 (0 to 1) and its rows, as a pilot gives it. A row is hard where fewer than
    min_agree are behind its winner: U >= epsilon. Raises BadInput without rows or specialists.
    """
    n_rows = sum(rows for _value, rows in histogram)
    if n_rows < 1 or n_specialists < 1:
        raise BadInput("Advice on epsilon needs a pilot's rows and specialists.")
    # Counts are compared, never floats.
    counts = [(round((1 - value) * n_specialists), rows) for value, rows in histogram]
    return [
        (
            min_agree,
            1 - (min_agree - 1) / n_specialists,
            sum(rows for count, rows in counts if count < min_agree) / n_rows,
        )
        for min_agree in range(n_specialists, 0, -1)
    ]


def advise_epsilon(
    rules: Sequence[tuple[int, float, float]], place: int = 0, *, target: float | None = None, is_reached: bool = True
) -> EpsilonAdvice:
    """Return the rule at that place with its reason; by itself the strictest: agreed rows are wrong less often.

    rules: as `list_epsilons` gives them. place: as `forecast.compare_rules` chose it, together with who reviews; for
    the target, 0 to 1, where one is wanted, which is_reached or not; else for what may be paid.
    """
    min_agree, epsilon, hard = rules[place]
    said = f"{min_agree} of {len(rules)} must agree; about {hard:.0%} of the rows are hard then."
    if rules[0][2] >= CROWDED:
        why = "Nearly every row is disputed: one specialist may be at chance, look at the warnings first."
    elif target is not None and is_reached:
        why = f"Reviewed as recommended, no rule with fewer hard rows is expected to reach {target:.1%}."
    elif target is not None:
        why = f"No rule is expected to reach {target:.1%}: under this one the most labels are right."
    elif place == 0:
        why = "Any disagreement is reviewed, as in the paper."
    else:
        why = f"The next stricter rule, {rules[place - 1][2]:.0%}, is more than you allow."
    return EpsilonAdvice(min_agree, epsilon, hard, f"{said} {why}")


def advise_beta(n_hard: int) -> BetaAdvice:
    """Return the beta for a run with so many hard rows. Raises BadInput for a negative number."""
    if n_hard < 0:
        raise BadInput(f"{n_hard} hard rows cannot be.")
    least = math.ceil(DECIDING / DECIDING_SHARE)
    if n_hard < least:
        return BetaAdvice(
            None, 0, f"About {n_hard:,} hard rows are expected; a round that its gate can judge needs {least:,}."
        )
    beta = BETA if n_hard >= 2 * BETA else least
    if n_hard > MANY_ROUNDS * BETA:
        beta = min(PAPER_BETA, math.ceil(n_hard / MANY_ROUNDS / 100) * 100)
    rounds = n_hard // beta
    return BetaAdvice(
        beta,
        rounds,
        f"About {n_hard:,} hard rows are expected: {rounds} round{'s' if rounds > 1 else ''} at {beta:,}. In the "
        "reference runs smaller and earlier rounds left less to review (33% at 500, 36% at 1,000, 40% at 2,000, 46% "
        "without any); under 750 the gate has too few rows to decide.",
    )
