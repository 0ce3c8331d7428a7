"""TF-IDF with logistic regression as a specialist: no model library, thousands of texts a second on one core."""

import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.errors import BadLabelMap, BadModelFolder
from annotator_core.linear.features import Featurizer
from annotator_core.linear.model import LinearModel, read_linear
from annotator_core.specialists.contract import Identity, OnProgress, Prediction, ShouldStop, SpecialistSpec
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.mapping import explain_abstentions, map_probs, softmax
from annotator_core.specialists.windows import Window, split_windows

_STEP: Final = 2_000
"""Distinct texts between two looks at should_stop, under a second of work; chosen."""


def load(spec: SpecialistSpec) -> "LinearSpecialist":
    """Return the specialist of a folder; it reads whole texts, whatever the spec's max_length.

    Raises BadModelFolder when the folder is refused or damaged, BadLabelMap for a map of other labels.
    """
    card = inspect_folder(spec.folder)
    if card.backend != "linear":
        raise BadModelFolder(f"{spec.folder} holds a {card.backend} model, no linear one.")
    if card.labels != spec.label_map.model_labels:
        raise BadLabelMap(f"The label map of {spec.identity.name} is for other labels than the model's.")
    return LinearSpecialist(spec, read_linear(spec.folder))


class LinearSpecialist:
    """A linear classifier that votes. Not safe for two threads at once."""

    def __init__(self, spec: SpecialistSpec, model: LinearModel) -> None:
        """Keep the loaded parts; use `load`."""
        self._spec = spec
        self._featurizer = Featurizer(model.blocks, model.terms, model.idf)
        self._coef = np.ascontiguousarray(model.weights.coef.T, dtype=np.float64)
        self._intercept = model.weights.intercept.astype(np.float64)

    @property
    def identity(self) -> Identity:
        """Who votes."""
        return self._spec.identity

    def predict(
        self, texts: Sequence[str], *, on_progress: OnProgress | None = None, should_stop: ShouldStop | None = None
    ) -> Prediction:
        """Return one vote or abstention for each text; see `contract.Specialist`.

        A text without a known term gets the shares that the classes had in training. Raises PredictionStopped where
        should_stop says so.
        """
        start = time.perf_counter()
        probs = np.full((len(texts), self._spec.n_classes), np.nan, dtype=np.float32)
        reasons: list[str | None] = []
        for window_texts in split_windows(texts):
            low, high = len(reasons), len(reasons) + len(window_texts)
            window = Window(window_texts, low, len(texts), on_progress, should_stop)
            probs[low:high], window_reasons = self._predict_window(window)
            reasons += window_reasons
        return Prediction(probs, tuple(reasons), 0, time.perf_counter() - start)

    def _predict_window(self, window: Window) -> tuple[FloatArray, list[str | None]]:
        # The last row is that of texts which nobody can vote on.
        logits = np.full((len(window.usable) + 1, len(self._intercept)), np.nan, dtype=np.float32)
        for low in range(0, len(window.usable), _STEP):
            rows = np.arange(low, min(low + _STEP, len(window.usable)), dtype=np.int64)
            features = self._featurizer.transform(window.usable[low : low + _STEP])
            logits[rows] = features @ self._coef + self._intercept
            window.report(rows)
        label_probs = softmax(logits)
        probs = map_probs(label_probs, self._spec.label_map, self._spec.n_classes)
        reasons = explain_abstentions(label_probs, probs)
        return probs[window.slots], window.spread(reasons)
