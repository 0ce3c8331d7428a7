"""Refines a linear specialist: its features stay, its weights move from where they are as far as the rows pull them.

Source: a penalty on the distance from the first weights is L2-SP (Li, Grandvalet and Davoine 2018, arXiv 1802.01483).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from annotator_core.errors import BadInput
from annotator_core.linear.features import Featurizer
from annotator_core.linear.fit import MAX_ITERATIONS, Fitted, Problem, find_penalty, fit_weights, mark_meant
from annotator_core.linear.model import LinearModel, Weights, read_linear, write_linear
from annotator_core.refine.attempt import epoch_folder, open_attempt, read_result, write_result
from annotator_core.refine.plan import OnCheckpoint, OnStep, Step, Trained, TrainingRequest, TrainingRow, check_request
from annotator_core.types import LabelMap


def train(
    request: TrainingRequest,
    workplace: Path,
    *,
    on_step: OnStep | None = None,
    on_checkpoint: OnCheckpoint | None = None,
) -> Trained:
    """Return the refined model in one folder; losses are the objective in nats per row, its penalty included.

    The weights minimise the loss through the label map plus a penalty on their distance from the champion's, as strong
    as the one they were first trained under. It takes seconds, so there are no checkpoints: on_checkpoint is called
    once, when all is written, and of the plan nothing is used. A step's `of` is the most iterations there may be.
    Raises as `plan.Trainer` says, and BadModelFolder for a folder that is no linear model.
    """
    check_request(request)
    whole = replace(request, plan=replace(request.plan, epochs=1))
    discarded = open_attempt(whole, workplace)
    finished = read_result(whole, workplace)
    if finished:
        return finished
    model = _prepare(request)
    fitted = refine_weights(model, request.trained_map, request.rows, on_step)
    folder = epoch_folder(workplace, 1)
    if not folder.exists():
        write_linear(replace(model, weights=fitted.weights), folder)
    trained = write_result(whole, workplace, fitted.losses, discarded)
    if on_checkpoint:
        on_checkpoint()
    return trained


def refine_weights(
    model: LinearModel, label_map: LabelMap, rows: Sequence[TrainingRow], on_step: OnStep | None = None
) -> Fitted:
    """Return the model's weights after learning the rows, held to where they were; every class needs a label."""
    features = Featurizer(model.blocks, model.terms, model.idf).transform([row.text for row in rows])
    classes = np.array([row.class_index for row in rows], dtype=np.int64)
    penalty = find_penalty(model.strength, len(model.labels))
    problem = Problem(
        features=features,
        is_meant=mark_meant(classes, np.array(label_map.targets, dtype=np.int64)),
        row_weights=np.array([row.weight for row in rows], dtype=np.float64),
        start=model.weights,
        penalty=penalty,
        # Held like the others: a class that the rows lack would else lose its intercept.
        intercept_penalty=penalty,
    )
    return fit_weights(problem, on_step and _tell(on_step))


def _tell(on_step: OnStep) -> Callable[[int, float], None]:
    return lambda number, loss: on_step(Step(number, MAX_ITERATIONS, loss))


def _prepare(request: TrainingRequest) -> LinearModel:
    """Return the model to start from, with a label for each class."""
    model = read_linear(request.folder)
    if model.labels != request.label_map.model_labels:
        raise BadInput("The label map is for other labels than the model's: map the model again.")
    if not request.needs_new_head:
        return model
    return replace(model, labels=request.class_names, weights=grow_head(model.weights, request))


def grow_head(weights: Weights, request: TrainingRequest) -> Weights:
    """Return weights with one row for each class: the mean of the labels that mean it, raised for their number.

    A class that no label means begins as the mean of all labels: no text speaks for it or against it.
    """
    targets = np.array(request.label_map.targets, dtype=np.int64)
    sources = [targets == index for index in range(len(request.class_names))]
    chosen = [source if source.any() else np.ones(len(targets), dtype=bool) for source in sources]
    raised = [np.log(max(1, source.sum())) for source in sources]
    intercepts = [weights.intercept[labels].mean() + more for labels, more in zip(chosen, raised, strict=True)]
    coef = np.stack([weights.coef[labels].mean(axis=0) for labels in chosen])
    return Weights(coef.astype(np.float32), np.array(intercepts, dtype=np.float32))
