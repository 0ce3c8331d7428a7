"""A training's state on the disk: whole or not there, named by its step and by the hash of its bytes.

safetensors, with all that is no tensor as JSON in its header: nothing in the file can run code.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from annotator_core.errors import AnnotatorError
from annotator_core.refine.folders import report_disk, sync

if TYPE_CHECKING:
    from torch import Tensor

_NAME: Final = re.compile(r"(\d{9})-([0-9a-f]{64})\.safetensors")
_FILES: Final = "*.safetensors"
_PART: Final = ".part"
_HEADER: Final = "state"
_BLOCK_BYTES: Final = 1 << 20


class BrokenCheckpoint(AnnotatorError):
    """A checkpoint is damaged: the training has to begin again."""


def save_checkpoint(folder: Path, step: int, state: Mapping[str, Any]) -> Path:
    """Return the file that now holds the state on the disk; older checkpoints of the folder are removed.

    state: tensors, numbers, strings, None, and lists, tuples and dicts of them. Raises StoreFull or StorageError; what
    was there before then still stands. Raises TypeError for anything else in the state.
    """
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    header = json.dumps(_encode(dict(state), tensors))
    with report_disk(f"The folder {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / _PART
        save_file(tensors, part, metadata={_HEADER: header})
        sync(part)
        path = folder / f"{step:09d}-{_hash_file(part)}.safetensors"
        part.replace(path)
        sync(folder)
        for older in folder.glob(_FILES):
            if older != path:
                older.unlink()
    return path


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return the newest state, its tensors on the CPU, None where there is none.

    Raises BrokenCheckpoint for a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    with report_disk(f"The folder {folder}"):
        found = sorted(folder.glob(_FILES))
        if not found:
            return None
        named = _NAME.fullmatch(found[-1].name)
        if not named or named[2] != _hash_file(found[-1]):
            raise BrokenCheckpoint(f"{found[-1].name} is damaged.")
        try:
            with safe_open(found[-1], framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping: it has no iterator)
                state: dict[str, Any] = _decode(json.loads(file.metadata()[_HEADER]), tensors)
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise BrokenCheckpoint(f"{found[-1].name} cannot be read.") from error
    return state


def _encode(value: Any, tensors: dict[str, "Tensor"]) -> Any:
    """The value as JSON: [kind, content] for what is no plain number or string; tensors go to `tensors` by number."""
    import torch

    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        # A copy each: tied weights share their memory, which the format refuses.
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return ["tensor", name]
    if isinstance(value, dict):
        return ["dict", [[_encode(key, tensors), _encode(each, tensors)] for key, each in value.items()]]
    if isinstance(value, list | tuple):
        return ["tuple" if isinstance(value, tuple) else "list", [_encode(each, tensors) for each in value]]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint cannot hold {type(value).__name__}")


def _decode(value: Any, tensors: Mapping[str, "Tensor"]) -> Any:
    if not isinstance(value, list):
        return value
    kind, content = value
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {_decode(key, tensors): _decode(each, tensors) for key, each in content}
    items = [_decode(each, tensors) for each in content]
    return tuple(items) if kind == "tuple" else items


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
