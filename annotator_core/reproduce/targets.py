"""The rows of a set: those to label, and those that specialists of its own learn from."""

import random
from pathlib import Path
from typing import Final

import numpy as np

from annotator_core.reproduce.rows import GoldRows, read_classes, read_items, read_rows
from annotator_core.reproduce.sets import LESSON_ROWS, LESSONS, TOXIC, TOXICITY, DataSet

ROWS: Final = 2_000
"""Rows that are drawn of a set that has more: a share is then known to 2.2 points; chosen."""
_SHUFFLE_SEED: Final = 2024
_DRAW_SEED: Final = 7


def read_target(dataset: DataSet, data: Path) -> tuple[GoldRows, tuple[str, ...]]:
    """Return the rows to label, none of which a specialist of the set's own has learned, and the class names.

    Raises BadInput as `rows.read_rows` does.
    """
    if dataset.task == "stored":
        return read_items(data / dataset.files[0] / "items.csv", dataset.classes), dataset.classes
    paths = [data / file for file in dataset.files]
    if dataset.task != "own":
        return read_rows(paths, dataset.classes, dataset.meanings), dataset.classes
    slices, classes = read_slices(dataset, data)
    learned = {text for part in slices for text in part.texts}
    rows = read_rows(paths, classes, dataset.meanings)
    return rows.take([row for row, text in enumerate(rows.texts) if text not in learned]), classes


def read_lessons(data: Path) -> dict[str, GoldRows]:
    """Return what each specialist of the task toxicity learns from, by name.

    Raises BadInput as `rows.read_rows` does.
    """
    lessons = {}
    for name, (file, first) in LESSONS.items():
        rows = read_rows([data / file], TOXICITY, TOXIC)
        lessons[name] = rows.take(shuffle_rows(rows)[first : first + LESSON_ROWS])
    return lessons


def read_slices(dataset: DataSet, data: Path) -> tuple[tuple[GoldRows, ...], tuple[str, ...]]:
    """Return what each specialist of the set's own learns from, no row twice, and the class names, sorted.

    Raises BadInput as `rows.read_rows` does.
    """
    path = data / dataset.training
    classes = read_classes(path)
    rows = read_rows([path], classes, dataset.meanings)
    order = shuffle_rows(rows)
    starts = range(0, dataset.rows_each * len(dataset.specialists), dataset.rows_each)
    return tuple(rows.take(order[start : start + dataset.rows_each]) for start in starts), classes


def shuffle_rows(rows: GoldRows) -> list[int]:
    """Return the numbers of all rows in an order that never changes."""
    order = list(range(len(rows)))
    random.Random(_SHUFFLE_SEED).shuffle(order)  # noqa: S311 - repeatable, no secret
    return order


def draw_rows(dataset: DataSet, data: Path, limit: int = ROWS) -> tuple[GoldRows, tuple[str, ...]]:
    """Return the set's rows to label, at most `limit`, drawn by one seed where it has more, and the class names.

    All rows of a set with stored votes. Raises BadInput as `rows.read_rows` does.
    """
    target, classes = read_target(dataset, data)
    if len(target) <= limit or dataset.task == "stored":
        return target, classes
    chosen = np.random.default_rng(_DRAW_SEED).choice(len(target), limit, replace=False)
    return target.take(sorted(chosen.tolist())), classes
