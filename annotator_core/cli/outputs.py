"""Files and figures out: a file is written beside and renamed, so that a reader sees all of it or nothing."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Self, TextIO

from annotator_core.errors import BadInput, StorageError
from annotator_core.storage import report_storage

_STANDARD_OUTPUTS: Final = (Path("-"), Path("/dev/stdout"))
_STANDARD_OUTPUT: Final = "Standard output"


def is_direct(path: Path) -> bool:
    """Return whether a path is no file of its own (standard output, a pipe, a device): it is written to at once."""
    return path in _STANDARD_OUTPUTS or (path.exists() and not path.is_file())


def check_place(path: Path) -> None:
    """Raise BadInput where a folder has the name of an output, StorageError where standard output is closed."""
    if path in _STANDARD_OUTPUTS:
        _find_standard_output()
    elif path.is_dir():
        raise BadInput(f"{path} is a folder: name a file in it with --out.")


def name_part(path: Path) -> Path:
    """Return where an output grows until it is finished."""
    return path.with_name(f".{path.name}.part")


def name_answers(path: Path) -> Path:
    """Return where a language model's answers stand beside an output until it is finished."""
    return path.with_name(f".{path.name}.answers")


def write_result(text: str) -> None:
    """Write to standard output, and see that it gets there: after the command nobody could tell that it did not.

    Raises StoreFull and StorageError, BrokenPipeError where the reader of a pipe is gone.
    """
    output = _find_standard_output()
    with report_writing(_STANDARD_OUTPUT):
        output.write(text)
        output.flush()


@contextmanager
def report_writing(what: str) -> Iterator[None]:
    """Raise an OSError of the block as `report_storage` does, but leave a BrokenPipeError as it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError:
        with report_storage(what):
            raise


def _find_standard_output() -> TextIO:
    if sys.stdout is None:
        raise StorageError("Standard output is closed: name a file, or send the output to one with >.")
    return sys.stdout


class Output:
    """A file that grows beside its place, until `publish` gives it its name.

    A direct path is written to at once. Raises StoreFull and StorageError, BrokenPipeError where the reader of a pipe
    is gone.
    """

    def __init__(self, path: Path, keep_bytes: int = 0, *, keeps_part: bool = False) -> None:
        """Open the file; of a part that stands there already the first so many bytes stay.

        keeps_part: what was written stays after an error, for a journal to decide about.
        """
        self._path, self._is_direct, self._keeps_part = path, is_direct(path), keeps_part
        with self._report():
            self._file = self._open(keep_bytes)
        self.size_bytes = keep_bytes

    def __enter__(self) -> Self:
        """Return the output."""
        return self

    def __exit__(self, error_type: type[BaseException] | None, *exc_info: object) -> None:
        """Close the file, and remove it after an error."""
        if self._path in _STANDARD_OUTPUTS:
            return
        with suppress(OSError):
            self._file.close()
        if error_type is not None and not self._is_direct and not self._keeps_part:
            name_part(self._path).unlink(missing_ok=True)

    def write(self, content: bytes) -> None:
        """Append the content."""
        with self._report():
            self._file.write(content)
            self._file.flush()
        self.size_bytes += len(content)

    def publish(self) -> None:
        """Give the file its name."""
        if self._is_direct:
            return
        with self._report():
            os.fsync(self._file.fileno())
            self._file.close()
            name_part(self._path).replace(self._path)

    def _open(self, keep_bytes: int) -> IO[bytes]:
        if self._path in _STANDARD_OUTPUTS:
            return _find_standard_output().buffer
        if self._is_direct:
            return self._path.open("wb")
        file = name_part(self._path).open("r+b" if keep_bytes else "wb")
        file.truncate(keep_bytes)
        file.seek(keep_bytes)
        return file

    def _report(self) -> AbstractContextManager[None]:
        return report_writing(_STANDARD_OUTPUT if self._path in _STANDARD_OUTPUTS else f"The file {self._path}")
