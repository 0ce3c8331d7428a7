"""A training's state on the disk: whole or not there, named by its step and by the hash of its bytes."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO, Final, cast

from annotator_core.errors import AnnotatorError
from annotator_core.refine.folders import report_disk, sync

_NAME: Final = re.compile(r"(\d{9})-([0-9a-f]{64})\.pt")
_PART: Final = ".part"
_BLOCK_BYTES: Final = 1 << 20


class BrokenCheckpoint(AnnotatorError):
    """A checkpoint is damaged: the training has to begin again."""


def save_checkpoint(folder: Path, step: int, state: Mapping[str, Any]) -> Path:
    """Return the file that now holds the state on the disk; older checkpoints of the folder are removed.

    state: tensors, numbers, strings, and lists, tuples and dicts of them. Raises StoreFull or StorageError; what was
    there before then still stands.
    """
    with report_disk(f"The folder {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / _PART
        try:
            digest = _write(part, state)
            sync(part)
            path = folder / f"{step:09d}-{digest}.pt"
            part.replace(path)
            sync(folder)
        finally:
            part.unlink(missing_ok=True)
        for older in folder.glob("*.pt"):
            if older != path:
                older.unlink()
    return path


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return the newest state, its tensors on the CPU, None where there is none.

    Raises BrokenCheckpoint for a damaged one. No code in the file is ever run.
    """
    import torch

    with report_disk(f"The folder {folder}"):
        found = sorted(folder.glob("*.pt"))
        if not found:
            return None
        named = _NAME.fullmatch(found[-1].name)
        if not named or named[2] != _hash_file(found[-1]):
            raise BrokenCheckpoint(f"{found[-1].name} is damaged.")
        try:
            state: dict[str, Any] = torch.load(found[-1], map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, ValueError, KeyError, UnpicklingError) as error:
            raise BrokenCheckpoint(f"{found[-1].name} cannot be read.") from error
    return state


def _write(path: Path, state: Mapping[str, Any]) -> str:
    import torch

    with path.open("wb") as file:
        sink = _HashedFile(file)
        try:
            torch.save(dict(state), cast(BinaryIO, sink))
        except RuntimeError as error:
            # torch meets the failure of a write a second time when it closes its archive, and tells that one.
            raise sink.error or error from None
    return sink.digest.hexdigest()


class _HashedFile:
    """A file to write to that hashes what goes through and keeps the first error of the disk."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self.error: OSError | None = None
        self._file = file

    def write(self, data: bytes) -> int:
        """Return the number of bytes written."""
        self.digest.update(data)
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
