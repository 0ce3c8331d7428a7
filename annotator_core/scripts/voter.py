"""The backend ``script``: a transformer whose votes an accepted script casts, in the box: annotate, or deploy."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.errors import AnnotatorError, BadLabelMap, BadModelFolder, SpecialistCrashed
from annotator_core.scripts.answers import read_probs
from annotator_core.scripts.asking import Subject, VotingKind, ask_for_votes
from annotator_core.scripts.box import Box, Limits, WhyNot, probe_box
from annotator_core.scripts.check import check_script
from annotator_core.scripts.kinds import Kind
from annotator_core.specialists.config import read_json
from annotator_core.specialists.contract import Identity, OnProgress, Prediction, ShouldStop, SpecialistSpec
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.mapping import explain_abstentions, map_probs
from annotator_core.specialists.windows import Window, split_windows

SCRIPT_FILE: Final = "script.json"
"""Stands beside the model's own files, so that one content hash pins the model and who runs it."""
_FORMAT: Final = 1
_VOTING: Final = (Kind.DEPLOY, Kind.ANNOTATE)
_PART: Final = 2_048
"""Texts for one start of the box, which loads the model anew; chosen."""
_LIMITS: Final = Limits(wall_s=1_800, cpu_s=1_800)


def write_script_file(code: str, folder: Path, kind: VotingKind = Kind.ANNOTATE) -> None:
    """Put an accepted script beside a model's files."""
    stored = {"format": _FORMAT, "kind": kind.value, "code": code}
    (folder / SCRIPT_FILE).write_text(json.dumps(stored, indent=1), encoding="utf-8")


def _read_script_file(folder: Path) -> tuple[str, VotingKind]:
    """Return a script that the check lets through, and its kind; raise BadModelFolder where there is none."""
    stored = read_json(folder / SCRIPT_FILE)
    # Files that name no kind are of the time when only one could vote.
    code, kind = stored.get("code"), stored.get("kind", Kind.ANNOTATE)
    is_known = stored.get("format") == _FORMAT and isinstance(code, str) and kind in _VOTING
    if not is_known or check_script(cast(str, code), Kind(kind)):
        raise BadModelFolder(f"{SCRIPT_FILE} in {folder} holds no script that may run.")
    return cast(str, code), cast(VotingKind, Kind(kind))


def load(spec: SpecialistSpec) -> "ScriptSpecialist":
    """Return the specialist of a folder with a script beside its model.

    Raises BadModelFolder when the folder is refused or its script fails the check, BadLabelMap for a map of other
    labels, SpecialistCrashed where this machine has no box: a script never runs outside it.
    """
    card = inspect_folder(spec.folder)
    code, kind = _read_script_file(spec.folder)
    if card.labels != spec.label_map.model_labels:
        raise BadLabelMap(f"The label map of {spec.identity.name} is for other labels than the model's.")
    box = probe_box()
    if isinstance(box, WhyNot):
        raise SpecialistCrashed(f"{spec.identity.name} cannot vote: {box.reason}", retryable=False)
    return ScriptSpecialist(spec, kind, code, box)


class ScriptSpecialist:
    """A script that votes. Safe for several threads: each part of the texts has a box of its own."""

    def __init__(self, spec: SpecialistSpec, kind: VotingKind, code: str, box: Box) -> None:
        """Keep the parts; use `load`."""
        self._spec, self._kind, self._code, self._box = spec, kind, code, box

    @property
    def identity(self) -> Identity:
        """Who votes."""
        return self._spec.identity

    def predict(
        self, texts: Sequence[str], *, on_progress: OnProgress | None = None, should_stop: ShouldStop | None = None
    ) -> Prediction:
        """Return one vote or abstention for each text; see `contract.Specialist`. It does not count texts it cuts.

        Raises SpecialistCrashed where the script fails or its answer is none, PredictionStopped where should_stop says
        so.
        """
        start = time.perf_counter()
        probs = np.full((len(texts), self._spec.n_classes), np.nan, dtype=np.float32)
        reasons: list[str | None] = []
        for window_texts in split_windows(texts):
            low, high = len(reasons), len(reasons) + len(window_texts)
            window = Window(window_texts, low, len(texts), on_progress, should_stop)
            found = np.full((len(window.usable) + 1, self._spec.n_classes), np.nan, dtype=np.float32)
            why: list[str | None] = []
            for first in range(0, len(window.usable), _PART):
                rows = np.arange(first, min(first + _PART, len(window.usable)), dtype=np.int64)
                found[rows], told = self._ask(window.usable[first : first + _PART], should_stop)
                why += told
                window.report(rows)
            probs[low:high] = found[window.slots]
            reasons += window.spread([*why, None])
        return Prediction(probs, tuple(reasons), 0, time.perf_counter() - start)

    def _ask(self, texts: list[str], should_stop: ShouldStop | None) -> tuple[FloatArray, list[str | None]]:
        spec = self._spec
        length = spec.max_length or inspect_folder(spec.folder).max_length or 512
        subject = Subject(spec.folder, spec.label_map, spec.n_classes, length)
        ended = self._box.run(ask_for_votes(self._kind, self._code, subject, texts), _LIMITS, should_stop)
        if ended.problem:
            last = ended.log.strip().rpartition("\n")[2][:200]
            raise SpecialistCrashed(f"{self.identity.name}: {ended.problem} {last}".strip())
        try:
            return self._read(ended.answer, len(texts))
        except AnnotatorError as error:
            raise SpecialistCrashed(f"{self.identity.name}: {error.message}", retryable=False) from error

    def _read(self, answer: object, n_texts: int) -> tuple[FloatArray, list[str | None]]:
        """Return class probabilities and why rows abstain; what deploy says of the model's labels goes by the map."""
        spec = self._spec
        if self._kind is Kind.ANNOTATE:
            return read_probs(answer, n_texts, spec.n_classes)
        by_label, reasons = read_probs(answer, n_texts, len(spec.label_map.model_labels))
        probs = map_probs(by_label, spec.label_map, spec.n_classes)
        outside = explain_abstentions(by_label, probs)
        return probs, [reason or why for reason, why in zip(reasons, outside, strict=True)]
