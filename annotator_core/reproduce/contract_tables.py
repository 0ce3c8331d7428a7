"""The contract: what it leaves to people at each target, and what was truly wrong among accepted rows."""

from collections.abc import Sequence

from annotator_core.reproduce.intervals import Mean, average, share_of_rows
from annotator_core.reproduce.markdown import percent, write_table
from annotator_core.reproduce.measure import TARGETS
from annotator_core.reproduce.plot import Row, draw_dots
from annotator_core.reproduce.policy_tables import over_seeds
from annotator_core.reproduce.study import Measured


def write_contract(found: Sequence[Measured]) -> str:
    """Return the table: reviewed rows and wrong ones among the accepted, means over seeds with their intervals."""
    head = [
        "set",
        "audit, % of rows",
        *(f"{target:.0%}: reviewed; wrong among accepted" for target in TARGETS),
        "wrong where all agree",
    ]
    return write_table(head, [_write_contract(each) for each in found])


def draw_contract(found: Sequence[Measured]) -> str:
    """Return the plot of the rows that people review at each target."""
    rows = [Row(each.dataset.title, tuple(_mean_reviewed(each, target) for target in TARGETS)) for each in found]
    title = "The contract: rows that people review for an error of 2, 5 and 10% among the accepted"
    return draw_dots(title, [f"{target:.0%}" for target in TARGETS], rows, low=0.0, high=1.0)


def _write_contract(measured: Measured) -> list[str]:
    return [
        measured.dataset.title,
        percent(over_seeds(measured, "contract_audit").value, 0),
        *(_tell_target(measured, target) for target in TARGETS),
        _score_agreed(measured).tell(),
    ]


def _tell_target(measured: Measured, target: float) -> str:
    figures = [each[f"contract_{target:.0%}_wrong"] for each in measured.rules]
    reached = [value for value in figures if value == value]
    if not reached:
        return "not reached: 100"
    over = sum(value > target for value in reached)
    told = f"{_mean_reviewed(measured, target).tell(digits=0)}; {_mean_wrong(measured, target).tell()}"
    return f"{told} (reached {len(reached)} of {len(figures)} times, {over} over)"


def _mean_reviewed(measured: Measured, target: float) -> Mean:
    return over_seeds(measured, f"contract_{target:.0%}_reviewed")


def _mean_wrong(measured: Measured, target: float) -> Mean:
    """Return the mean over the seeds that reached the target; of a single one with Wilson's interval over its rows."""
    name = f"contract_{target:.0%}"
    reached = [each for each in measured.rules if each[f"{name}_wrong"] == each[f"{name}_wrong"]]
    if len(reached) > 1:
        return average([each[f"{name}_wrong"] for each in reached])
    accepted = round((1 - reached[0][f"{name}_reviewed"]) * len(measured.votes))
    return share_of_rows(reached[0][f"{name}_wrong"], accepted)


def _score_agreed(measured: Measured) -> Mean:
    figures = measured.rules[0]
    return share_of_rows(figures["agreed_wrong"], round((1 - figures["hard"]) * len(measured.votes)))
