"""A challenger's training as a request, and the training itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from annotator_core.errors import BadInput
from annotator_core.precision import Precision, pick_precision
from annotator_core.refine.plan import (
    OnCheckpoint,
    OnStep,
    Trained,
    TrainingPlan,
    TrainingRequest,
    TrainingRow,
)
from annotator_core.refine.table import find_trainer
from labeling.refinement.models import TRAINING_ROLES, Challenger, RefinementRound
from labeling.refinement.row_queries import class_names, rows_of
from labeling.specialists.engine import label_map_of, store_folder_of
from labeling.specialists.models import SpecialistVersion

WORKPLACES = ".rounds"
TORCH = "torch"


def workplace_of_round(round_id: int) -> Path:
    """The folder in which a round's challengers train; nothing in it ever votes."""
    return Path(settings.MODEL_STORE) / WORKPLACES / str(round_id)


def workplace_of(challenger: Challenger) -> Path:
    """The challenger's own folder, where a training that was killed goes on."""
    return workplace_of_round(challenger.round_id) / str(challenger.position)


def champion_of(challenger: Challenger) -> SpecialistVersion:
    """The version that the challenger starts from. Raises BadInput where it has none or its weights were removed."""
    champion = challenger.champion
    if champion is None or champion.pruned_at:
        raise BadInput(f"The weights of {champion or challenger.specialist} were removed: give this round up.")
    return champion


def find_precision(champion: SpecialistVersion) -> Precision:
    """What to train the champion's model in on this machine: asked once a training."""
    if champion.backend != TORCH:
        return "fp32"
    return pick_precision(store_folder_of(champion.weights_hash))


def training_request(challenger: Challenger, precision: Precision) -> TrainingRequest:
    """Everything that decides the outcome of the challenger's training, from its round's frozen rows."""
    champion, round_ = champion_of(challenger), challenger.round
    indices = {class_id: index for index, class_id in enumerate(champion.class_ids)}
    rows = rows_of(round_, TRAINING_ROLES)
    return TrainingRequest(
        folder=store_folder_of(champion.weights_hash),
        backend=champion.backend,
        rows=tuple(TrainingRow(row.text, indices[row.class_id], row.weight) for row in rows),
        label_map=label_map_of(champion),
        class_names=class_names(champion.class_ids),
        plan=training_plan(round_, seed=challenger.seed, max_length=champion.max_length, precision=precision),
    )


def training_plan(round_: RefinementRound, *, seed: int, max_length: int, precision: Precision) -> TrainingPlan:
    """The round's figures as a plan."""
    return TrainingPlan(
        epochs=round_.epochs,
        learning_rate=round_.learning_rate,
        batch_size=round_.batch_size,
        max_length=max_length,
        seed=seed,
        precision=precision,
    )


def count_steps(request: TrainingRequest) -> int:
    """How many optimiser steps the training takes."""
    return request.plan.epochs * -(-len(request.rows) // request.plan.batch_size)


@dataclass(frozen=True, slots=True)
class Watch:
    """What a worker does while a training goes on; `is_leaving` asks for a checkpoint right away."""

    on_step: OnStep
    on_checkpoint: OnCheckpoint
    is_leaving: Callable[[], bool]


def train(request: TrainingRequest, workplace: Path, watch: Watch | None = None) -> Trained:
    """The trained model; one that has ended before returns at once. Raises AnnotatorError's children.

    Transformers write a checkpoint every CHECKPOINT_S seconds, and at once when the worker has to leave.
    """
    on_step, on_checkpoint = (watch.on_step, watch.on_checkpoint) if watch else (None, None)
    if request.backend != TORCH or watch is None:
        return find_trainer(request.backend)(request, workplace, on_step=on_step, on_checkpoint=on_checkpoint)
    from annotator_core.refine.trainer import every, train_with_checkpoints

    is_time = every(settings.CHECKPOINT_S)
    return train_with_checkpoints(
        request,
        workplace,
        is_due=lambda step: watch.is_leaving() or is_time(step),
        on_step=on_step,
        on_checkpoint=on_checkpoint,
    )
