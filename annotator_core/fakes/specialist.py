"""A fake specialist: deterministic votes from keywords and text hashes, in milliseconds, without torch."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.errors import BadLabelMap, PredictionStopped, SpecialistCrashed
from annotator_core.specialists.config import read_json
from annotator_core.specialists.contract import Identity, OnProgress, Prediction, ShouldStop, SpecialistSpec
from annotator_core.specialists.folder import FAKE_FILE, inspect_folder
from annotator_core.specialists.mapping import OUTSIDE, explain_abstentions, map_probs
from annotator_core.texts import find_flaw, hash_text

_STEP = 256
"""Texts between two looks at should_stop; chosen."""
_DRAW_BYTES: Final = 6
"""48 bits are exact in a float; chosen."""


@dataclass(frozen=True, slots=True)
class FakeSettings:
    """How a fake specialist behaves; written to and read from its folder.

    Its answer to a text is the label of the first keyword in it, else the label that the text's hash gives, the same
    for every fake. With probability ``noise`` (by seed and text) it gives another label instead, so ``1 - noise`` is
    its accuracy against that answer. ``nan_share`` and ``outside_share`` of the texts abstain. From the call of
    ``predict`` numbered ``crash_from_call`` (1 is the first, 0 never) it crashes ``crash_calls`` times.

    Trained, it gives the ``remembered`` label index of a text (by `texts.hash_text`) whatever the answer is, and each
    epoch multiplies its noise by ``learning``; where the training ``spoils`` it, its accuracy instead. A training step
    takes ``step_delay_s``.
    """

    labels: tuple[str, ...]
    seed: int = 0
    noise: float = 0.1
    keywords: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    nan_share: float = 0.0
    outside_share: float = 0.0
    crash_from_call: int = 0
    crash_calls: int = 1_000_000_000
    remembered: dict[str, int] = field(default_factory=dict)
    learning: float = 0.5
    spoils: bool = False
    step_delay_s: float = 0.0


def write_fake_specialist(folder: Path, settings: FakeSettings) -> Path:
    """Return the folder, made if need be, in which the fake specialist is now written."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FAKE_FILE).write_text(json.dumps(asdict(settings), ensure_ascii=False, indent=1), encoding="utf-8")
    return folder


def load(spec: SpecialistSpec) -> "FakeSpecialist":
    """Return the fake specialist of a folder; raises BadModelFolder, or BadLabelMap for a map of other labels."""
    settings = read_settings(spec.folder)
    if settings.labels != spec.label_map.model_labels:
        raise BadLabelMap(f"The label map of {spec.identity.name} is for other labels than the model's.")
    return FakeSpecialist(spec, settings)


def read_settings(folder: Path) -> FakeSettings:
    """Return how the fake specialist of a folder behaves; raises BadModelFolder for a folder that holds none."""
    card = inspect_folder(folder, allow_fake=True)
    return FakeSettings(**read_json(folder / FAKE_FILE) | {"labels": card.labels})


def find_answer(text: str, settings: FakeSettings) -> int:
    """Return the label index that a fake without noise gives: by keyword, else by the text's hash alone."""
    return int(_find_answers([text], [text.encode()], settings)[0])


def _find_answers(texts: Sequence[str], encoded: Sequence[bytes], settings: FakeSettings) -> IntArray:
    answers = (_draw(encoded, "answer") * len(settings.labels)).astype(np.int64)
    if settings.keywords:
        for row, text in enumerate(texts):
            found = next((label for word, label in settings.keywords.items() if word in text), None)
            if found is not None:
                answers[row] = settings.labels.index(found)
    return answers


class FakeSpecialist:
    """A specialist whose votes come from `FakeSettings`."""

    def __init__(self, spec: SpecialistSpec, settings: FakeSettings) -> None:
        """Keep what it is; nothing is loaded."""
        self._spec = spec
        self._settings = settings
        self._calls = 0

    @property
    def identity(self) -> Identity:
        """Who votes."""
        return self._spec.identity

    def predict(
        self, texts: Sequence[str], *, on_progress: OnProgress | None = None, should_stop: ShouldStop | None = None
    ) -> Prediction:
        """Return one vote or abstention for each text; see `contract.Specialist`.

        Raises SpecialistCrashed where the settings ask for it, PredictionStopped where should_stop does.
        """
        start = time.perf_counter()
        self._crash_on_demand()
        flaws = [find_flaw(text) for text in texts]
        label_probs = np.full((len(texts), len(self._settings.labels)), np.nan, dtype=np.float32)
        is_outside = np.zeros(len(texts), dtype=np.bool_)
        for low in range(0, len(texts), _STEP):
            _stop_on_demand(should_stop)
            high = min(low + _STEP, len(texts))
            rows = [row for row in range(low, high) if not flaws[row]]
            label_probs[rows], is_outside[rows] = self._answer([texts[row] for row in rows])
            if on_progress:
                on_progress(high, len(texts))
        return self._close(flaws, label_probs, is_outside, time.perf_counter() - start)

    def _close(
        self, flaws: list[str | None], label_probs: FloatArray, is_outside: BoolArray, seconds: float
    ) -> Prediction:
        probs = map_probs(label_probs, self._spec.label_map, self._spec.n_classes)
        probs[is_outside] = np.nan
        reasons = explain_abstentions(label_probs, probs)
        for row in np.flatnonzero(is_outside):
            reasons[row] = OUTSIDE
        return Prediction(probs, tuple(flaw or why for flaw, why in zip(flaws, reasons, strict=True)), 0, seconds)

    def _answer(self, texts: list[str]) -> tuple[FloatArray, BoolArray]:
        """Return the label probabilities of usable texts, NaN where it gives none, and which answers are no class."""
        settings, n_labels = self._settings, len(self._settings.labels)
        if settings.delay_s:
            time.sleep(settings.delay_s * len(texts))
        encoded = [text.encode() for text in texts]
        sureness = 0.55 + 0.44 * _draw(encoded, f"sureness {settings.seed}")
        probs = np.repeat(((1.0 - sureness) / max(n_labels - 1, 1))[:, None], n_labels, axis=1)
        probs[np.arange(len(texts)), self._choose(texts, encoded)] = sureness
        probs[self._are_drawn(encoded, "nan", settings.nan_share)] = np.nan
        return probs.astype(np.float32), self._are_drawn(encoded, "outside", settings.outside_share)

    def _choose(self, texts: list[str], encoded: list[bytes]) -> IntArray:
        settings, n_labels = self._settings, len(self._settings.labels)
        labels = _find_answers(texts, encoded, settings)
        if n_labels > 1:
            wrong = np.flatnonzero(self._are_drawn(encoded, "noise", settings.noise))
            others = _draw([encoded[row] for row in wrong], f"other {settings.seed}") * (n_labels - 1)
            labels[wrong] = (labels[wrong] + 1 + others.astype(np.int64)) % n_labels
        if settings.remembered:
            for row, text in enumerate(texts):
                labels[row] = settings.remembered.get(hash_text(text), labels[row])
        return labels

    def _are_drawn(self, encoded: list[bytes], purpose: str, share: float) -> BoolArray:
        if share <= 0:
            return np.zeros(len(encoded), dtype=np.bool_)
        return np.asarray(_draw(encoded, f"{purpose} {self._settings.seed}") < share)

    def _crash_on_demand(self) -> None:
        self._calls += 1
        first = self._settings.crash_from_call
        if first and first <= self._calls < first + self._settings.crash_calls:
            raise SpecialistCrashed(f"{self.identity.name} crashed at call {self._calls}, as its settings ask.")


def _stop_on_demand(should_stop: ShouldStop | None) -> None:
    if should_stop and should_stop():
        raise PredictionStopped("The prediction was stopped.")


def _draw(encoded: Sequence[bytes], purpose: str) -> npt.NDArray[np.float64]:
    """Return for each text a number in [0, 1) that depends on text and purpose alone."""
    seeded = hashlib.blake2b(f"{purpose}\0".encode(), digest_size=_DRAW_BYTES)
    digests = []
    for text in encoded:
        hasher = seeded.copy()
        hasher.update(text)
        digests.append(hasher.digest())
    padded = np.zeros((len(encoded), 8), dtype=np.uint8)
    padded[:, -_DRAW_BYTES:] = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, _DRAW_BYTES)
    return padded.view(">u8")[:, 0].astype(np.float64) / float(1 << 8 * _DRAW_BYTES)
