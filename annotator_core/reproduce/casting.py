"""The votes of every specialist on every set: read where they are kept, else cast and kept."""

from collections.abc import Sequence

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.reproduce.alone import run_alone
from annotator_core.reproduce.kept import Votes, digest_settings, read_votes, write_votes
from annotator_core.reproduce.sets import DataSet
from annotator_core.reproduce.specialists import (
    Folders,
    digest_specialist,
    find_present,
    open_specialists,
    train_linears,
)
from annotator_core.reproduce.stored import read_stored
from annotator_core.reproduce.targets import ROWS, draw_rows
from annotator_core.texts import hash_text


def cast_votes(dataset: DataSet, folders: Folders, limit: int = ROWS) -> Votes:
    """Return the votes on the set, or on `limit` of its rows, drawn by one seed; stored votes are all taken.

    They are cast in a process of their own, whose most memory is kept with them.

    Raises BadInput for a set whose files or specialists are missing, BadModelFolder or BadLabelMap for a specialist
    that does not fit, SpecialistCrashed where one fails as a whole, StorageError or StoreFull.
    """
    if dataset.task == "stored":
        return read_stored(folders.data / dataset.files[0], dataset.classes, dataset.specialists, dataset.panel)
    rows, classes = draw_rows(dataset, folders.data, limit)
    names = find_present(dataset, folders.trained)
    recipes = [digest_specialist(dataset, name, folders.trained) for name in names]
    digest = digest_settings(recipes, classes, hash_text("\n".join(rows.texts)))
    path = folders.kept / "votes" / f"{dataset.name}.npz"
    if found := read_votes(path, digest):
        return found
    if dataset.task != "sentiment":
        train_linears(dataset, classes, folders)  # here, so that the votes' memory is without it
    (probs, seconds), peak_bytes = run_alone(predict_all, dataset, classes, folders, rows.texts)
    words = np.array([len(text.split()) for text in rows.texts], dtype=np.int64)
    none = np.empty((len(rows), 0), dtype=np.int64)
    votes = Votes(names, classes, probs, rows.gold, none, seconds, words, peak_bytes)
    write_votes(path, votes, digest)
    return votes


def predict_all(
    dataset: DataSet, classes: tuple[str, ...], folders: Folders, texts: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities (n, m, k) of each specialist of the set, one in memory at a time, and its seconds (m,).

    Raises as `specialists.open_specialists` does: BadInput, BadModelFolder, BadLabelMap, StorageError, StoreFull; and
    SpecialistCrashed.
    """
    predictions = [specialist.predict(texts) for specialist in open_specialists(dataset, classes, folders)]
    probs = np.stack([each.probs for each in predictions], axis=1)
    return probs, np.array([each.seconds for each in predictions], dtype=np.float32)
