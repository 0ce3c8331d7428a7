"""JSONL: one object a line; every value kept exactly as written."""

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from labeling.datasets.readers.parts import Flaw, JsonRecord, Reading, excerpt
from labeling.datasets.readers.stream import open_text, read_lines
from labeling.datasets.readers.table import check_cell

Value = tuple[str, str, int, int, bool]
_SPACE = re.compile(r"[ \t\n\r]*")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_decoder = JSONDecoder(parse_constant=_refuse_constant)


def read_objects(path: Path, reading: Reading) -> Iterator[JsonRecord]:
    """All records, flawed ones included, blank lines not. Raises UnreadableFile."""
    with open_text(path, reading.encoding, "\n") as file:
        number = 0
        for line_number, line in enumerate(read_lines(file, reading.encoding), start=1):
            if line.isspace():
                continue
            yield _record(number, line_number, line)
            number += 1


def _record(number: int, line_number: int, line: str) -> JsonRecord:
    line = line.strip(" \t\r\n")
    try:
        values = split_object(line)
    except (ValueError, RecursionError) as error:
        return JsonRecord(number, line_number, flaw=Flaw(_name_error(error), excerpt=excerpt(line)))
    flaw = next(
        (flaw for name, text, *_rest in values if (flaw := check_cell(name, text) or check_cell(name, name))), None
    )
    return JsonRecord(number, line_number, line, () if flaw else values, flaw)


def _name_error(error: ValueError | RecursionError) -> str:
    if isinstance(error, JSONDecodeError):
        return _("This is not a JSON object: %(problem)s at character %(at)d.") % {
            "problem": error.msg,
            "at": error.pos + 1,
        }
    return _("This is not a JSON object that can be taken: %(problem)s.") % {"problem": str(error)[:150] or "too deep"}


def split_object(line: str) -> tuple[Value, ...]:
    """(key, text, start, end, is string) of each value of an object. Raises ValueError, RecursionError.

    `line[start:end]` is the value as written; `text` a string's characters, nothing for null, else as written.
    """
    at = _expect(line, 0, "{")
    values: list[Value] = []
    if line[at : at + 1] == "}":
        return _close(line, at, values)
    while True:
        key, at = _decode(line, at)
        if not isinstance(key, str):
            raise JSONDecodeError("a key must be a string", line, at)
        start = _expect(line, at, ":")
        value, end = _decode(line, start)
        text = value if isinstance(value, str) else "" if value is None else line[start:end]
        values.append((key, text, start, end, isinstance(value, str)))
        at = _skip(line, end)
        if line[at : at + 1] != ",":
            return _close(line, at, values)
        at = _skip(line, at + 1)


def _close(line: str, at: int, values: list[Value]) -> tuple[Value, ...]:
    if _expect(line, at, "}") != len(line):
        raise JSONDecodeError("something stands after the object", line, at)
    names = [name for name, *_rest in values]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key “{excerpt(twice)}” stands in it twice")
    return tuple(values)


def _skip(line: str, at: int) -> int:
    found = _SPACE.match(line, at)
    return found.end() if found else at


def _expect(line: str, at: int, char: str) -> int:
    """The place after `char` and the space around it."""
    at = _skip(line, at)
    if line[at : at + 1] != char:
        raise JSONDecodeError(f"“{char}” is missing", line, at)
    return _skip(line, at + 1)


def _decode(line: str, at: int) -> tuple[Any, int]:
    value, end = _decoder.raw_decode(line, at)
    return value, end


def without(line: str, start: int, end: int, value: str = "null") -> str:
    """The object's text with `value` at [start, end): with null there a sample keeps its other cells."""
    return f"{line[:start]}{value}{line[end:]}"
