"""The model store: immutable folders named by the hash of their content. Standard library only."""

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from annotator_core.specialists.folder import hash_folder, list_files
from annotator_core.storage import report_storage


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model in the store: the hash of its content (64 hex characters) and its folder, ``store_root / hash``."""

    hash: str
    path: Path


def store_folder(source: Path, store_root: Path) -> StoredModel:
    """Return where the model now stands in the store: a copy of the files that count, made beside and renamed.

    A model that is there already is left as it is. Raises BadModelFolder for a source that cannot be read, StoreFull
    or StorageError where the store cannot be written; nothing half-done stays behind.
    """
    with report_storage(f"The model store {store_root}"):
        store_root.mkdir(parents=True, exist_ok=True)
        incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=store_root))
        try:
            return _publish(_copy_files(source, incoming / "model"), store_root)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)


def _copy_files(source: Path, target: Path) -> Path:
    target.mkdir()
    for file in list_files(source):
        shutil.copyfile(source / file.name, target / file.name)
        with (target / file.name).open("rb") as copy:
            os.fsync(copy.fileno())
    return target


def _publish(copied: Path, store_root: Path) -> StoredModel:
    # Hashed after copying: the source may change in between.
    content_hash = hash_folder(copied)
    stored = StoredModel(content_hash, store_root / content_hash)
    try:
        copied.rename(stored.path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    return stored
