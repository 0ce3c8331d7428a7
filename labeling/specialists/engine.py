"""The bridge to the engine: a version's files become votes. A heavy worker loads models, never a page."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
from django.conf import settings

from annotator_core.specialists.contract import Identity, Prediction, Specialist, SpecialistSpec
from annotator_core.specialists.label_map import (
    BetterPermutation,
    ProblemKind,
    find_better_permutation,
    find_problems,
    propose,
)
from annotator_core.specialists.mapping import map_probs
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap
from labeling.specialists.models import SpecialistVersion

KEPT_LOADED = 8
_loaded: OrderedDict[tuple[object, ...], Specialist] = OrderedDict()
_lock = Lock()


def store_folder_of(weights_hash: str) -> Path:
    """The folder in the model store that holds these weights."""
    return Path(settings.MODEL_STORE) / weights_hash


def label_map_of(version: SpecialistVersion) -> LabelMap:
    """The version's map from model labels to indices into its class ids."""
    indices = {class_id: index for index, class_id in enumerate(version.class_ids)}
    return LabelMap(tuple(version.model_labels), tuple(indices.get(target, ABSTAIN) for target in version.targets))


def predict(
    version: SpecialistVersion,
    texts: Sequence[str],
    *,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Prediction:
    """The version's votes on the texts: probs (n, k) over `version.class_ids`. Raises AnnotatorError's children."""
    return _load(version).predict(texts, on_progress=on_progress, should_stop=should_stop)


def _spec(version: SpecialistVersion) -> SpecialistSpec:
    return SpecialistSpec(
        folder=store_folder_of(version.weights_hash),
        label_map=label_map_of(version),
        n_classes=len(version.class_ids),
        max_length=version.max_length,
        identity=Identity(str(version), version.specialist.revision, version.weights_hash),
    )


def _load(version: SpecialistVersion) -> Specialist:
    """The loaded model, kept for the next chunk under everything that makes it what it is."""
    label_map = label_map_of(version)
    key = (version.backend, version.weights_hash, label_map, len(version.class_ids), version.max_length)
    with _lock:
        if key not in _loaded:
            _loaded[key] = load_specialist(version.backend, _spec(version))
            if len(_loaded) > KEPT_LOADED:
                _loaded.popitem(last=False)
        _loaded.move_to_end(key)
        return _loaded[key]


@dataclass(frozen=True, slots=True)
class Tryout:
    """A specialist read without its map: top model label and class of each row (-1 for an abstention), and the cost."""

    top_labels: tuple[int, ...]
    classes: tuple[int, ...]
    tops: tuple[float, ...]
    reasons: tuple[str, ...]
    truncated: int
    seconds: float


def try_out(version: SpecialistVersion, texts: Sequence[str], should_stop: Callable[[], bool]) -> Tryout:
    """The version's answers on a few texts, by model label and by class. Raises AnnotatorError's children."""
    plain = LabelMap(tuple(version.model_labels), tuple(range(len(version.model_labels))))
    spec = replace(_spec(version), label_map=plain, n_classes=len(version.model_labels))
    found = load_specialist(version.backend, spec).predict(texts, should_stop=should_stop)
    mapped = map_probs(found.probs, label_map_of(version), len(version.class_ids))
    has_label, has_class = ~np.isnan(found.probs[:, 0]), ~np.isnan(mapped[:, 0])
    return Tryout(
        top_labels=tuple(np.where(has_label, np.nan_to_num(found.probs).argmax(axis=1), ABSTAIN).tolist()),
        classes=tuple(np.where(has_class, np.nan_to_num(mapped).argmax(axis=1), ABSTAIN).tolist()),
        tops=tuple(np.nan_to_num(mapped).max(axis=1).tolist()),
        reasons=tuple(reason or "" for reason in found.reasons),
        truncated=found.truncated,
        seconds=found.seconds,
    )


def better_map(version: SpecialistVersion, tryout: Tryout, gold: Sequence[int]) -> BetterPermutation | None:
    """Another reading of the model's labels that fits the gold classes clearly better, None when there is none."""
    return find_better_permutation(tryout.top_labels, gold, label_map_of(version), len(version.class_ids))


def proposed_targets(
    model_labels: Sequence[str], class_ids: Sequence[int], class_names: Sequence[str]
) -> list[tuple[int | None, str]]:
    """For each model label the class id it seems to mean (None when a person must say), and how that was found."""
    proposal = propose(model_labels, class_names)
    targets = proposal.label_map.targets
    return [(None if t == ABSTAIN else class_ids[t], how.value) for t, how in zip(targets, proposal.how, strict=True)]


def map_problems(
    model_labels: Sequence[str], targets: Sequence[int | None], class_ids: Sequence[int]
) -> list[tuple[str, list[int]]]:
    """What is wrong with a map: (message, ids of classes without a label). Holes are told like the rest."""
    indices = {class_id: index for index, class_id in enumerate(class_ids)}
    label_map = LabelMap(tuple(model_labels), tuple(ABSTAIN if t is None else indices[t] for t in targets))
    found = find_problems(label_map, len(class_ids))
    return [
        (problem.message, [class_ids[i] for i in problem.positions] if problem.kind is ProblemKind.HOLE else [])
        for problem in found
    ]
