"""The specialists that vote: encoders fine-tuned by the repository's script, and linear ones trained here.

Source: AutoAnnotator (arXiv 2506.16393), its hyperparameters; engine section 1.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from annotator_core.errors import BadInput
from annotator_core.refine.cold_start import linear_recipes, train_linear
from annotator_core.refine.plan import TrainingRow
from annotator_core.reproduce.rows import GoldRows
from annotator_core.reproduce.sets import LESSON_ROWS, DataSet
from annotator_core.reproduce.targets import read_lessons, read_slices, read_target
from annotator_core.specialists.contract import Identity, Specialist, SpecialistSpec
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.label_map import propose
from annotator_core.specialists.table import load_specialist

TRAIN_THEM: Final = "train it in a clone of the repository by: python -m benchmarks.train_specialists --skip-measure"
_FOR_WORDS: Final = 5_000
"""Texts without labels that a linear specialist learns its words from, beside its own rows; chosen."""
MAX_LENGTH: Final = 128
"""Tokens a text is cut at. Source: the paper's hyperparameters (engine.md 1)."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where things are: data sets, fine-tuned encoders, and what is kept between calls."""

    data: Path
    trained: Path
    kept: Path


def open_specialists(dataset: DataSet, classes: tuple[str, ...], folders: Folders) -> Iterator[Specialist]:
    """Yield each specialist of the set that can vote, loaded, so that one is in memory at a time.

    Raises as `load_one` and `train_linears` do: BadInput, BadModelFolder, BadLabelMap, StorageError, StoreFull.
    """
    if dataset.task == "sentiment":
        found = {name: folders.trained / name for name in find_present(dataset, folders.trained)}
    else:
        found = train_linears(dataset, classes, folders)
    for name, folder in found.items():
        yield load_one(name, folder, classes)


def load_one(name: str, folder: Path, classes: tuple[str, ...]) -> Specialist:
    """Return the specialist of a folder, its labels mapped by name.

    Raises BadInput where there is none, BadModelFolder and BadLabelMap for one that does not fit.
    """
    if not folder.is_dir():
        raise BadInput(f"There is no specialist {name} in {folder.parent}: {TRAIN_THEM}.")
    card = inspect_folder(folder)
    label_map = propose(card.labels, classes).label_map
    spec = SpecialistSpec(folder, label_map, len(classes), MAX_LENGTH, Identity(name))
    return load_specialist(card.backend, spec)


def find_missing(dataset: DataSet, trained: Path) -> str:
    """Return why the set cannot be voted on, empty where it can: the encoders that have not been trained."""
    missing = [name for name in dataset.pool if name not in find_present(dataset, trained)]
    return f"no specialist {', '.join(missing)}; {TRAIN_THEM}" if missing else ""


def list_missing(datasets: Sequence[DataSet], trained: Path) -> dict[str, str]:
    """Return by name the sets that cannot be voted on, with the reason."""
    return {each.name: reason for each in datasets if (reason := find_missing(each, trained))}


def find_present(dataset: DataSet, trained: Path) -> tuple[str, ...]:
    """Return those of the set's specialists that can vote, in its order: linear ones always can."""
    if dataset.task != "sentiment":
        return dataset.specialists
    return tuple(name for name in dataset.specialists if (trained / name).is_dir())


def train_linears(dataset: DataSet, classes: tuple[str, ...], folders: Folders) -> dict[str, Path]:
    """Return the folder of each linear specialist by name; what stands there already is kept.

    Each learns from rows of its own, with features of its own: words and characters, words, characters. Raises BadInput
    as `rows.read_rows` does, StorageError or StoreFull.
    """
    if dataset.task == "own":
        slices, _ = read_slices(dataset, folders.data)
        target, _ = read_target(dataset, folders.data)
        return _train(dataset.name, dict(zip(dataset.specialists, slices, strict=True)), target.texts, classes, folders)
    return _train(dataset.task, read_lessons(folders.data), (), classes, folders)


def _train(
    prefix: str, lessons: dict[str, GoldRows], unlabeled: tuple[str, ...], classes: tuple[str, ...], folders: Folders
) -> dict[str, Path]:
    found = {}
    for recipe, (name, rows) in zip(linear_recipes(len(lessons)), lessons.items(), strict=True):
        found[name] = folders.kept / "linear" / f"{prefix}-{name}"
        if not found[name].is_dir():
            learned = [TrainingRow(text, int(label)) for text, label in zip(rows.texts, rows.gold, strict=True)]
            train_linear(replace(recipe, left_out=None), learned, unlabeled[:_FOR_WORDS], classes, found[name])
    return found


def digest_specialist(dataset: DataSet, name: str, trained: Path) -> str:
    """Return what decides the specialist's votes, as text: its recipe, so that votes of another one are not taken."""
    if dataset.task != "sentiment":
        return f"{name} {dataset.training} {dataset.rows_each} {LESSON_ROWS} {_FOR_WORDS}"
    manifest = trained / f"{name}.json"
    known = json.loads(manifest.read_text(encoding="utf-8"))["digest"] if manifest.is_file() else "unknown"
    return f"{name} {known} {MAX_LENGTH}"
