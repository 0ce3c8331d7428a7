"""A script that fine-tunes beside the engine's own trainer: both learn one half of the labeled rows, the other judges.

The engine's trainer is handed in: training is the business of a package beside this one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.consensus.opinion import pick_classes
from annotator_core.errors import AnnotatorError, BadInput
from annotator_core.scripts.asking import MODEL, Subject
from annotator_core.scripts.box import Box, Ended, Errand, Limits
from annotator_core.scripts.compare import (
    MOST_ROWS,
    Comparison,
    Lesson,
    Pilot,
    answer_by_labels,
    load_engine,
    set_beside,
)
from annotator_core.scripts.kinds import CONTRACTS, Kind
from annotator_core.specialists.folder import hash_folder, inspect_folder, is_allowed
from annotator_core.texts import hash_text
from annotator_core.types import ABSTAIN

_LIMITS: Final = Limits(wall_s=900, cpu_s=900, memory_bytes=8 << 30, disk_bytes=2 << 30, result_bytes=2 << 30)
_OUT: Final = str(Path("/tmp", "out"))  # noqa: S108 - inside the box this folder is its own
_DIGITS: Final = 8

Teach = Callable[[Path, Sequence[str], Sequence[int], Path], object]
"""A trainer: it is given a model's folder, texts, the label index of each, and the folder to write, not there yet."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The engine's trainer and an empty folder in which the script's model and the engine's are put."""

    teach: Teach
    workplace: Path

    @property
    def by_script(self) -> Path:
        """Where the script's model stands."""
        return self.workplace / "script"

    @property
    def by_engine(self) -> Path:
        """Where the engine's model stands."""
        return self.workplace / "engine"


def split_rows(texts: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the rows to learn from and those that judge: halves by text hash, equal texts in the same one.

    The last digits of the hash decide: the audit frame is drawn by the smallest hashes. Raises BadInput for a lone
    surrogate, or where there are no two different texts.
    """
    hashes = [hash_text(text) for text in texts]
    order = sorted(set(hashes), key=lambda one: (one[-_DIGITS:], one))
    if len(order) < 2:
        raise BadInput("A training is judged by other texts than it learns from: give at least two.")
    learned = set(order[: len(order) // 2])
    return (
        [row for row, one in enumerate(hashes) if one in learned],
        [row for row, one in enumerate(hashes) if one not in learned],
    )


def compare_training(
    box: Box,
    code: str,
    subject: Subject,
    pilot: Pilot,
    bench: Bench,
    should_stop: Callable[[], bool] | None = None,
) -> Comparison:
    """Return how a checked script that fine-tunes does beside the engine's trainer; both models stay on the bench.

    Of each half at most 100 rows count. The box is given the learning ones alone. Raises BadInput as `split_rows` does,
    PredictionStopped, and what the engine's trainer raises; a script that fails is a problem, never an error.
    """
    learned, judging = (rows[:MOST_ROWS] for rows in split_rows(pilot.texts))
    texts, labels = [pilot.texts[row] for row in learned], [pilot.labels[row] for row in learned]
    ended = box.run(_ask_for_training(code, subject, texts, labels), _LIMITS, should_stop)
    problem = ended.problem or _take_in(ended, subject, bench.by_script)
    if problem:
        return Comparison(len(judging), problem, ended.log, ended.seconds)
    plain, seen = answer_by_labels(subject), [pilot.texts[row] for row in judging]
    try:
        found = load_engine(plain, bench.by_script).predict(seen).probs
    except AnnotatorError as error:
        return Comparison(len(judging), _tell(error, bench.by_script), ended.log, ended.seconds)
    bench.teach(subject.folder, texts, labels, bench.by_engine)
    expected = load_engine(plain, bench.by_engine).predict(seen).probs
    before = load_engine(plain).predict(seen).probs
    gold = [pilot.labels[row] for row in judging]
    right = [_count_right(probs, gold, subject) for probs in (before, expected, found)]
    return set_beside(ended, expected, found, judging, Lesson(len(learned), *right))


def _ask_for_training(code: str, subject: Subject, texts: list[str], labels: list[int]) -> Errand:
    arguments = (MODEL, texts, labels, _OUT)
    function = CONTRACTS[Kind.FINE_TUNE].function
    return Errand(code, function, arguments, {"model": subject.folder}, takes_files=True)


def _take_in(ended: Ended, subject: Subject, folder: Path) -> str:
    """Write the files that came back, read like those of a stranger's model; why they are refused, empty where not."""
    folder.mkdir()
    _write_files(folder, ended.files)
    try:
        card = inspect_folder(folder)
        if card.labels != subject.label_map.model_labels:
            return f"The trained model's labels are {', '.join(card.labels)}."
        if hash_folder(folder) == hash_folder(subject.folder):
            return "The model is the one it was before."
    except AnnotatorError as error:
        return _tell(error, folder)
    return ""


def _tell(error: AnnotatorError, folder: Path) -> str:
    return error.message.replace(str(folder), "the folder that the script left")


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what may belong to a model; any other name stays out."""
    for name, content in files.items():
        if is_allowed(name):
            (folder / name).write_bytes(content)


def _count_right(probs: FloatArray, gold: Sequence[int], subject: Subject) -> int:
    """Return on how many rows the top label means the class that the right label means."""
    targets = subject.label_map.targets
    meaning = np.array([subject.n_classes + at if one == ABSTAIN else one for at, one in enumerate(targets)])
    picked = pick_classes(probs)
    return int(((picked != ABSTAIN) & (meaning[picked] == meaning[list(gold)])).sum())
