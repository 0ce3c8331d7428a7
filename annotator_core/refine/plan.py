"""What a training is given and what it gives, whatever is trained. Standard library only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Protocol

from annotator_core.errors import BadInput
from annotator_core.precision import Precision
from annotator_core.specialists.label_map import find_uncovered
from annotator_core.texts import find_flaw
from annotator_core.types import ABSTAIN, LabelMap


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """The figures of one training. Source of the defaults: the paper's hyperparameters (engine.md 1).

    learning_rate: above 0. weight_decay: 0 to below 1. max_length: tokens a text is cut at. precision: see
    `precision.pick_precision`. A backend ignores what it has no use for.
    """

    epochs: int = 3
    learning_rate: float = 2e-5
    batch_size: int = 16
    max_length: int = 128
    weight_decay: float = 0.01
    seed: int = 0
    precision: Precision = "fp32"


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One text to learn: its class by index, and how much it counts beside the others (above 0)."""

    text: str
    class_index: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """Everything that decides the outcome of a training.

    folder: the model to start from, only read. label_map: what its labels mean. class_names: the project's classes, in
    the order that `TrainingRow.class_index` counts.
    """

    folder: Path
    backend: str
    rows: tuple[TrainingRow, ...]
    label_map: LabelMap
    class_names: tuple[str, ...]
    plan: TrainingPlan

    @property
    def needs_new_head(self) -> bool:
        """Whether a class has no label of the model, so that the model cannot learn it as it is."""
        return bool(find_uncovered(self.label_map, len(self.class_names)))

    @property
    def trained_map(self) -> LabelMap:
        """The label map of the trained model: the one given, or the identity where it gets a new head."""
        if self.needs_new_head:
            return LabelMap(self.class_names, tuple(range(len(self.class_names))))
        return self.label_map


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step: number from 1, number of all steps, loss in nats before the step."""

    number: int
    of: int
    loss: float


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training gave.

    folders: one loadable model folder per epoch, the last is the final one. label_map: the map of these folders: the
    one given, or the identity over the class names where the model got a new head. losses: nats of each step of the
    whole training, also of those before a resume. discarded: why an earlier attempt in the workplace was of no use and
    the training began again, empty where there was none or it went on.
    """

    folders: tuple[Path, ...]
    label_map: LabelMap
    losses: tuple[float, ...]
    discarded: str = ""


OnStep = Callable[[Step], None]
OnCheckpoint = Callable[[], None]


class Trainer(Protocol):
    """Fine-tunes a model of one backend."""

    def __call__(
        self,
        request: TrainingRequest,
        workplace: Path,
        *,
        on_step: OnStep | None = None,
        on_checkpoint: OnCheckpoint | None = None,
    ) -> Trained:
        """Return what was trained; all of it stands below ``workplace``, where an earlier attempt goes on.

        Both callbacks may raise to stop: after ``on_checkpoint`` nothing is lost, after ``on_step`` only the steps
        since the last checkpoint. Raises BadInput for rows or a model that cannot be trained, StorageError or StoreFull
        where the workplace cannot be written.
        """
        ...


def check_request(request: TrainingRequest) -> None:
    """Return where the rows, the map and the figures fit together; raise BadInput, saying what does not, otherwise."""
    check_plan(request.plan)
    check_rows(request.rows, len(request.class_names))
    outside = [target for target in request.label_map.targets if not ABSTAIN <= target < len(request.class_names)]
    if outside:
        raise BadInput(f"The label map names class {outside[0]}; there are {len(request.class_names)} classes.")


def check_rows(rows: Sequence[TrainingRow], class_count: int) -> None:
    """Raise BadInput unless there is a row, and each has a usable text, a known class and a weight above 0."""
    if not rows:
        raise BadInput("There is no labeled text to fine-tune on.")
    for number, row in enumerate(rows, start=1):
        if not 0 <= row.class_index < class_count:
            raise BadInput(f"Row {number} is of class {row.class_index}; the classes are 0 to {class_count - 1}.")
        if not (isfinite(row.weight) and row.weight > 0):
            raise BadInput(f"Row {number} has the weight {row.weight}; leave a row out that shall not count.")
        if flaw := find_flaw(row.text):
            raise BadInput(f"Row {number} cannot be learned: {flaw}")


def check_plan(plan: TrainingPlan) -> None:
    """Raise BadInput for a figure that no training can use."""
    if min(plan.epochs, plan.batch_size) < 1 or plan.max_length < 8:
        raise BadInput("A training needs at least 1 epoch, 1 row a batch and 8 tokens a text.")
    if not (isfinite(plan.learning_rate) and plan.learning_rate > 0 and 0 <= plan.weight_decay < 1):
        raise BadInput("The learning rate must be above 0, the weight decay from 0 to below 1.")
    if plan.precision not in ("fp32", "bf16"):
        raise BadInput(f"There is no precision {plan.precision!r}: choose fp32 or bf16.")
