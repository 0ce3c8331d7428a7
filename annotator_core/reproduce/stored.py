"""Votes that came with a data set: items.csv (id, text, label) and votes.csv (item, annotator, label, p_...)."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.consensus.opinion import pick_classes
from annotator_core.errors import BadInput
from annotator_core.reproduce.kept import Votes

_P = "p_"


def read_stored(folder: Path, classes: Sequence[str], names: Sequence[str], panel: Sequence[str] = ()) -> Votes:
    """Return the votes of the named annotators on the items, and the answers of those of the panel.

    Probabilities are taken where the file has a column p_CLASS for each class, else all is on the class voted for; an
    annotator without a vote on an item, or with one that is no class, abstains. Raises BadInput for missing files or
    columns, and for an annotator without any vote.
    """
    items = _read(folder / "items.csv", {"id", "text", "label"})
    rows = {item["id"]: row for row, item in enumerate(items)}
    voters = [*names, *panel]
    probs = np.full((len(items), len(voters), len(classes)), np.nan, dtype=np.float32)
    for vote in _read(folder / "votes.csv", {"item", "annotator", "label"}):
        if vote["annotator"] in voters and vote["label"] in classes:
            probs[rows[vote["item"]], voters.index(vote["annotator"])] = _spread(vote, classes)
    for column, name in enumerate(voters):
        if np.isnan(probs[:, column]).all():
            raise BadInput(f"{folder / 'votes.csv'} has no vote of {name}.")
    gold = np.array([classes.index(item["label"]) for item in items], dtype=np.int64)
    words = np.array([len(item["text"].split()) for item in items], dtype=np.int64)
    unmeasured = np.full(len(names), np.nan, dtype=np.float32)
    return Votes(
        tuple(names),
        tuple(classes),
        probs[:, : len(names)],
        gold,
        pick_classes(probs[:, len(names) :]),
        unmeasured,
        words,
    )


def _spread(vote: dict[str, str], classes: Sequence[str]) -> FloatArray:
    if all(_P + name in vote for name in classes):
        given = np.array([float(vote[_P + name]) for name in classes], dtype=np.float32)
        return np.asarray(given / given.sum())
    return np.asarray(np.eye(len(classes), dtype=np.float32)[classes.index(vote["label"])])


def _read(path: Path, columns: set[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if not columns <= set(reader.fieldnames or ()):
                raise BadInput(f"{path} needs the columns {', '.join(sorted(columns))}.")
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
