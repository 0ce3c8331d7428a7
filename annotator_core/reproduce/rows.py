"""Texts with gold labels, read from the CSV files of a data folder."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.errors import BadInput
from annotator_core.texts import find_flaw


@dataclass(frozen=True, slots=True)
class GoldRows:
    """n texts and gold (n,), the index of each text's class."""

    texts: tuple[str, ...]
    gold: IntArray

    def __len__(self) -> int:
        """Return n."""
        return len(self.texts)

    def take(self, rows: Sequence[int]) -> "GoldRows":
        """Return these rows, in their order."""
        return GoldRows(tuple(self.texts[row] for row in rows), self.gold[list(rows)])


def read_rows(paths: Sequence[Path], classes: Sequence[str], meanings: Mapping[str, str]) -> GoldRows:
    """Return the rows of the files one after the other; a text that stands twice counts once, at its first place.

    Columns text and label; meanings: what a label of the file is called among the classes, where that differs. Raises
    BadInput for a file that is missing or has other columns, a label that is no class, and where no row is left.
    """
    found: dict[str, int] = {}
    for path in paths:
        for line, (text, label) in enumerate(_read(path), start=2):
            name = meanings.get(label, label)
            if name not in classes:
                raise BadInput(f"{path}, row {line}: the label {label!r} is none of {', '.join(classes)}.")
            if find_flaw(text) is None:
                found.setdefault(text, classes.index(name))
    if not found:
        raise BadInput(f"{', '.join(map(str, paths))}: there is no labeled text.")
    return GoldRows(tuple(found), np.array(list(found.values()), dtype=np.int64))


def read_items(path: Path, classes: Sequence[str]) -> GoldRows:
    """Return all rows of a file of items, equal texts too, in their order; raises BadInput as `read_rows` does."""
    items = _read(path)
    unknown = sorted({label for _, label in items} - set(classes))
    if unknown:
        raise BadInput(f"{path}: the label {unknown[0]!r} is none of {', '.join(classes)}.")
    return GoldRows(
        tuple(text for text, _ in items), np.array([classes.index(label) for _, label in items], dtype=np.int64)
    )


def read_classes(path: Path) -> tuple[str, ...]:
    """Return the labels of a file, sorted; raises BadInput as `read_rows` does."""
    return tuple(sorted({label for _, label in _read(path)}))


def _read(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"text", "label"} <= set(reader.fieldnames or ()):
                raise BadInput(f"{path} needs the columns text and label.")
            return [(row["text"] or "", row["label"] or "") for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
