"""A script runs in the box on pilot rows, and the engine on the same: who says what, and where they differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.opinion import has_voted, pick_classes
from annotator_core.errors import AnnotatorError
from annotator_core.scripts.answers import read_probs
from annotator_core.scripts.box import Box, Ended, Errand, Limits
from annotator_core.scripts.kinds import CONTRACTS, Kind
from annotator_core.specialists.contract import Identity, Specialist, SpecialistSpec
from annotator_core.specialists.folder import hash_folder, inspect_folder, is_allowed
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap

ENOUGH: Final = 0.98
"""The share of pilot rows on which script and engine must say the same; chosen: one text in a hundred may be a tie that
rounding decides."""
MOST_SHOWN: Final = 20
MOST_ROWS: Final = 100
"""Pilot rows; chosen: seconds for a base-size model on one thread."""
_LIMITS: Final = {
    Kind.DEPLOY: Limits(),
    Kind.ANNOTATE: Limits(),
    Kind.FINE_TUNE: Limits(wall_s=900, cpu_s=900, memory_bytes=8 << 30, disk_bytes=2 << 30, result_bytes=2 << 30),
}
_MODEL: Final = "/given/model"
_OUT: Final = str(Path("/tmp", "out"))  # noqa: S108 - inside the box this folder is its own


@dataclass(frozen=True, slots=True)
class Subject:
    """The specialist that a script is about: a transformer's folder, its map, and the length that texts are cut at."""

    folder: Path
    label_map: LabelMap
    n_classes: int
    max_length: int


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a script is tried on, at most 100 rows. labels: for fine_tune, the model's right output for each text."""

    texts: tuple[str, ...]
    labels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A row on which script and engine differ: class (or label) index, ABSTAIN for none, its probability, 0 to 1."""

    row: int
    engine: int
    script: int
    engine_prob: float
    script_prob: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a script on pilot rows.

    problem: why it has no result, empty where it has one. seconds: wall time in the box. agreed: rows on which both say
    the same. largest: difference of a probability, 0 to 1. differences: the first rows of the others. For fine_tune,
    agreed are the rows that the trained model has right, and before those that the model had right.
    """

    rows: int
    problem: str = ""
    log: str = ""
    seconds: float = 0.0
    agreed: int = 0
    largest: float = 0.0
    before: int | None = None
    differences: tuple[Difference, ...] = field(default=())

    @property
    def passes(self) -> bool:
        """Whether it may be accepted: it agrees with the engine, or has learned where it should."""
        if self.problem or not self.rows:
            return False
        return self.agreed >= (ENOUGH * self.rows if self.before is None else self.before)


def compare_script(
    box: Box,
    kind: Kind,
    code: str,
    subject: Subject,
    pilot: Pilot,
    should_stop: Callable[[], bool] | None = None,
) -> Comparison:
    """Return how a checked script does beside the engine on the pilot rows.

    Raises PredictionStopped, and what loading the specialist raises; a script that fails is a problem, never an error.
    """
    texts, labels = list(pilot.texts[:MOST_ROWS]), list(pilot.labels[:MOST_ROWS])
    ended = box.run(_make_errand(kind, code, subject, texts, labels), _LIMITS[kind], should_stop)
    if ended.problem:
        return Comparison(len(texts), ended.problem, ended.log, ended.seconds)
    if kind is Kind.FINE_TUNE:
        return _judge_training(ended, subject, texts, labels)
    return _judge_answers(ended, _read_as(kind, subject), texts)


def _make_errand(kind: Kind, code: str, subject: Subject, texts: list[str], labels: list[int]) -> Errand:
    targets = list(subject.label_map.targets)
    arguments: Mapping[Kind, tuple[object, ...]] = {
        Kind.DEPLOY: (_MODEL, texts),
        Kind.ANNOTATE: (texts, _MODEL, targets, subject.n_classes, subject.max_length),
        Kind.FINE_TUNE: (_MODEL, texts, labels, _OUT),
    }
    return Errand(
        code,
        CONTRACTS[kind].function,
        arguments[kind],
        folders={"model": subject.folder},
        is_called_again=kind is Kind.DEPLOY,
        takes_files=kind is Kind.FINE_TUNE,
    )


def _read_as(kind: Kind, subject: Subject) -> Subject:
    """Return the subject that answers by classes, or for deploy by its own labels."""
    if kind is Kind.ANNOTATE:
        return subject
    n_labels = len(subject.label_map.model_labels)
    plain = LabelMap(subject.label_map.model_labels, tuple(range(n_labels)))
    return replace(subject, label_map=plain, n_classes=n_labels)


def _load(subject: Subject, folder: Path | None = None) -> Specialist:
    spec = SpecialistSpec(
        folder or subject.folder, subject.label_map, subject.n_classes, subject.max_length, Identity("engine")
    )
    return load_specialist("torch", spec)


def _judge_answers(ended: Ended, subject: Subject, texts: list[str]) -> Comparison:
    try:
        found, _reasons = read_probs(ended.answer, len(texts), subject.n_classes)
    except AnnotatorError as error:
        return Comparison(len(texts), error.message, ended.log, ended.seconds)
    expected = _load(subject).predict(texts).probs
    mine, theirs = pick_classes(expected), pick_classes(found)
    both = has_voted(expected) & has_voted(found)
    largest = float(np.abs(expected[both] - found[both]).max(initial=0.0))
    rows = np.flatnonzero(mine != theirs)
    return Comparison(
        len(texts),
        log=ended.log,
        seconds=ended.seconds,
        agreed=len(texts) - len(rows),
        largest=largest,
        differences=tuple(_differ(int(row), (mine, expected), (theirs, found)) for row in rows[:MOST_SHOWN]),
    )


def _differ(row: int, engine: tuple[IntArray, FloatArray], script: tuple[IntArray, FloatArray]) -> Difference:
    (mine, expected), (theirs, found) = engine, script
    return Difference(
        row, int(mine[row]), int(theirs[row]), _top(expected[row], mine[row]), _top(found[row], theirs[row])
    )


def _top(probs: FloatArray, index: int) -> float:
    return 0.0 if index == ABSTAIN else round(float(probs[index]), 4)


def _judge_training(ended: Ended, subject: Subject, texts: list[str], labels: Sequence[int]) -> Comparison:
    """The files that came back are read like those of a stranger's model; it must be another, with the same labels."""
    plain = _read_as(Kind.FINE_TUNE, subject)
    with TemporaryDirectory(prefix="tuned-") as name:
        folder = Path(name)
        _write_files(folder, ended.files)
        try:
            card = inspect_folder(folder)
            if card.labels != subject.label_map.model_labels:
                raise ValueError(f"The trained model's labels are {', '.join(card.labels)}.")
            if hash_folder(folder) == hash_folder(subject.folder):
                raise ValueError("The model is the one it was before.")
            after = _load(plain, folder).predict(texts).probs
        except (AnnotatorError, ValueError) as error:
            told = str(error).replace(str(folder), "the folder that the script left")
            return Comparison(len(texts), told, ended.log, ended.seconds)
    before = _load(plain).predict(texts).probs
    gold = np.array(labels, dtype=np.int64)
    return Comparison(
        len(texts),
        log=ended.log,
        seconds=ended.seconds,
        agreed=int((pick_classes(after) == gold).sum()),
        before=int((pick_classes(before) == gold).sum()),
        largest=float(np.nan_to_num(np.abs(after - before)).max(initial=0.0)),
    )


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what may belong to a model; any other name stays out."""
    for name, content in files.items():
        if is_allowed(name):
            (folder / name).write_bytes(content)
