"""Where a heavy worker trains: verified rows become the folders of new specialists, tested on rows they did not learn.

No page imports this module: what it needs of the engine is heavy.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from threadpoolctl import threadpool_limits

from annotator_core.refine.cold_start import cross_validate, linear_recipes, train_linear
from annotator_core.refine.folders import write_file
from annotator_core.refine.plan import TrainingRow
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.store import store_folder
from labeling.refinement.cold_start.encoders import train_encoder
from labeling.refinement.cold_start.recipes import Method, Recipe
from labeling.specialists.actions import StoredFiles

UNLABELED = 20_000  # what annotator_core.refine.cold_start reads at most
FOLDS = 5
MAX_LENGTH = 128  # as fetched models get it


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a specialist learns from: rows, other texts, and the class names that the rows count by index."""

    rows: tuple[TrainingRow, ...]
    unlabeled: Sequence[str]
    class_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A trained folder, and its test on unseen rows: accuracy, low, high (0 to 1, 95%) and how many rows."""

    folder: Path
    figures: dict[str, Any]


def train(recipe: Recipe, lesson: Lesson, workplace: Path, report: Callable[[float], None]) -> Made:
    """Train below `workplace`, where an earlier attempt of an encoder goes on and one of a linear specialist is done.

    `report` hears shares of the work (0 to 1) and may raise to stop. Raises AnnotatorError's children.
    """
    if recipe.method == Method.ENCODER:
        folder, tested = train_encoder(recipe, lesson.rows, lesson.class_names, workplace, report)
        return Made(folder, tested)
    return _train_linear(recipe, lesson, workplace, report)


def _train_linear(recipe: Recipe, lesson: Lesson, workplace: Path, report: Callable[[float], None]) -> Made:
    found = linear_recipes(recipe.count, recipe.seed)[recipe.position]
    folder = workplace / "model"
    folds = min(FOLDS, len({row.text for row in lesson.rows}))
    report(0.0)
    # Threads only wait for each other on vectors this small: one takes a tenth of the time of two on a busy machine.
    with threadpool_limits(limits=1):
        if not folder.exists():
            train_linear(found, lesson.rows, lesson.unlabeled, lesson.class_names, folder)
        report(0.4)
        tested = cross_validate(
            found, lesson.rows, lesson.class_names, unlabeled=lesson.unlabeled, folds=folds, seed=recipe.seed
        )
    report(1.0)
    figures = {"accuracy": tested.accuracy, "low": tested.low, "high": tested.high, "rows": tested.rows}
    return Made(folder, figures | {"folds": folds})


def write_manifest(made: Made, recipe: Recipe, lesson: Lesson) -> dict[str, Any]:
    """Say in the trained folder how it came to be: recipe, rows, their digest and the test. No times: it repeats."""
    rows = json.dumps([[row.text, row.class_index, row.weight] for row in lesson.rows])
    manifest = {
        "origin": "cold start",
        "recipe": recipe.as_json(),
        "classes": list(lesson.class_names),
        "rows": len(lesson.rows),
        "rows_sha256": hashlib.sha256(rows.encode()).hexdigest(),
        "test": made.figures,
    }
    write_file(made.folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True))
    return manifest


def store(folder: Path) -> StoredFiles:
    """Put the trained folder into the model store; what its files say."""
    card = inspect_folder(folder)
    stored = store_folder(folder, Path(settings.MODEL_STORE))
    return StoredFiles(
        weights_hash=stored.hash,
        revision="",
        backend=card.backend,
        model_labels=card.labels,
        architecture=card.architecture,
        license=card.license or "",
        size_bytes=card.size_bytes,
        max_length=min(card.max_length or MAX_LENGTH, MAX_LENGTH),
    )
