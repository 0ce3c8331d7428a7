"""Rows as text: CSV with the formula guard, JSONL with every value as it came. Formats: docs/formats.md."""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from json import dumps, loads

from labeling.datasets.readers.objects import split_object, without
from labeling.exports.rows import ExportRow, Value
from labeling.web.cells import guard

Writer = Callable[[Iterable[ExportRow]], str]


def csv_header(columns: Sequence[str], names: Sequence[str], *, is_raw: bool) -> str:
    """The first line."""
    cells = [*columns, *names]
    return _csv_lines([cells if is_raw else [guard(cell) for cell in cells]])


def csv_writer(columns: Sequence[str], text_column: str, *, is_raw: bool) -> Writer:
    """A function that turns rows into CSV lines: the uploaded cells as they were, then ours."""
    columns = tuple(columns)

    def write(rows: Iterable[ExportRow]) -> str:
        lines = (_cells(row, columns, text_column) + [_plain(value) for value in row.values] for row in rows)
        return _csv_lines(lines if is_raw else ([guard(cell) for cell in line] for line in lines))

    return write


def _csv_lines(lines: Iterable[Sequence[str]]) -> str:
    file = StringIO(newline="")
    csv.writer(file).writerows(lines)
    return file.getvalue()


def _cells(row: ExportRow, columns: tuple[str, ...], text_column: str) -> list[str]:
    """The uploaded cells; what JSONL left out or set to null is empty."""
    if row.cells.startswith("["):
        cells: list[str | None] = loads(row.cells)
        return [row.text if cell is None else cell for cell in cells]
    named = {name: text for name, text, *_rest in split_object(row.cells)} | {text_column: row.text}
    return [named.get(name, "") for name in columns]


def _plain(value: Value) -> str:
    return "" if value is None else str(value)


def jsonl_writer(columns: Sequence[str], text_column: str, names: Sequence[str]) -> Writer:
    """A function that turns rows into JSONL: an object as it was written, with our keys at its end."""
    columns = tuple(columns)

    def write(rows: Iterable[ExportRow]) -> str:
        return "".join(_line(row, columns, text_column, names) for row in rows)

    return write


def _line(row: ExportRow, columns: tuple[str, ...], text_column: str, names: Sequence[str]) -> str:
    ours = dict(zip(names, row.values, strict=True))
    if row.cells.startswith("["):
        given = dict(zip(columns, _cells(row, columns, text_column), strict=True))
        return dumps(given | ours, ensure_ascii=False) + "\n"
    start, end = next((value[2], value[3]) for value in split_object(row.cells) if value[0] == text_column)
    whole = without(row.cells, start, end, dumps(row.text, ensure_ascii=False))
    return f"{whole[:-1].rstrip()}, {dumps(ours, ensure_ascii=False)[1:]}\n"
