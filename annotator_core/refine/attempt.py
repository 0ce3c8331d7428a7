"""What stands in a training's workplace: whose it is, which epochs are finished, and the result."""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Final

from annotator_core.refine.folders import report_disk, write_file
from annotator_core.refine.plan import Trained, TrainingRequest
from annotator_core.specialists.folder import hash_folder

CHECKPOINT: Final = "checkpoint"
_REQUEST: Final = "request.sha256"
_RESULT: Final = "trained.json"
_FORMAT: Final = 1
"""Part of the digest: a change of what a checkpoint holds makes older ones those of another training."""
OTHER_TRAINING: Final = (
    "What was found in the workplace is of another training (another model, other rows, classes or figures): "
    "the training began again."
)


def digest_request(request: TrainingRequest) -> str:
    """Return 64 hex characters over everything that decides the outcome: rows, map, classes, figures, the model."""
    facts = {
        "format": _FORMAT,
        "backend": request.backend,
        "plan": asdict(request.plan),
        "rows": [[row.text, row.class_index, row.weight] for row in request.rows],
        "labels": [request.label_map.model_labels, request.label_map.targets],
        "classes": request.class_names,
        "folder": hash_folder(request.folder),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def open_attempt(request: TrainingRequest, workplace: Path) -> str:
    """Return why an earlier attempt was thrown away, empty where it goes on or there was none.

    From here on all that stands in the workplace belongs to this request.
    """
    digest = digest_request(request)
    with report_disk(f"The workplace {workplace}"):
        workplace.mkdir(parents=True, exist_ok=True)
        stored = workplace / _REQUEST
        if stored.is_file() and stored.read_text(encoding="utf-8") == digest:
            return ""
    is_other = clear_attempt(workplace)
    write_file(workplace / _REQUEST, digest)
    return OTHER_TRAINING if is_other else ""


def clear_attempt(workplace: Path) -> bool:
    """Return whether there were checkpoints, epochs or a result; they are removed, other files stay."""
    with report_disk(f"The workplace {workplace}"):
        found = [*workplace.glob(CHECKPOINT), *workplace.glob("epoch-*"), *workplace.glob(_RESULT)]
        for path in (*found, *workplace.glob(".epoch-*.part")):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    return bool(found)


def epoch_folder(workplace: Path, epoch: int) -> Path:
    """Return where the model stands as it is after an epoch, counted from 1."""
    return workplace / f"epoch-{epoch}"


def find_folders(request: TrainingRequest, workplace: Path) -> tuple[Path, ...]:
    """Return the folder of each epoch, whether it is there yet or not."""
    return tuple(epoch_folder(workplace, epoch) for epoch in range(1, request.plan.epochs + 1))


def read_result(request: TrainingRequest, workplace: Path) -> Trained | None:
    """Return what the training gave, None where it has not ended."""
    folders = find_folders(request, workplace)
    path = workplace / _RESULT
    with report_disk(f"The file {path}"):
        if not path.is_file() or not all(folder.is_dir() for folder in folders):
            return None
        losses = json.loads(path.read_text(encoding="utf-8"))["losses"]
    return Trained(folders, request.trained_map, tuple(losses))


def write_result(request: TrainingRequest, workplace: Path, losses: tuple[float, ...], discarded: str) -> Trained:
    """Return what the training gave, kept for the next call; its checkpoints are removed. losses: in nats."""
    write_file(workplace / _RESULT, json.dumps({"losses": losses}))
    with report_disk(f"The workplace {workplace}"):
        if (workplace / CHECKPOINT).exists():
            shutil.rmtree(workplace / CHECKPOINT)
    return Trained(find_folders(request, workplace), request.trained_map, losses, discarded)
