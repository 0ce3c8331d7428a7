"""A script runs in the box on pilot rows, and the engine on the same: who says what, and where they differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.consensus.opinion import has_voted, pick_classes
from annotator_core.errors import AnnotatorError
from annotator_core.scripts.answers import read_probs
from annotator_core.scripts.asking import Subject, VotingKind, ask_for_votes
from annotator_core.scripts.box import Box, Ended, Limits
from annotator_core.scripts.kinds import Kind
from annotator_core.specialists.contract import Identity, Specialist, SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap

ENOUGH: Final = 0.98
"""The share of pilot rows on which script and engine must say the same; chosen: one text in a hundred may be a tie that
rounding decides."""
MARGIN: Final = 0.05
"""The share of judging rows by which a script's training may do worse than the engine's; chosen: one standard error of
nine in ten over 40 rows, which another order of the same batches moves."""
MOST_SHOWN: Final = 20
MOST_ROWS: Final = 100
"""Pilot rows; chosen: seconds for a base-size model on one thread."""


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a script is tried on: at most 100 rows, for fine_tune in each half.

    labels: for fine_tune, the model's right output for each text.
    """

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
class Lesson:
    """How a script that fine-tunes did beside the engine's trainer, in judging rows that a model has right.

    learned: rows that both learned from, none of which judges. before: the model as it was.
    """

    learned: int
    before: int
    engine: int
    script: int

    def passes(self, rows: int) -> bool:
        """Whether the script's model learned, and hardly less than the engine's: see `MARGIN`. rows: all that judge."""
        has_learned = self.script > self.before or self.script == rows
        return has_learned and self.script >= self.engine - MARGIN * rows


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a script on pilot rows.

    problem: why it has no result, empty where it has one. seconds: wall time in the box. agreed: rows on which script
    and engine say the same. largest: difference of a probability, 0 to 1. differences: the first rows of the others.
    For fine_tune, the rows are those that judge, and what both say is what their trained models say; lesson: who has
    how many of them right.
    """

    rows: int
    problem: str = ""
    log: str = ""
    seconds: float = 0.0
    agreed: int = 0
    largest: float = 0.0
    lesson: Lesson | None = None
    differences: tuple[Difference, ...] = field(default=())

    @property
    def passes(self) -> bool:
        """Whether it may be accepted: it agrees with the engine, or has learned as the engine does."""
        if self.problem or not self.rows:
            return False
        return self.agreed >= ENOUGH * self.rows if self.lesson is None else self.lesson.passes(self.rows)


def compare_script(
    box: Box,
    kind: VotingKind,
    code: str,
    subject: Subject,
    pilot: Pilot,
    should_stop: Callable[[], bool] | None = None,
) -> Comparison:
    """Return how a checked script that votes does beside the engine on the pilot rows.

    Raises PredictionStopped, and what loading the specialist raises; a script that fails is a problem, never an error.
    """
    texts = list(pilot.texts[:MOST_ROWS])
    ended = box.run(ask_for_votes(kind, code, subject, texts), Limits(), should_stop)
    if ended.problem:
        return Comparison(len(texts), ended.problem, ended.log, ended.seconds)
    read_as = subject if kind is Kind.ANNOTATE else answer_by_labels(subject)
    try:
        found, _reasons = read_probs(ended.answer, len(texts), read_as.n_classes)
    except AnnotatorError as error:
        return Comparison(len(texts), error.message, ended.log, ended.seconds)
    expected = load_engine(read_as).predict(texts).probs
    return set_beside(ended, expected, found, range(len(texts)))


def answer_by_labels(subject: Subject) -> Subject:
    """Return the subject with its own labels for classes."""
    n_labels = len(subject.label_map.model_labels)
    plain = LabelMap(subject.label_map.model_labels, tuple(range(n_labels)))
    return replace(subject, label_map=plain, n_classes=n_labels)


def load_engine(subject: Subject, folder: Path | None = None) -> Specialist:
    """Return the engine's specialist of the subject, its weights from another folder where one is given."""
    spec = SpecialistSpec(
        folder or subject.folder, subject.label_map, subject.n_classes, subject.max_length, Identity("engine")
    )
    return load_specialist("torch", spec)


def set_beside(
    ended: Ended, expected: FloatArray, found: FloatArray, rows: Sequence[int], lesson: Lesson | None = None
) -> Comparison:
    """Return how the script's probabilities (n, k) differ from the engine's; rows: each one's place in the pilot."""
    mine, theirs = pick_classes(expected), pick_classes(found)
    both = has_voted(expected) & has_voted(found)
    largest = float(np.abs(expected[both] - found[both]).max(initial=0.0))
    others = np.flatnonzero(mine != theirs)
    return Comparison(
        len(rows),
        log=ended.log,
        seconds=ended.seconds,
        agreed=len(rows) - len(others),
        largest=largest,
        lesson=lesson,
        differences=tuple(
            Difference(
                rows[at], int(mine[at]), int(theirs[at]), _top(expected[at], mine[at]), _top(found[at], theirs[at])
            )
            for at in others[:MOST_SHOWN].tolist()
        ),
    )


def _top(probs: FloatArray, index: int) -> float:
    return 0.0 if index == ABSTAIN else round(float(probs[index]), 4)
