"""The votes of every specialist on every set: read where they are kept, else cast and kept."""

import numpy as np

from annotator_core.reproduce.kept import Votes, digest_settings, read_votes, write_votes
from annotator_core.reproduce.sets import DataSet
from annotator_core.reproduce.specialists import Folders, digest_specialist, find_present, open_specialists
from annotator_core.reproduce.stored import read_stored
from annotator_core.reproduce.targets import ROWS, draw_rows
from annotator_core.texts import hash_text


def cast_votes(dataset: DataSet, folders: Folders, limit: int = ROWS) -> Votes:
    """Return the votes on the set, or on `limit` of its rows, drawn by one seed; stored votes are all taken.

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
    probs, seconds = [], []
    for specialist in open_specialists(dataset, classes, folders):
        prediction = specialist.predict(rows.texts)
        probs.append(prediction.probs)
        seconds.append(prediction.seconds)
    words = np.array([len(text.split()) for text in rows.texts], dtype=np.int64)
    stacked = np.stack(probs, axis=1)
    none = np.empty((len(rows), 0), dtype=np.int64)
    votes = Votes(names, classes, stacked, rows.gold, none, np.array(seconds, dtype=np.float32), words)
    write_votes(path, votes, digest)
    return votes
