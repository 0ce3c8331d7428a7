"""What every specialist is and gives, whatever runs behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from annotator_core.arrays import FloatArray
from annotator_core.types import LabelMap

if TYPE_CHECKING:
    from annotator_core.precision import VotingPrecision

OnProgress = Callable[[int, int], None]
"""Called with (texts done, texts in all) from inside a prediction."""
ShouldStop = Callable[[], bool]
"""Asked between batches; True ends the prediction with PredictionStopped."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who votes: a name for people, the revision it came from, and the content hash of its folder."""

    name: str
    revision: str = ""
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class SpecialistSpec:
    """Everything that makes a specialist: its folder, its label map, the number of classes, the length of a text.

    max_length: tokens a text is cut at, None for the model's own limit. precision: of a transformer's weights, None for
    what is best on this machine.
    """

    folder: Path
    label_map: LabelMap
    n_classes: int
    max_length: int | None = None
    identity: Identity = Identity("specialist")
    precision: "VotingPrecision | None" = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A specialist's votes on n texts.

    probs (n, k): float32, rows sum to 1 or are NaN where it abstained. reasons: why it abstained, None where it voted.
    truncated: how many texts were longer than it reads. seconds: wall time.
    """

    probs: FloatArray
    reasons: tuple[str | None, ...]
    truncated: int
    seconds: float


class Specialist(Protocol):
    """A small language model that votes for the project's classes."""

    @property
    def identity(self) -> Identity:
        """Who votes."""
        ...

    def predict(
        self, texts: Sequence[str], *, on_progress: OnProgress | None = None, should_stop: ShouldStop | None = None
    ) -> Prediction:
        """Return one vote or abstention for each text, in order.

        A single bad text abstains with a reason. Raises SpecialistCrashed when the model as a whole fails, and
        PredictionStopped when should_stop said so.
        """
        ...


@runtime_checkable
class Continued(Protocol):
    """A specialist whose votes depend on what it has read before: another one that takes its state votes on alike."""

    def to_state(self) -> Mapping[str, Any]:
        """Return the state as JSON values, NaN and infinity among them; empty where votes depend on nothing."""
        ...

    def take_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `to_state` gave, before the first vote."""
        ...
