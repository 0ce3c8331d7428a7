"""Rows as the bytes of a CSV, TSV or JSONL file, many at once."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from annotator_core.cli.outputs import is_direct
from annotator_core.cli.tables import KINDS, Kind, Record, Table
from annotator_core.errors import BadInput

Column = Sequence[str | float]
"""The values of one of our columns, one for each row."""


def choose_kind(out: Path, wanted: Kind | None, table: Table) -> Kind:
    """Return what an output is written as: what its ending says, else what is wanted, else (a pipe) as the table is.

    Raises BadInput for a file whose ending says nothing where nothing is wanted.
    """
    kind = KINDS.get(out.suffix.lower(), wanted)
    if kind is None and not is_direct(out):
        raise BadInput(
            f"{out} is of no kind that can be written: its name must end in {', '.join(KINDS)}, or give --format."
        )
    return kind or table.kind


def choose_delimiter(out: Path) -> str:
    """Return what stands between the cells of an output that is written as CSV: a tab where its ending says so."""
    return "\t" if out.suffix.lower() == ".tsv" else ","


class Encoder:
    """Turns a table's records, extended by our columns, into bytes of a CSV, TSV or JSONL file."""

    def __init__(self, table: Table, kind: Kind, ours: Sequence[str], *, delimiter: str = ",") -> None:
        """Keep what stands in the output: the table's columns, then ours. delimiter: between the cells of CSV."""
        self._table, self._kind, self._ours, self._delimiter = table, kind, ours, delimiter

    @property
    def header(self) -> bytes:
        """What the file begins with: the columns in CSV, nothing in JSONL."""
        return self._encode_csv([[*self._table.columns, *self._ours]]) if self._kind == "csv" else b""

    def encode(self, records: Sequence[Record], columns: Sequence[Column]) -> bytes:
        """Return the lines of these records with the values of our columns.

        In CSV a column that a record lacks is empty, and values that are no strings are written as JSON.
        """
        if self._kind == "csv":
            ours = [[value if isinstance(value, str) else repr(value) for value in column] for column in columns]
            return self._encode_csv(
                self._flatten(record) + list(values)
                for record, values in zip(records, zip(*ours, strict=True), strict=True)
            )
        return _encode_jsonl(
            self._name(record) | dict(zip(self._ours, values, strict=True))
            for record, values in zip(records, zip(*columns, strict=True), strict=True)
        )

    def _flatten(self, record: Record) -> list[str]:
        if isinstance(record, list):
            return record
        return [_to_cell(record.get(column)) for column in self._table.columns]

    def _name(self, record: Record) -> dict[str, object]:
        return record if isinstance(record, dict) else dict(zip(self._table.columns, record, strict=True))

    def _encode_csv(self, rows: Iterable[Sequence[str]]) -> bytes:
        lines = io.StringIO(newline="")
        # The default line end, CRLF, makes the writer quote a lone CR too.
        csv.writer(lines, delimiter=self._delimiter).writerows(rows)
        # A CSV cell cannot hold a lone surrogate; it stands there as \udXXX. JSON escapes it by itself.
        return lines.getvalue().encode("utf-8", "backslashreplace")


def _to_cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_as_json = json.JSONEncoder(ensure_ascii=False).encode
_as_ascii_json = json.JSONEncoder().encode


def _encode_jsonl(rows: Iterable[Mapping[str, object]]) -> bytes:
    return b"".join([_encode_line(row) for row in rows])


def _encode_line(row: Mapping[str, object]) -> bytes:
    try:
        return (_as_json(row) + "\n").encode("utf-8")
    except UnicodeEncodeError:
        return (_as_ascii_json(row) + "\n").encode("ascii")
