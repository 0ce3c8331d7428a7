"""The bridge to the engine's scripts: templates, the check, the comparison in the box, and the voter's folder."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from annotator_core.scripts.box import WhyNot, probe_box
from annotator_core.scripts.check import check_script
from annotator_core.scripts.compare import Comparison, Pilot, Subject, compare_script
from annotator_core.scripts.kinds import Kind
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
    pilot = Pilot(tuple(texts), tuple(labels))
    found = compare_script(box, Kind(script.kind), script.code, subject, pilot, should_stop)
    return Tried(_to_stored(found, version, script.kind, texts))


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


def store_voter(script: GeneratedScript, store: Path) -> StoredModel:
    """The model's files with the script beside them, in the store under a hash of their own."""
    with TemporaryDirectory(prefix=".voter-", dir=store) as name:
        folder = Path(name, "model")
        shutil.copytree(store_folder_of(script.version.weights_hash), folder)
        write_script_file(script.code, folder)
        return store_folder(folder, store)
