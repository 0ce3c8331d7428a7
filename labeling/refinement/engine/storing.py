"""The chosen candidate goes into the model store, with a manifest that says how it came to be."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from annotator_core.refine.gate import GateResult
from annotator_core.specialists.folder import list_files
from annotator_core.specialists.store import StoredModel, store_folder
from annotator_core.storage import report_storage
from annotator_core.types import ABSTAIN, LabelMap
from labeling.refinement.engine.court import Court
from labeling.refinement.figures import GateFigures, Manifest
from labeling.refinement.row_queries import hash_rows
from labeling.specialists.actions import Made

MANIFEST_FILE = "manifest.json"


def _targets(label_map: LabelMap, class_ids: Sequence[int]) -> tuple[int | None, ...]:
    return tuple(None if target == ABSTAIN else class_ids[target] for target in label_map.targets)


def make_manifest(
    court: Court, chosen: tuple[int, float], result: GateResult | None, figures: GateFigures | None
) -> Manifest:
    """How the chosen (epoch, share) came to be and what the gate said of it."""
    round_, names = court.challenger.round, court.request.class_names
    rows = ("pool_rows", "random_rows", "replay_rows", "choose_rows", "decide_rows")
    return Manifest(
        specialist=court.challenger.specialist.name,
        backend=court.request.backend,
        parent=court.champion.weights_hash,
        policy=round_.run.policy if round_.run else "",
        seed=round_.seed,
        data=hash_rows(round_),
        rows={name: getattr(round_, name) for name in rows},
        plan=asdict(court.request.plan),
        labels=court.trained.label_map.model_labels,
        classes=tuple(None if target == ABSTAIN else names[target] for target in court.trained.label_map.targets),
        epoch=chosen[0],
        share=chosen[1],
        verdict=result.verdict if result else "",
        p_better=result.p_better if result else None,
        accuracy_before=result.champion_accuracy if result else None,
        accuracy_after=result.challenger_accuracy if result else None,
        gate=figures,
    )


def store(court: Court, folder: Path, manifest: Manifest) -> Made:
    """Put the folder with its manifest into the store, where it appears whole under the hash of its content."""
    content = json.dumps(manifest.as_json(), ensure_ascii=False, indent=1, sort_keys=True)
    with report_storage(f"The folder {folder}"):
        (folder / MANIFEST_FILE).write_text(content + "\n", encoding="utf-8")
    stored: StoredModel = store_folder(folder, Path(settings.MODEL_STORE))
    return Made(
        weights_hash=stored.hash,
        size_bytes=sum(file.size_bytes for file in list_files(stored.path)),
        backend=court.request.backend,
        model_labels=court.trained.label_map.model_labels,
        targets=_targets(court.trained.label_map, court.champion.class_ids),
        class_ids=tuple(court.champion.class_ids),
        max_length=court.champion.max_length,
        manifest=json.loads(content),
    )
