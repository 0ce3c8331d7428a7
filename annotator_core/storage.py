"""Errors of the disk as errors for a person. Standard library only."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from annotator_core.errors import StorageError, StoreFull

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


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
