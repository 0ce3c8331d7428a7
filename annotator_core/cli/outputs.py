"""Files out: written beside and renamed, so that a reader sees all of it or nothing."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Self

from annotator_core.cli.tables import Kind
from annotator_core.storage import report_storage


class Output:
    """A file of rows with these columns; it takes its name only when the ``with`` block ends without an error.

    A path that is no regular file (a pipe, /dev/stdout) is written to directly. Raises StoreFull and StorageError.
    """

    def __init__(self, path: Path, kind: Kind, columns: Sequence[str]) -> None:
        """Open the file beside its place."""
        self._path, self._kind, self._columns = path, kind, columns
        self._is_direct = path.exists() and not path.is_file()
        with self._report():
            self._file = self._open()
        if kind == "csv":
            self._write(_write_csv(columns))

    def __enter__(self) -> Self:
        """Return the output."""
        return self

    def __exit__(self, error_type: type[BaseException] | None, *exc_info: object) -> None:
        """Give the file its name, or delete it after an error."""
        if error_type is not None:
            self._discard()
            return
        try:
            with self._report():
                self._publish()
        except BaseException:
            self._discard()
            raise

    def write(self, row: Mapping[str, object]) -> None:
        """Append one row; columns it lacks are empty in CSV and absent in JSONL."""
        if self._kind == "csv":
            self._write(_write_csv([_to_cell(row.get(column)) for column in self._columns]))
        else:
            self._write(_to_json(row) + "\n")

    def _report(self) -> AbstractContextManager[None]:
        return report_storage(f"The file {self._path}")

    def _open(self) -> IO[str]:
        # A CSV cell cannot hold a lone surrogate; it stands there as \udXXX. JSON escapes it by itself.
        if self._is_direct:
            return self._path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        return tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            errors="backslashreplace",
            newline="",
            dir=self._path.parent,
            prefix=f".{self._path.name}.",
            delete=False,
        )

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            with self._report():
                raise

    def _publish(self) -> None:
        self._file.flush()
        if self._is_direct:
            self._file.close()
            return
        os.fsync(self._file.fileno())
        self._file.close()
        Path(self._file.name).chmod(0o666 & ~_read_umask())
        Path(self._file.name).replace(self._path)

    def _discard(self) -> None:
        with suppress(OSError):
            self._file.close()
        if not self._is_direct:
            Path(self._file.name).unlink(missing_ok=True)


def _read_umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _write_csv(cells: Sequence[str]) -> str:
    # The default line end, CRLF, makes the writer quote a lone CR too.
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _to_cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _to_json(row: Mapping[str, object]) -> str:
    line = json.dumps(row, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(row)
    return line
