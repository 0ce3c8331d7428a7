"""Trains fake specialists, for tests of all that surrounds a training: steps, epochs, resume, better and worse."""

import math
import time
from dataclasses import replace
from pathlib import Path

from annotator_core.errors import BadLabelMap
from annotator_core.fakes.specialist import FakeSettings, read_settings, write_fake_specialist
from annotator_core.refine.attempt import epoch_folder, open_attempt, read_result, write_result
from annotator_core.refine.folders import write_beside
from annotator_core.refine.plan import OnCheckpoint, OnStep, Step, Trained, TrainingRequest, check_request
from annotator_core.texts import hash_text
from annotator_core.types import ABSTAIN


def train(
    request: TrainingRequest,
    workplace: Path,
    *,
    on_step: OnStep | None = None,
    on_checkpoint: OnCheckpoint | None = None,
) -> Trained:
    """Return fakes that vote the class of each row on its text, right or wrong, and err less on others by epoch.

    Finished epochs are the checkpoints. Where a class has no label the fake gets the classes as its labels. See
    `plan.Trainer` and `FakeSettings`. Raises BadInput for rows or figures that no training can use, BadModelFolder for
    a folder that holds no fake, BadLabelMap for a map of other labels, StorageError or StoreFull for the workplace.
    """
    check_request(request)
    settings = read_settings(request.folder)
    if settings.labels != request.label_map.model_labels:
        raise BadLabelMap(f"The label map is for other labels than those of the fake in {request.folder}.")
    discarded = open_attempt(request, workplace)
    if result := read_result(request, workplace):
        return result
    learned = learn_rows(settings, request)
    steps, an_epoch = _list_steps(learned, request), count_steps(request)
    for epoch in range(1, request.plan.epochs + 1):
        if epoch_folder(workplace, epoch).exists():
            continue
        for step in steps[an_epoch * (epoch - 1) : an_epoch * epoch]:
            time.sleep(settings.step_delay_s)
            if on_step:
                on_step(step)
        with write_beside(epoch_folder(workplace, epoch)) as beside:
            write_fake_specialist(beside, replace(learned, noise=find_noise(learned, epoch)))
        if on_checkpoint:
            on_checkpoint()
    return write_result(request, workplace, tuple(step.loss for step in steps), discarded)


def learn_rows(settings: FakeSettings, request: TrainingRequest) -> FakeSettings:
    """Return the settings with the label of each row's text remembered; of equal texts the last one counts."""
    if request.needs_new_head:
        settings = _give_new_head(settings, request)
    targets = request.trained_map.targets
    remembered = {hash_text(row.text): targets.index(row.class_index) for row in request.rows}
    return replace(settings, remembered=settings.remembered | remembered)


def _give_new_head(settings: FakeSettings, request: TrainingRequest) -> FakeSettings:
    """Return the settings over the project's classes; what led to a label that means no class is forgotten."""
    targets = request.label_map.targets
    classes = dict(zip(settings.labels, targets, strict=True))
    return replace(
        settings,
        labels=request.class_names,
        keywords={
            word: request.class_names[classes[label]]
            for word, label in settings.keywords.items()
            if classes[label] != ABSTAIN
        },
        remembered={key: targets[label] for key, label in settings.remembered.items() if targets[label] != ABSTAIN},
    )


def find_noise(settings: FakeSettings, epochs: float) -> float:
    """Return the noise after so many epochs, 0 to 1: it falls by the factor ``learning`` each, or the accuracy does."""
    factor = math.pow(settings.learning, epochs)
    return 1 - (1 - settings.noise) * factor if settings.spoils else settings.noise * factor


def count_steps(request: TrainingRequest) -> int:
    """Return the steps of an epoch."""
    return -(-len(request.rows) // request.plan.batch_size)


def _list_steps(settings: FakeSettings, request: TrainingRequest) -> list[Step]:
    """Return all steps of the training; the loss is what the noise would cost, in nats."""
    an_epoch, worst = count_steps(request), math.log(len(settings.labels))
    total = an_epoch * request.plan.epochs
    return [Step(done + 1, total, worst * find_noise(settings, done / an_epoch)) for done in range(total)]
