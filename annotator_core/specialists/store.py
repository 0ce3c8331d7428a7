"""The model store: immutable folders named by the hash of their content. Standard library only."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from annotator_core.errors import StorageError, StoreFull
from annotator_core.specialists.folder import hash_folder, list_files

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


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


@contextmanager
def report_storage(what: str) -> Iterator[None]:
    """Raise an OSError of the block as StoreFull or StorageError; what begins the message, as in ``The file a.csv``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise StoreFull(f"{what} has no room left ({reason}): free some space and try again.") from error
        raise StorageError(f"{what} cannot be used ({reason}): check the path and its permissions.") from error


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
