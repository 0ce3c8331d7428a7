"""Tables in files: CSV, TSV and JSONL, checked whole before any model runs and then read row by row."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from annotator_core.errors import BadInput

Row = dict[str, object]
Kind = Literal["csv", "jsonl"]
KINDS: Final[dict[str, Kind]] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_DELIMITERS: Final = (",", ";", "\t", "|")
_MAX_COLUMNS: Final = 10_000
_MAX_CELL_CHARS: Final = 100_000_000
"""The csv module's own limit of 131,072 would refuse a 1 MB text; chosen."""


@dataclass(frozen=True, slots=True)
class Table:
    """A checked table: columns in order of appearance, n_rows without the header."""

    path: Path
    kind: Kind
    delimiter: str
    columns: tuple[str, ...]
    text_column: str
    n_rows: int


def open_table(path: Path, text_column: str) -> Table:
    """Return the table after reading all of it once.

    Raises BadInput, with the line where there is one, for a file that is missing, of an unknown kind, empty, not UTF-8,
    without the text column, ragged, or with rows that are no objects.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise BadInput(f"{path} is of no kind that can be read: its name must end in {', '.join(KINDS)}.")
    with _open(path) as file:
        first = file.readline()
    if not first.strip():
        raise BadInput(f"{path} is empty.")
    table = Table(path, kind, _find_delimiter(first, text_column) if kind == "csv" else "", (), text_column, 0)
    columns: dict[str, None] = {}
    n_rows = 0
    for row in read_rows(table):
        n_rows += 1
        columns |= dict.fromkeys(row)
        if len(columns) > _MAX_COLUMNS:
            raise BadInput(f"{path} has more than {_MAX_COLUMNS} columns.")
    if not n_rows:
        raise BadInput(f"{path} has a header but no rows.")
    return Table(path, kind, table.delimiter, tuple(columns), text_column, n_rows)


def read_rows(table: Table) -> Iterator[Row]:
    """Yield the rows, each with its text column present; raises BadInput as `open_table` does."""
    with _open(table.path) as file:
        yield from _read_csv(table, file) if table.kind == "csv" else _read_jsonl(table, file)


def read_text(table: Table, row: Row) -> str:
    """Return the row's text; a JSON null is an empty text."""
    text = row[table.text_column]
    return text if isinstance(text, str) else ""


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} is not UTF-8 (byte {error.object[error.start]:#x}): convert it, as with iconv -f latin1 -t utf-8."
        ) from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}): check the path.") from error


def _find_delimiter(header: str, text_column: str) -> str:
    for delimiter in _DELIMITERS:
        if text_column in next(csv.reader([header], delimiter=delimiter), []):
            return delimiter
    return max(_DELIMITERS, key=header.count)


def _read_csv(table: Table, file: IO[str]) -> Iterator[Row]:
    csv.field_size_limit(_MAX_CELL_CHARS)
    reader = csv.reader(file, delimiter=table.delimiter, strict=True)
    try:
        header = next(reader)
        _check_header(table, header)
        for cells in reader:
            if cells:
                yield _pair(table, header, cells, reader.line_num)
    except csv.Error as error:
        raise BadInput(f"{table.path}, line {reader.line_num}: {error}.") from error


def _check_header(table: Table, header: list[str]) -> None:
    _check_text_column(table, header)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise BadInput(f"{table.path} has two columns named {twice[0]!r}: rename one.")


def _check_text_column(table: Table, columns: list[str]) -> None:
    if table.text_column not in columns:
        known = ", ".join(columns[:20])
        raise BadInput(f"{table.path} has no column {table.text_column!r}: choose one of {known} with --text-column.")


def _pair(table: Table, header: list[str], cells: list[str], line: int) -> Row:
    if len(cells) != len(header):
        raise BadInput(f"{table.path}, line {line}: {len(cells)} cells where the header has {len(header)}.")
    return dict(zip(header, cells, strict=True))


def _read_jsonl(table: Table, file: IO[str]) -> Iterator[Row]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield _parse_line(table, line, number)


def _parse_line(table: Table, line: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{table.path}, line {number} is no JSON: {error}.") from error
    if not isinstance(row, dict):
        raise BadInput(f"{table.path}, line {number} is no JSON object.")
    _check_text_column(table, list(row))
    if not isinstance(row[table.text_column], str | None):
        raise BadInput(f"{table.path}, line {number}: {table.text_column!r} is no text.")
    return row
