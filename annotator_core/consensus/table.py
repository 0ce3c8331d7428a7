"""The aggregators by name, and the way back from their stored states. Source: each module names its own."""

from importlib import import_module
from typing import Final, Protocol, cast

from annotator_core.arrays import IntArray
from annotator_core.consensus.aggregator import Ballots, Fitted, State
from annotator_core.consensus.calibration import restore_calibrated
from annotator_core.errors import BadInput

AGGREGATORS: Final[dict[str, str]] = {
    "majority": "annotator_core.consensus.majority",
    "weighted_majority": "annotator_core.consensus.weighted_majority",
    "average": "annotator_core.consensus.average",
    "dawid_skene": "annotator_core.consensus.dawid_skene",
    "naive_bayes": "annotator_core.consensus.naive_bayes",
    "stacker": "annotator_core.consensus.stacker",
    "best_single": "annotator_core.consensus.best_single",
}
"""Each module is an `Aggregator`; the order is from the simplest on, and parts equals."""


class Aggregator(Protocol):
    """A module that fits one algorithm and brings it back."""

    def fit(self, ballots: Ballots, gold: IntArray, *, seed: int = 0) -> Fitted:
        """Return the algorithm fitted on gold (n,), ABSTAIN for rows without; raise BadInput for impossible gold."""
        ...

    def restore(self, state: State) -> Fitted:
        """Return what gave this state; raise BadInput for a garbled one."""
        ...


def fit_aggregator(name: str, ballots: Ballots, gold: IntArray, *, seed: int = 0) -> Fitted:
    """Return the aggregator of this name fitted on gold (n,), a class index or ABSTAIN for rows without.

    Dawid-Skene learns from rows without gold too. Permuting rows or specialists changes nothing, and equal seeds give
    equal bytes. Raises BadInput for an unknown name or impossible gold.
    """
    return find_aggregator(name).fit(ballots, gold, seed=seed)


def restore(state: State) -> Fitted:
    """Return the aggregator, calibrated or not, whose `to_state` gave this; raise BadInput for a garbled state."""
    if not isinstance(state, dict):
        raise BadInput("The stored aggregator is no object with a name: fit it anew.")
    if "calibration" in state:
        inner = state.get("inner")
        return restore_calibrated(state, restore(cast(State, inner)))
    return find_aggregator(str(state.get("name"))).restore(state)


def find_aggregator(name: str) -> Aggregator:
    """Return the module of an aggregator; raise BadInput for an unknown name."""
    if name not in AGGREGATORS:
        raise BadInput(f"There is no aggregator {name!r}: choose one of {', '.join(AGGREGATORS)}.")
    return cast(Aggregator, import_module(AGGREGATORS[name]))
