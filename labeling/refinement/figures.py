"""What stands in a round's JSON columns, typed: the gate's table, the loss curve, a version's manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

CURVE_POINTS = 400  # chosen: more than a plot has pixels for
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A class or slice on the deciding rows: how many, and how many of them were right before and are right after."""

    name: str
    rows: int
    right_before: int
    right_after: int

    @property
    def before(self) -> float | None:
        """The champion's share of right rows, 0 to 1; None without rows."""
        return self.right_before / self.rows if self.rows else None

    @property
    def after(self) -> float | None:
        """The challenger's share of right rows, 0 to 1; None without rows."""
        return self.right_after / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the choosing half says of an epoch and a share of the challenger: how many of its rows are right."""

    epoch: int
    share: float
    right: int


@dataclass(frozen=True, slots=True)
class GateFigures:
    """The gate's table. low, high: 95% interval of the difference in accuracy; fallen: names of classes and slices."""

    choose_rows: int
    candidates: tuple[Candidate, ...]
    rows: int
    low: float
    high: float
    classes: tuple[Part, ...]
    slices: tuple[Part, ...]
    fallen: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


def read_figures(stored: Mapping[str, Any]) -> GateFigures | None:
    """The gate's table as `GateFigures.as_json` wrote it; None where no gate has judged."""
    if "candidates" not in stored:  # a cold start keeps its own test there
        return None
    return GateFigures(
        choose_rows=stored["choose_rows"],
        candidates=tuple(Candidate(**one) for one in stored["candidates"]),
        rows=stored["rows"],
        low=stored["low"],
        high=stored["high"],
        classes=tuple(Part(**one) for one in stored["classes"]),
        slices=tuple(Part(**one) for one in stored["slices"]),
        fallen=tuple(stored["fallen"]),
    )


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a version came to be, without times and row numbers, so that a repetition has the same.

    parent: hash of the weights it grew from. data: hash over all rows of the round with class, role and weight.
    classes: what each of the model's labels means, None where it abstains. plan: the figures of the training.
    """

    specialist: str
    backend: str
    parent: str
    policy: str
    seed: int
    data: str
    rows: Mapping[str, int]
    plan: Mapping[str, Any]
    labels: tuple[str, ...]
    classes: tuple[str | None, ...]
    epoch: int
    share: float
    verdict: str
    p_better: float | None
    accuracy_before: float | None
    accuracy_after: float | None
    gate: GateFigures | None
    format: int = FORMAT

    def as_json(self) -> dict[str, Any]:
        """As it stands in the version's row and in `manifest.json` beside its weights."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LossPoint:
    """The mean loss in nats of the steps up to this one since the point before."""

    step: int
    loss: float


def thin_losses(losses: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most 400 of the (step, nats) pairs: each the mean of equally many in sequence, at its last step."""
    size = -(-len(losses) // CURVE_POINTS)
    groups = [losses[at : at + size] for at in range(0, len(losses), size)] if size > 1 else [[one] for one in losses]
    return [(group[-1][0], round(sum(loss for _step, loss in group) / len(group), 5)) for group in groups]


def read_losses(stored: Sequence[Sequence[float]]) -> list[LossPoint]:
    """The loss curve as `thin_losses` left it."""
    return [LossPoint(int(step), loss) for step, loss in stored]
