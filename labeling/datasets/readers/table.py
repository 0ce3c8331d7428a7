"""CSV and its relatives: cells exactly as written, flaws named by line and column."""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from labeling.datasets.readers.parts import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_LINE,
    MAX_NAME,
    Flaw,
    Reading,
    Record,
    UnreadableFile,
    excerpt,
)
from labeling.datasets.readers.stream import open_text, read_lines

csv.field_size_limit(MAX_LINE)
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


def read_columns(path: Path, reading: Reading) -> tuple[str, ...]:
    """The names in the header. Raises UnreadableFile."""
    with open_text(path, reading.encoding, "") as file:
        return _header(_csv(read_lines(file, reading.encoding), reading))


def read_records(path: Path, reading: Reading) -> Iterator[Record]:
    """All records after the header, flawed ones included, blank lines not. Raises UnreadableFile."""
    with open_text(path, reading.encoding, "") as file:
        rows = _csv(read_lines(file, reading.encoding), reading)
        columns = _header(rows)
        yield from _records(rows, columns)


def _csv(lines: Iterator[str], reading: Reading) -> Any:
    """A csv reader behind an Excel separator line, if there is one (it is counted as an empty line)."""
    first = next(lines, "")
    if _SEPARATOR_LINE.fullmatch(first):
        first = "\n"
    return csv.reader(chain([first], lines), delimiter=reading.delimiter, strict=True)


def _header(rows: Any) -> tuple[str, ...]:
    try:
        columns = tuple(next((row for row in rows if row), ()))
    except csv.Error as error:
        message = _("The header on line %(line)d cannot be read: a quote stands in the wrong place.")
        wrong = UnreadableFile(message % {"line": rows.line_num}, rows.line_num)
        raise _fatal(error, 1) or wrong from error
    check_names(columns)
    return columns


def check_names(columns: tuple[str, ...]) -> None:
    """Raise UnreadableFile when these cannot be column names."""
    if not columns:
        raise UnreadableFile(_("The file is empty."))
    if len(columns) > MAX_COLUMNS:
        message = _("The file has %(count)d columns; at most %(limit)d can be taken. Remove those you do not need.")
        raise UnreadableFile(message % {"count": len(columns), "limit": MAX_COLUMNS}, 1)
    for name in columns:
        _check_name(name, columns)


def _check_name(name: str, columns: tuple[str, ...]) -> None:
    problem = ""
    if columns.count(name) > 1:
        problem = _("Two columns are called “%(name)s”. Give each column a name of its own.")
    elif len(name) > MAX_NAME:
        problem = _("The column name “%(name)s” is longer than 200 characters. Is the first line really the header?")
    elif _find_flaw_in(name):
        problem = _("The column name “%(name)s” holds characters that are not text. Is the encoding right?")
    if problem:
        raise UnreadableFile(problem % {"name": excerpt(name)}, 1)


def _records(rows: Any, columns: tuple[str, ...]) -> Iterator[Record]:
    number = 0
    flaw: Flaw | None
    while True:
        start = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            row, flaw = [""], _flaw_of(error, start)
        else:
            flaw = _check_row(row, columns) if row else None
        if row is None:
            return
        if row:
            yield Record(number, start, () if flaw else tuple(row), flaw)
            number += 1


def _flaw_of(error: csv.Error, start: int) -> Flaw:
    """The row's flaw. Raises UnreadableFile where nothing after it can be told apart."""
    fatal = _fatal(error, start)
    if fatal:
        raise fatal from error
    return Flaw(_("A quoted cell goes on after its closing quote. Quotes inside a cell must be doubled."))


def _fatal(error: csv.Error, start: int) -> UnreadableFile | None:
    if "unexpected end" in str(error):
        message = _("The quote opened in the row that begins on line %(line)d is never closed. Is the file complete?")
    elif "field larger" in str(error):
        message = _("A cell of the row that begins on line %(line)d never ends. Is a quote not closed?")
    else:
        return None
    return UnreadableFile(message % {"line": start}, start)


def _check_row(row: list[str], columns: tuple[str, ...]) -> Flaw | None:
    if len(row) != len(columns):
        message = _("Cells in this row: %(count)d; columns in the header: %(width)d.")
        return Flaw(message % {"count": len(row), "width": len(columns)}, excerpt=excerpt(" | ".join(row)))
    whole = "".join(row)  # one look at the whole row: a flaw is rare
    if len(whole) <= MAX_CELL and not _find_flaw_in(whole):
        return None
    pairs = zip(columns, row, strict=True)
    return next((flaw for name, cell in pairs if (flaw := check_cell(name, cell))), None)


def check_cell(column: str, cell: str) -> Flaw | None:
    """Why a cell cannot be stored, None when it can."""
    if len(cell) > MAX_CELL:
        message = _("The cell has %(count)d characters; at most 1,048,576 can be taken.") % {"count": len(cell)}
        return Flaw(message, column, excerpt(cell))
    reason = _find_flaw_in(cell)
    return Flaw(reason, column, excerpt(cell)) if reason else None


def _find_flaw_in(text: str) -> str:
    if "\0" in text:
        return _("The cell holds a NUL character.")
    if text.isascii():
        return ""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return _name_bad_character(text[error.start], error.start)
    return ""


def _name_bad_character(char: str, at: int) -> str:
    """A byte that the encoding does not know came in as U+DC80 to U+DCFF."""
    if "\udc80" <= char <= "\udcff":
        message = _("Byte 0x%(byte)02X at character %(at)d is not of the chosen encoding.")
        return message % {"byte": ord(char) - 0xDC00, "at": at + 1}
    return _("Character %(at)d is half of a pair (a lone surrogate): it is not Unicode.") % {"at": at + 1}
