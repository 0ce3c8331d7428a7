"""The engine's words as values: routes, label sources, label maps. Standard library only, so anything may import it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ABSTAIN: Final = -1
"""The class index of a vote that is none: an abstaining specialist agrees with nobody."""


class Route(StrEnum):
    """Where a sample goes after the vote (Source: AutoAnnotator, eq. 5, with the person as a third way)."""

    ACCEPT = "accept"
    VERIFY = "verify"
    REVIEW = "review"


class LabelSource(StrEnum):
    """Who decided a label."""

    CONSENSUS = "consensus"
    VERIFIER = "verifier"
    FUSED = "fused"
    IMPORTED = "imported"
    HUMAN = "human"
    ADJUDICATED = "adjudicated"


_RANKS: Final = {
    LabelSource.CONSENSUS: 0,
    LabelSource.VERIFIER: 1,
    LabelSource.FUSED: 1,
    LabelSource.IMPORTED: 2,
    LabelSource.HUMAN: 3,
    LabelSource.ADJUDICATED: 4,
}


def rank_source(source: LabelSource) -> int:
    """Return the rank of a source, 0 to 4: a label never replaces a higher one; of equals the newest wins."""
    return _RANKS[source]


@dataclass(frozen=True, slots=True)
class LabelMap:
    """What each of a model's labels means in the project: ``targets[i]`` is a class index or ABSTAIN.

    ``model_labels`` stand in the order of the model's outputs. Both tuples have the same length.
    """

    model_labels: tuple[str, ...]
    targets: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raise ValueError when the two tuples differ in length."""
        if len(self.model_labels) != len(self.targets):
            raise ValueError(f"{len(self.model_labels)} model labels but {len(self.targets)} targets")
