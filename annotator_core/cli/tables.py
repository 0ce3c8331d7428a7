"""Tables in files: CSV, TSV and JSONL, checked whole before any model runs and then read window by window."""

import csv
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, Final, Literal

from annotator_core.cli.streams import PLACE, copy_stream, is_standard_input, is_stream, report_reading
from annotator_core.errors import BadInput
from annotator_core.specialists.windows import WINDOW_CHARS, WINDOW_ROWS
from annotator_core.storage import report_storage

Row = dict[str, object]
Record = list[str] | Row
"""A row as its file gives it: the cells of a CSV line in the header's order, or a JSON object."""
Kind = Literal["csv", "jsonl"]
KINDS: Final[dict[str, Kind]] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_DELIMITERS: Final = (",", ";", "\t", "|")
_MAX_COLUMNS: Final = 10_000
_MAX_CELL_CHARS: Final = 100_000_000
"""The csv module's own limit of 131,072 would refuse a 1 MB text; chosen."""
_RECORD_CHARS: Final = 4 * WINDOW_CHARS
"""A window's rows with all their columns, so that wide tables take no more memory than long texts; chosen."""


@dataclass(frozen=True, slots=True)
class Table:
    """A checked table: columns in order of appearance, n_rows without the header, digest of its bytes.

    name is what messages call it; stamp tells whether the file was changed since.
    """

    path: Path
    name: str
    kind: Kind
    delimiter: str
    columns: tuple[str, ...]
    text_column: str
    n_rows: int = 0
    digest: str = ""
    stamp: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive rows and their texts, as many as are voted on at once."""

    records: list[Record]
    texts: list[str]


@contextmanager
def open_source(path: Path, text_column: str, kind: Kind | None = None) -> Iterator[Table]:
    """Yield the checked table of a file; what can be read only once, as standard input, is copied to one first.

    kind: of standard input (None for CSV) and of a file whose name does not say. Raises BadInput as `open_table` does,
    StorageError or StoreFull where the copy has no room.
    """
    if not is_stream(path):
        yield open_table(path, text_column, kind)
        return
    is_standard = is_standard_input(path)
    name = "standard input" if is_standard else str(path)
    kind = _find_kind(path, name, kind or ("csv" if is_standard else None))
    with report_storage(PLACE):
        folder = tempfile.TemporaryDirectory()
    with folder:
        copy = Path(folder.name) / "input"
        copy_stream(path, copy, name)
        yield open_table(copy, text_column, kind, name=name)


def open_table(path: Path, text_column: str, kind: Kind | None = None, *, name: str | None = None) -> Table:
    """Return the table after reading all of it once.

    Raises BadInput, with the line where there is one, for a file that is missing, of an unknown kind, empty, not UTF-8,
    without the text column, ragged, or with rows that are no objects.
    """
    name = name or str(path)
    kind = _find_kind(path, name, kind)
    with _open(path, name) as file:
        stamp, first = _stamp(path), next((line for line in file if line.strip()), "")
    if not first:
        raise BadInput(f"{name} is empty.")
    delimiter = _find_delimiter(first, text_column) if kind == "csv" else ""
    n_rows, columns = _check(Table(path, name, kind, delimiter, (), text_column))
    with path.open("rb") as raw:
        digest = hashlib.file_digest(raw, "blake2b").hexdigest()[:32]
    return Table(path, name, kind, delimiter, columns, text_column, n_rows, digest, stamp)


def _find_kind(path: Path, name: str, kind: Kind | None) -> Kind:
    found = KINDS.get(path.suffix.lower(), kind)
    if found is None:
        raise BadInput(
            f"{name} is of no kind that can be read: its name must end in {', '.join(KINDS)}, or give --format."
        )
    return found


def _check(table: Table) -> tuple[int, tuple[str, ...]]:
    columns: dict[str, None] = {}
    n_rows = 0
    for record, _size in _read(table, columns):
        n_rows += 1
        if isinstance(record, dict) and not record.keys() <= columns.keys():
            columns |= dict.fromkeys(record)
            _check_number(table, columns)
    if not n_rows:
        raise BadInput(f"{table.name} has a header but no rows.")
    return n_rows, tuple(columns)


def read_rows(table: Table) -> Iterator[Row]:
    """Yield the rows by column, each with its text column present; raises BadInput as `open_table` does."""
    for record, _size in _read(table):
        yield record if isinstance(record, dict) else dict(zip(table.columns, record, strict=True))


def read_windows(table: Table, skip: int = 0) -> Iterator[Window]:
    """Yield the rows after the first so many, in windows of at most 16,384 rows and 4,000,000 characters of text.

    From the end of a window on they are cut as they would have been without the skip. Raises BadInput as `open_table`
    does, and where the file was changed since.
    """
    key = table.columns.index(table.text_column) if table.kind == "csv" else table.text_column
    find: Callable[[Any], str | None] = itemgetter(key)
    records: list[Record] = []
    texts: list[str] = []
    text_chars = record_chars = 0
    for record, size in islice(_read(table), skip, None):
        text = find(record) or ""
        text_chars, record_chars = text_chars + len(text), record_chars + size
        if len(texts) >= WINDOW_ROWS or (texts and (text_chars > WINDOW_CHARS or record_chars > _RECORD_CHARS)):
            yield Window(records, texts)
            records, texts, text_chars, record_chars = [], [], len(text), size
        records.append(record)
        texts.append(text)
    check_unchanged(table)
    if texts:
        yield Window(records, texts)


def digest_texts(table: Table) -> str:
    """Return 32 hex digits that stand for the texts of a table in their order, whatever its other columns hold.

    Raises BadInput as `read_windows` does.
    """
    hasher = hashlib.blake2b(digest_size=16)
    for window in read_windows(table):
        hasher.update("".join(f"{len(text)} {text}" for text in window.texts).encode("utf-8", "surrogatepass"))
    return hasher.hexdigest()


def check_unchanged(table: Table) -> None:
    """Raise BadInput where the file is no longer the one that was checked."""
    if _stamp(table.path) != table.stamp:
        raise BadInput(f"{table.name} was changed while it was read: run the command again.")


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


@contextmanager
def _open(path: Path, name: str) -> Iterator[IO[str]]:
    try:
        with report_reading(name), path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{name}, line {_find_bad_line(path)} is not UTF-8 (byte {error.object[error.start]:#x}): "
            "convert it, as with iconv -f latin1 -t utf-8."
        ) from error


def _find_bad_line(path: Path) -> int:
    with path.open("rb") as file:
        return next((number for number, line in enumerate(file, start=1) if not _is_utf8(line)), 1)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _find_delimiter(header: str, text_column: str) -> str:
    for delimiter in _DELIMITERS:
        if text_column in next(csv.reader([header], delimiter=delimiter), []):
            return delimiter
    return max(_DELIMITERS, key=header.count)


def _read(table: Table, columns: dict[str, None] | None = None) -> Iterator[tuple[Record, int]]:
    """Yield each record and its size in characters; the header of a CSV file goes into columns."""
    with _open(table.path, table.name) as file:
        yield from _read_jsonl(table, file) if table.kind == "jsonl" else _read_csv(table, file, columns)


def _read_csv(table: Table, file: IO[str], columns: dict[str, None] | None) -> Iterator[tuple[Record, int]]:
    csv.field_size_limit(_MAX_CELL_CHARS)
    reader = csv.reader(file, delimiter=table.delimiter, strict=True)
    try:
        header = next((cells for cells in reader if "".join(cells).strip()), [])
        _check_header(table, header)
        if columns is not None:
            columns |= dict.fromkeys(header)
        for cells in reader:
            if len(cells) == len(header):
                yield cells, sum(map(len, cells))
            elif cells:
                raise BadInput(
                    f"{table.name}, line {reader.line_num}: {len(cells)} cells where the header has {len(header)}."
                )
    except csv.Error as error:
        raise BadInput(f"{table.name}, line {reader.line_num}: {error}.") from error


def _check_header(table: Table, header: list[str]) -> None:
    _check_text_column(table, header, table.name)
    _check_number(table, header)
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise BadInput(f"{table.name} has two columns named {twice[0]!r}: rename one.")


def _check_number(table: Table, columns: Collection[str]) -> None:
    if len(columns) > _MAX_COLUMNS:
        raise BadInput(f"{table.name} has more than {_MAX_COLUMNS} columns.")


def _check_text_column(table: Table, columns: Collection[str], where: str) -> None:
    if table.text_column not in columns:
        known = ", ".join(list(columns)[:20])
        raise BadInput(f"{where} has no column {table.text_column!r}: choose one of {known} with --text-column.")


def _read_jsonl(table: Table, file: IO[str]) -> Iterator[tuple[Record, int]]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield _parse_line(table, line, number), len(line)


def _parse_line(table: Table, line: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{table.name}, line {number} is no JSON: {error}.") from error
    if not isinstance(row, dict):
        raise BadInput(f"{table.name}, line {number} is no JSON object.")
    _check_text_column(table, row, f"{table.name}, line {number}")
    if not isinstance(row[table.text_column], str | None):
        raise BadInput(f"{table.name}, line {number}: {table.text_column!r} is no text.")
    return row
