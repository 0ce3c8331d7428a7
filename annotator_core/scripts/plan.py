"""What a standalone script repeats: the pool, how its votes are combined, and which rows go to a second review."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from annotator_core.errors import BadInput
from annotator_core.types import LabelMap

CARRIED: Final = ("torch", "linear")
"""The backends that a standalone script can run."""


@dataclass(frozen=True, slots=True)
class ScriptVoter:
    """A specialist of the pool, its map over the script's classes.

    folder: where its files are on this machine. hub_id and revision: where they can be had else, empty for nowhere.
    content_hash: as `folder.hash_folder` gives it; the script refuses other files. max_length: tokens a text is cut at,
    None for the model's own limit.
    """

    name: str
    backend: str
    content_hash: str
    label_map: LabelMap
    folder: str = ""
    hub_id: str = ""
    revision: str = ""
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class ScriptPlan:
    """A run as a standalone script repeats it; at most one of budget, cut and threshold is set.

    combine: who makes a label of the votes where there is no aggregation (a fitted aggregator's state). budget: the
    share of rows, 0 to 1, that go to review, least certain first. cut: the (score, text hash) up to which rows do.
    threshold: the least score of a row that is accepted. is_half: probabilities are rounded to half precision, and
    scores to score_digits, as a site stores them.
    """

    title: str
    classes: tuple[str, ...]
    voters: tuple[ScriptVoter, ...]
    min_agree: int
    combine: Literal["majority", "average"] = "majority"
    aggregation: Mapping[str, object] | None = None
    budget: float | None = None
    cut: tuple[float, str] | None = None
    threshold: float | None = None
    take_majority: bool = False
    is_half: bool = False
    score_digits: int | None = None
    text_column: str = "text"

    def __post_init__(self) -> None:
        """Raise BadInput for an empty pool, or two rules of routing at once."""
        if not self.voters:
            raise BadInput("The pool has no specialist: name at least one.")
        if sum(rule is not None for rule in (self.budget, self.cut, self.threshold)) > 1:
            raise BadInput("A review budget, a cut and a threshold contradict each other: choose one.")


def find_uncarried(plan: ScriptPlan) -> list[str]:
    """Return the names of the specialists that no standalone script can run; empty when it can run the pool."""
    return [voter.name for voter in plan.voters if voter.backend not in CARRIED]


def to_literal(plan: ScriptPlan) -> dict[str, Any]:
    """Return the plan as plain values; raise BadInput where the pool holds a specialist that cannot be carried."""
    refused = find_uncarried(plan)
    if refused:
        raise BadInput(
            f"A standalone script cannot run {', '.join(refused)}: only transformers and linear specialists. "
            "Leave it out of the pool, or export the labels instead."
        )
    return asdict(plan) | {
        "aggregation": None if plan.aggregation is None else dict(plan.aggregation),
        "voters": [_to_literal(voter) for voter in plan.voters],
    }


def _to_literal(voter: ScriptVoter) -> dict[str, Any]:
    stored = asdict(voter)
    del stored["label_map"]
    return stored | {"labels": voter.label_map.model_labels, "targets": voter.label_map.targets}
