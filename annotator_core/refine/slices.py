"""Labeled rows cut into parts: slices to leave out, folds to test on. Standard library only."""

import hashlib
from collections.abc import Sequence
from typing import Final

from annotator_core.errors import BadInput
from annotator_core.refine.plan import TrainingRow, check_rows
from annotator_core.texts import hash_text

SLICES: Final = 5
"""The rows are cut into that many slices, of which a specialist leaves out one. Chosen."""


def check_classes(rows: Sequence[TrainingRow], class_names: Sequence[str]) -> None:
    """Raise BadInput unless every class has a labeled text, and there are two classes; rows as `plan.check_rows`."""
    if len(class_names) < 2:
        raise BadInput("A specialist needs at least 2 classes to tell apart.")
    check_rows(rows, len(class_names))
    found = {row.class_index for row in rows}
    missing = [name for index, name in enumerate(class_names) if index not in found]
    if missing:
        raise BadInput(f"Label at least one text of {_enumerate(missing)}.")


def keep_slice(rows: Sequence[TrainingRow], left_out: int | None, seed: int) -> list[TrainingRow]:
    """Return the rows without one fifth of each class, by a seeded order of the texts; a class never loses all.

    left_out: which fifth, 0 to 4; None keeps all.
    """
    if left_out is None:
        return list(rows)
    dropped: set[int] = set()
    for members in _group_by_class(rows, seed).values():
        lost = {index for place, index in enumerate(members) if place % SLICES == left_out}
        dropped |= lost if len(lost) < len(members) else set()
    return [row for index, row in enumerate(rows) if index not in dropped]


def assign_folds(rows: Sequence[TrainingRow], folds: int, seed: int) -> list[int]:
    """Return the fold of each row: each class spread evenly, equal texts together.

    Raises BadInput for fewer than two folds, or more than there are different texts.
    """
    first_class: dict[str, int] = {}
    for row in rows:
        first_class.setdefault(row.text, row.class_index)
    if not 2 <= folds <= len(first_class):
        raise BadInput(f"{len(first_class)} different texts cannot be cut into {folds} parts to test on.")
    ordered = sorted(first_class, key=lambda text: (first_class[text], _draw(text, seed)))
    fold_of = {text: place % folds for place, text in enumerate(ordered)}
    return [fold_of[row.text] for row in rows]


def _group_by_class(rows: Sequence[TrainingRow], seed: int) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for index in sorted(range(len(rows)), key=lambda index: _draw(rows[index].text, seed)):
        groups.setdefault(rows[index].class_index, []).append(index)
    return groups


def _draw(text: str, seed: int) -> bytes:
    return hashlib.blake2b(hash_text(text).encode(), digest_size=16, key=str(seed).encode()).digest()


def _enumerate(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
