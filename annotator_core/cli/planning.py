"""``certify --plan``: how many answers a target error takes, before anybody has answered."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annotator_core.cli.tables import Table, read_windows
from annotator_core.errors import BadInput
from annotator_core.spool import find_groups

# scipy takes a second to import: only what plans pays for it.
if TYPE_CHECKING:
    from annotator_core.contract.plan import AuditPlan


@dataclass(frozen=True, slots=True)
class Wish:
    """What one hopes for: a target error, the true one, and the share of rows to accept, 0 to 1 each."""

    target_error: float
    true_error: float
    accepted_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A wish and what it takes at a look, from 1. confidence: 0 to 1, over all looks. price: of all answers."""

    wish: Wish
    plan: "AuditPlan"
    look: int
    confidence: float
    price: float | None


def read_wish(written: str) -> Wish:
    """Return what ``TARGET,TRUE`` or ``TARGET,TRUE,SHARE`` says, in percent; raises BadInput for anything else."""
    try:
        shares = [float(part) / 100 for part in written.split(",")]
    except ValueError:
        shares = []
    if len(shares) not in (2, 3):
        raise BadInput(f"--plan {written!r} must be TARGET,TRUE or TARGET,TRUE,SHARE, in percent.")
    return Wish(*shares)


def plan_answers(
    table: Table, wish: Wish, *, look: int, confidence: float, price: float | None, is_unfitted: bool
) -> Planned:
    """Return how many different texts of the table to answer. price: of an answer, None for none.

    look: from 1. confidence: 0 to 1, over all looks. is_unfitted: no third of the answers fits, all certify. Raises
    BadInput for shares outside 0 to 1 or a price under 0, and as `read_windows` does.
    """
    from annotator_core.contract.certify import confidence_at
    from annotator_core.contract.plan import plan_audit, price_of

    groups = [find_groups(window.texts) for window in read_windows(table)]
    plan = plan_audit(
        wish.target_error,
        wish.true_error,
        frame_texts=len(np.unique(np.concatenate(groups))),
        accepted_share=wish.accepted_share,
        confidence=confidence_at(look, confidence),
        is_unfitted=is_unfitted,
    )
    cost = None if price is None or plan.total_rows is None else price_of(plan.total_rows, price)
    return Planned(wish, plan, look, confidence, cost)


def tell_plan(planned: Planned) -> str:
    """Return the plan for a person."""
    from annotator_core.contract.plan import explain_plan

    wish = planned.wish
    # Candidates are a twentieth of the rows apart.
    about = "" if wish.accepted_share == 1.0 else " or a twentieth of all less"
    chance = (
        "So many succeed four times of five where the least sure of these labels are wrong twice as often as all of "
        "them and the surest hardly ever, less often where the score tells less.\n"
    )
    cost = "" if planned.price is None else f" They cost {planned.price:,.2f}."
    return (
        f"To show that at most {wish.target_error:.1%} of the accepted labels are wrong where {wish.true_error:.1%} "
        f"are, and to accept {wish.accepted_share:.0%} of the rows{about}:\n"
        f"{explain_plan(planned.plan)}{cost}\n"
        f"{'' if planned.plan.total_rows is None else chance}"
        f"Counted for look {planned.look} at the answers, so that all looks hold with {planned.confidence:.0%} "
        "confidence: each later one asks for more.\n"
    )
