"""The bridge to the engine's scripts: templates, the check, the comparison in the box, and the voter's folder."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from django.conf import settings

from annotator_core.errors import BadModelFolder, PredictionStopped
from annotator_core.refine.trainer import Step, fine_tune
from annotator_core.scripts.asking import Subject
from annotator_core.scripts.box import Box, WhyNot, probe_box
from annotator_core.scripts.check import check_script
from annotator_core.scripts.compare import Comparison, Pilot, compare_script
from annotator_core.scripts.kinds import Kind
from annotator_core.scripts.learning import Bench, Teach, compare_training
from annotator_core.scripts.voter import write_script_file
from annotator_core.scripts.writing import ask_for_script, write_template
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.store import StoredModel, store_folder
from annotator_core.types import ABSTAIN
from labeling.specialists.engine import label_map_of, store_folder_of
from labeling.specialists.models import GeneratedScript, ScriptKind, SpecialistVersion

if TYPE_CHECKING:
    from annotator_core.meta.asking import LanguageModel

SHOWN_CHARS, LOG_CHARS = 300, 4_000


@dataclass(frozen=True, slots=True)
class Tried:
    """What a script did: a comparison as it is stored, or why this machine has no box."""

    comparison: dict[str, Any]
    why_not: str = ""


def write_code(script: GeneratedScript, model: "LanguageModel | None") -> str:
    """The script's source: by the language model, or by a template. Raises AnnotatorError's children."""
    kind = Kind(script.kind)
    if model is None:
        return write_template(kind)
    card = inspect_folder(store_folder_of(script.version.weights_hash))
    return ask_for_script(model, kind, card, script.number)


def find_problems(code: str, kind: str) -> list[dict[str, Any]]:
    """What the check finds in a source, as it is stored."""
    return [asdict(found) for found in check_script(code, Kind(kind))]


def why_no_box() -> str:
    """Why scripts cannot run on this machine, empty where they can."""
    box = probe_box()
    return box.reason if isinstance(box, WhyNot) else ""


def try_script(
    script: GeneratedScript, texts: Sequence[str], labels: Sequence[int], should_stop: Callable[[], bool]
) -> Tried:
    """The script in the box on pilot rows beside the engine. Raises AnnotatorError's children, PredictionStopped."""
    box = probe_box()
    if isinstance(box, WhyNot):
        return Tried({}, box.reason)
    version = script.version
    subject = Subject(
        store_folder_of(version.weights_hash), label_map_of(version), len(version.class_ids), version.max_length
    )
    pilot, kind = Pilot(tuple(texts), tuple(labels)), Kind(script.kind)
    if kind is Kind.FINE_TUNE:
        return Tried(_try_training(box, script, subject, pilot, should_stop))
    found = compare_script(box, kind, script.code, subject, pilot, should_stop)
    return Tried(_to_stored(found, version, script.kind, texts))


def _try_training(
    box: Box, script: GeneratedScript, subject: Subject, pilot: Pilot, should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """The comparison as it is stored; where it passes, the model that the script trained stands in the store."""
    store = Path(settings.MODEL_STORE)
    with TemporaryDirectory(prefix=".incoming-", dir=store) as name:
        bench = Bench(_teacher(should_stop), Path(name))
        found = compare_training(box, script.code, subject, pilot, bench, should_stop)
        stored = store_folder(bench.by_script, store) if found.passes else None
    comparison = _to_stored(found, script.version, script.kind, pilot.texts)
    return comparison | {"weights_hash": stored.hash if stored else ""}


def _teacher(should_stop: Callable[[], bool]) -> Teach:
    """The engine's trainer with the contract's figures; it leaves where the worker must."""

    def check(_step: Step) -> None:
        if should_stop():
            raise PredictionStopped("The training was stopped.")

    return lambda folder, texts, labels, out: fine_tune(folder, texts, labels, out, on_step=check)


def _to_stored(found: Comparison, version: SpecialistVersion, kind: str, texts: Sequence[str]) -> dict[str, Any]:
    """With class ids (labels of the model where the script answers by them), so that later names are shown."""
    names = version.class_ids if kind == ScriptKind.ANNOTATE else version.model_labels
    differences = [
        {
            "text": texts[one.row][:SHOWN_CHARS],
            "engine": None if one.engine == ABSTAIN else names[one.engine],
            "script": None if one.script == ABSTAIN else names[one.script],
            "engine_prob": one.engine_prob,
            "script_prob": one.script_prob,
        }
        for one in found.differences
    ]
    return asdict(found) | {"differences": differences, "passes": found.passes, "log": found.log[-LOG_CHARS:]}


def label_indices(version: SpecialistVersion, class_ids: Sequence[int]) -> list[int | None]:
    """For each class the first of the model's labels that means it, None where none does."""
    return [version.targets.index(one) if one in version.targets else None for one in class_ids]


def has_result(script: GeneratedScript) -> bool:
    """Whether the model that a fine-tuning script trained is still in the store."""
    weights_hash = script.comparison.get("weights_hash", "")
    return bool(weights_hash) and store_folder_of(weights_hash).is_dir()


def store_voter(script: GeneratedScript, store: Path) -> StoredModel:
    """The model's files with the script beside them, in the store under a hash of their own.

    Of a script that fine-tunes it is the model that it trained. Raises BadModelFolder where that is gone.
    """
    kind = Kind(script.kind)
    if kind is Kind.FINE_TUNE:
        if not has_result(script):
            raise BadModelFolder("The model that this script trained is not in the store any more.")
        weights_hash = script.comparison["weights_hash"]
        return StoredModel(weights_hash, store_folder_of(weights_hash))
    with TemporaryDirectory(prefix=".incoming-", dir=store) as name:
        folder = Path(name, "model")
        shutil.copytree(store_folder_of(script.version.weights_hash), folder)
        write_script_file(script.code, folder, kind)
        return store_folder(folder, store)
