"""Files and folders that appear whole or not at all, also when the machine stops in between."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from safetensors import SafetensorError

from annotator_core.specialists.folder import list_files
from annotator_core.storage import report_storage

_OS_ERROR: Final = re.compile(r"os error (\d+)")
_WEIGHTS: Final = (".safetensors", ".safetensors.index.json")


@contextmanager
def report_disk(what: str) -> Iterator[None]:
    """Raise an OSError of the block as StoreFull or StorageError, also where safetensors met it."""
    with report_storage(what):
        try:
            yield
        except SafetensorError as error:
            # safetensors writes in Rust and tells the number of the system's error in its text only.
            number = _OS_ERROR.search(str(error))
            raise OSError(int(number[1]) if number else 0, str(error)) from error


@contextmanager
def write_beside(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which becomes `folder` when the block ends; nothing is left of it when it raises.

    Raises StoreFull or StorageError where the disk does not take it or `folder` exists.
    """
    beside = folder.with_name(f".{folder.name}.part")
    with report_disk(f"The folder {folder}"):
        beside.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        try:
            yield beside
            _settle(beside)
            os.rename(beside, folder)  # noqa: PTH104 - unlike Path.replace it says that it never merges
            sync(folder.parent)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def write_file(path: Path, content: str) -> None:
    """Write a small text file, whole and on the disk, in place of an older one; raises StoreFull or StorageError."""
    beside = path.with_name(f".{path.name}.part")
    with report_disk(f"The file {path}"):
        try:
            beside.write_text(content, encoding="utf-8")
            sync(beside)
            beside.replace(path)
            sync(path.parent)
        finally:
            beside.unlink(missing_ok=True)


def copy_companions(source: Path, target: Path) -> None:
    """Copy what stands beside a model's weights and config: its tokenizer, license and card."""
    for file in list_files(source):
        if file.name != "config.json" and not file.name.endswith(_WEIGHTS):
            shutil.copyfile(source / file.name, target / file.name)


def sync(path: Path) -> None:
    """Return when a file or folder is on the disk and would outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _settle(folder: Path) -> None:
    # safetensors' files are the owner's alone; a version is for everyone to read.
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
        sync(path)
    sync(folder)
