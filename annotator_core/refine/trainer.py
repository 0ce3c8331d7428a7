"""Fine-tunes a transformer classifier: repeatable to the bit on a CPU, also when it was killed and begun again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annotator_core.errors import BadInput
from annotator_core.refine.attempt import (
    CHECKPOINT,
    clear_attempt,
    epoch_folder,
    open_attempt,
    read_result,
    write_result,
)
from annotator_core.refine.checkpoint import BrokenCheckpoint, load_checkpoint, save_checkpoint
from annotator_core.refine.plan import (
    OnCheckpoint,
    OnStep,
    Step,
    Trained,
    TrainingPlan,
    TrainingRequest,
    TrainingRow,
    check_request,
)
from annotator_core.specialists.folder import inspect_folder
from annotator_core.types import LabelMap

if TYPE_CHECKING:
    from annotator_core.refine.learner import Learner

__all__ = ["FineTuned", "Step", "fine_tune", "train", "train_with_checkpoints"]

CHECKPOINT_EVERY_S: Final = 60.0
"""Seconds between two checkpoints: what a kill costs at most. Chosen: writing one takes about a second."""

IsDue = Callable[[int], bool]
"""Whether to write a checkpoint after the step of this number."""

_LOST: Final = "The checkpoint of the earlier attempt was damaged: the training began again."


def train(
    request: TrainingRequest,
    workplace: Path,
    *,
    on_step: OnStep | None = None,
    on_checkpoint: OnCheckpoint | None = None,
) -> Trained:
    """Return the trained model after each epoch, below `workplace`; see `plan.Trainer`.

    A training that was killed goes on from its last checkpoint and ends with the same bytes; one that has ended returns
    at once. One process at a time may work in a workplace.
    """
    return train_with_checkpoints(
        request, workplace, is_due=every(CHECKPOINT_EVERY_S), on_step=on_step, on_checkpoint=on_checkpoint
    )


def every(seconds: float, clock: Callable[[], float] = time.monotonic) -> IsDue:
    """Return a rule by which a checkpoint is due whenever so many seconds have passed since the last."""
    last = clock()

    def is_due(_step: int) -> bool:
        nonlocal last
        now = clock()
        if now - last < seconds:
            return False
        last = now
        return True

    return is_due


def train_with_checkpoints(
    request: TrainingRequest,
    workplace: Path,
    *,
    is_due: IsDue,
    on_step: OnStep | None = None,
    on_checkpoint: OnCheckpoint | None = None,
) -> Trained:
    """Return what `train` does, with checkpoints where `is_due` says so."""
    check_request(request)
    discarded = open_attempt(request, workplace)
    if result := read_result(request, workplace):
        return result
    learner, lost = _open_learner(request, workplace)

    def follow(step: Step) -> None:
        if on_step:
            on_step(step)
        if is_due(step.number):
            save_checkpoint(workplace / CHECKPOINT, step.number, learner.get_state())
            if on_checkpoint:
                on_checkpoint()

    for epoch in range(max(learner.epoch, 1), request.plan.epochs + 1):
        _learn_epoch(learner, epoch, follow)
        if not epoch_folder(workplace, epoch).exists():
            learner.write(epoch_folder(workplace, epoch))
    return write_result(request, workplace, tuple(learner.losses), lost or discarded)


def _open_learner(request: TrainingRequest, workplace: Path) -> tuple["Learner", str]:
    """Return a learner as the last checkpoint left it, or fresh with the reason why the checkpoint was of no use."""
    from annotator_core.refine.learner import Learner

    lost = ""
    learner = Learner(request)
    try:
        if state := load_checkpoint(workplace / CHECKPOINT):
            learner.set_state(state)
    except BrokenCheckpoint:
        lost = _LOST
    if not all(epoch_folder(workplace, epoch).is_dir() for epoch in range(1, learner.epoch)):
        learner, lost = Learner(request), _LOST
    if learner.epoch == 0:
        clear_attempt(workplace)
    return learner, lost


def _learn_epoch(learner: "Learner", epoch: int, follow: OnStep | None) -> None:
    if learner.epoch != epoch:
        learner.begin_epoch()
    while learner.has_batches:
        step = learner.take_step()
        if follow:
            follow(step)


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What a fine-tuning gave: the folder written, and the mean loss in nats of each epoch."""

    folder: Path
    epoch_losses: tuple[float, ...]
    steps: int


def fine_tune(  # noqa: PLR0913 - every figure of the paper's fine-tuning by its name, keyword-only
    folder: Path,
    texts: Sequence[str],
    labels: Sequence[int],
    out_folder: Path,
    *,
    epochs: int = 3,
    learning_rate: float = 2e-5,
    batch_size: int = 16,
    max_length: int = 128,
    seed: int = 0,
    weight_decay: float = 0.01,
    on_step: Callable[[Step], None] | None = None,
) -> FineTuned:
    """The model of `folder` fine-tuned on (text, model label id) pairs, written to `out_folder`, which must not exist.

    `train` without checkpoints, classes and weights: in memory, fp32, one folder. learning_rate: above 0;
    weight_decay: 0 to below 1. `folder` is only read; `out_folder` appears whole or not at all. `on_step` is called
    after each step and may raise to stop.

    Raises: BadInput where texts and labels differ in number, a label id is unknown to the model, there is nothing to
    learn from, or `out_folder` exists. Source: the paper's eq. 6-7 and its hyperparameters (engine.md 1).
    """
    from annotator_core.refine.learner import Learner

    names = inspect_folder(folder).labels
    check_examples(texts, labels, out_folder, len(names))
    plan = TrainingPlan(
        epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, max_length=max_length, seed=seed,
        weight_decay=weight_decay,
    )  # fmt: skip
    rows = tuple(TrainingRow(text, label) for text, label in zip(texts, labels, strict=True))
    identity = LabelMap(names, tuple(range(len(names))))
    # Not fused: the demo's models were trained so, and come out to the bit.
    learner = Learner(TrainingRequest(folder, "torch", rows, identity, names, plan), is_fused=False)
    for epoch in range(1, epochs + 1):
        _learn_epoch(learner, epoch, on_step)
    learner.write(out_folder)
    steps = len(learner.losses) // epochs
    means = [sum(learner.losses[at : at + steps]) / steps for at in range(0, len(learner.losses), steps)]
    return FineTuned(out_folder, tuple(means), len(learner.losses))


def check_examples(texts: Sequence[str], labels: Sequence[int], out_folder: Path, class_count: int) -> None:
    """Raises BadInput unless there is something to learn from and a place to write it to."""
    if len(texts) != len(labels):
        raise BadInput(f"{len(texts)} texts came with {len(labels)} labels; each text needs one.")
    if not texts:
        raise BadInput("There is no labeled text to fine-tune on.")
    unknown = sorted({label for label in labels if not 0 <= label < class_count})
    if unknown:
        raise BadInput(f"The model has label ids 0 to {class_count - 1}, not {unknown[0]}.")
    if out_folder.exists():
        raise BadInput(f"{out_folder} exists already; a version of a model is never overwritten.")
