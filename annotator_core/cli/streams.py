"""What can be read only once: standard input, and pipes under a name, as ``<(zcat x.gz)`` makes them."""

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from annotator_core.errors import BadInput
from annotator_core.storage import report_storage

PLACE: Final = "The folder for temporary files"
_STANDARD_INPUTS: Final = (Path("-"), Path("/dev/stdin"))
_CHUNK_BYTES: Final = 1_000_000


def is_standard_input(path: Path) -> bool:
    """Return whether a path means standard input."""
    return path in _STANDARD_INPUTS


def is_stream(path: Path) -> bool:
    """Return whether what stands there can be read only once; of what is not there nothing is known."""
    if is_standard_input(path):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False  # opening it says why
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def copy_stream(path: Path, copy: Path, name: str) -> None:
    """Copy all of a stream to a file; name is what messages call it.

    Raises BadInput where it cannot be read, StoreFull or StorageError where the copy cannot be written.
    """
    with report_storage(PLACE), copy.open("wb") as file, _open(path, name) as source:
        while content := _read_some(source, name):
            file.write(content)


@contextmanager
def report_reading(name: str) -> Iterator[None]:
    """Raise an OSError of the block as BadInput; name begins the message."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"{name} cannot be read ({error.strerror}): check the path.") from error


@contextmanager
def _open(path: Path, name: str) -> Iterator[IO[bytes]]:
    if not is_standard_input(path):
        with report_reading(name):
            file = path.open("rb")
        with file:
            yield file
    elif sys.stdin is None:
        raise BadInput("Standard input is closed: name a file, or send a table in with |.")
    else:
        yield sys.stdin.buffer


def _read_some(source: IO[bytes], name: str) -> bytes:
    with report_reading(name):
        return source.read(_CHUNK_BYTES)
