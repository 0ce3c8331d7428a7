"""The bridge to the engine: a version's files become votes. Loading a model is the work of a heavy worker, never of a page."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from django.conf import settings

from annotator_core.specialists.contract import Identity, Prediction, Specialist, SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap
from labeling.specialists.models import SpecialistVersion

KEPT_LOADED = 8
_loaded: OrderedDict[int, Specialist] = OrderedDict()
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


def _load(version: SpecialistVersion) -> Specialist:
    """The loaded model, kept for the next chunk; a version never changes, so its id names it."""
    with _lock:
        if version.pk not in _loaded:
            identity = Identity(str(version), version.specialist.revision, version.weights_hash)
            spec = SpecialistSpec(
                folder=store_folder_of(version.weights_hash),
                label_map=label_map_of(version),
                n_classes=len(version.class_ids),
                max_length=version.max_length,
                identity=identity,
            )
            _loaded[version.pk] = load_specialist(version.backend, spec)
            if len(_loaded) > KEPT_LOADED:
                _loaded.popitem(last=False)
        _loaded.move_to_end(version.pk)
        return _loaded[version.pk]
