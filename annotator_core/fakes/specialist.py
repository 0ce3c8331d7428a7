"""A fake specialist: deterministic votes from keywords and text hashes, in milliseconds, without torch."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.errors import BadLabelMap, PredictionStopped, SpecialistCrashed
from annotator_core.specialists.config import read_json
from annotator_core.specialists.contract import Identity, OnProgress, Prediction, ShouldStop, SpecialistSpec
from annotator_core.specialists.folder import FAKE_FILE, inspect_folder
from annotator_core.specialists.mapping import OUTSIDE, explain_abstentions, map_probs
from annotator_core.texts import find_flaw, hash_text

_STEP = 256
"""Texts between two looks at should_stop; chosen."""


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
    for word, label in settings.keywords.items():
        if word in text:
            return settings.labels.index(label)
    return int(_draw(text, "answer") * len(settings.labels))


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
        """Return one vote or abstention for each text; raises SpecialistCrashed where the settings ask for it."""
        start = time.perf_counter()
        self._crash_on_demand()
        flaws = [find_flaw(text) for text in texts]
        label_probs = np.full((len(texts), len(self._settings.labels)), np.nan, dtype=np.float32)
        for low in range(0, len(texts), _STEP):
            _stop_on_demand(should_stop)
            high = min(low + _STEP, len(texts))
            for row in range(low, high):
                if not flaws[row]:
                    self._answer(texts[row], label_probs[row])
            if on_progress:
                on_progress(high, len(texts))
        return self._close(texts, flaws, label_probs, time.perf_counter() - start)

    def _close(
        self, texts: Sequence[str], flaws: list[str | None], label_probs: FloatArray, seconds: float
    ) -> Prediction:
        probs = map_probs(label_probs, self._spec.label_map, self._spec.n_classes)
        reasons = explain_abstentions(label_probs, probs)
        for row, text in enumerate(texts):
            if flaws[row]:
                reasons[row] = flaws[row]
            elif self._is_drawn(text, "outside", self._settings.outside_share):
                probs[row], reasons[row] = np.nan, OUTSIDE
        return Prediction(probs, tuple(reasons), 0, seconds)

    def _answer(self, text: str, out: FloatArray) -> None:
        """Write the label probabilities of one text, or leave the row NaN."""
        settings, n_labels = self._settings, len(self._settings.labels)
        if settings.delay_s:
            time.sleep(settings.delay_s)
        if self._is_drawn(text, "nan", settings.nan_share):
            return
        label = self._choose(text, n_labels)
        sureness = 0.55 + 0.44 * _draw(text, f"sureness {settings.seed}")
        out[:] = (1.0 - sureness) / max(n_labels - 1, 1)
        out[label] = sureness

    def _choose(self, text: str, n_labels: int) -> int:
        settings = self._settings
        if settings.remembered and (remembered := settings.remembered.get(hash_text(text))) is not None:
            return remembered
        label = find_answer(text, settings)
        if n_labels > 1 and self._is_drawn(text, "noise", settings.noise):
            label = (label + 1 + int(_draw(text, f"other {settings.seed}") * (n_labels - 1))) % n_labels
        return label

    def _is_drawn(self, text: str, purpose: str, share: float) -> bool:
        return share > 0 and _draw(text, f"{purpose} {self._settings.seed}") < share

    def _crash_on_demand(self) -> None:
        self._calls += 1
        first = self._settings.crash_from_call
        if first and first <= self._calls < first + self._settings.crash_calls:
            raise SpecialistCrashed(f"{self.identity.name} crashed at call {self._calls}, as its settings ask.")


def _stop_on_demand(should_stop: ShouldStop | None) -> None:
    if should_stop and should_stop():
        raise PredictionStopped("The prediction was stopped.")


def _draw(text: str, purpose: str) -> float:
    """Return a number in [0, 1) that depends on text and purpose alone."""
    digest = hashlib.blake2b(f"{purpose}\0{text}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / (1 << 48)
