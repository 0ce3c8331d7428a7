"""Decoded lines of a file with bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from labeling.datasets.readers.parts import MAX_LINE, UnreadableFile

BOM = "\ufeff"


@contextmanager
def open_text(path: Path, encoding: str, newline: str) -> Iterator[TextIO]:
    """The file as text. Bytes that are not of the encoding become lone surrogates, so that only their row is refused.

    UTF-16 knows no such way: there the file ends in UnreadableFile.
    """
    errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
    with path.open(encoding=encoding, errors=errors, newline=newline) as file:
        yield file


def read_lines(file: TextIO, encoding: str) -> Iterator[str]:
    """The lines with their ends, without a byte order mark. Raises UnreadableFile on a line that never ends."""
    number = 0
    while line := _next_line(file, encoding):
        number += 1
        if len(line) > MAX_LINE:
            message = _("Line %(line)d is longer than 16 million characters. Is this a table?")
            raise UnreadableFile(message % {"line": number}, number)
        yield line.removeprefix(BOM) if number == 1 else line


def _next_line(file: TextIO, encoding: str) -> str:
    try:
        return file.readline(MAX_LINE + 1)
    except UnicodeError as error:
        number = _find_bad_line(Path(file.name), encoding)
        message = _("Line %(line)d is not %(encoding)s. Choose another encoding, or save the file as UTF-8.")
        raise UnreadableFile(message % {"line": number, "encoding": encoding}, number) from error


def _find_bad_line(path: Path, encoding: str) -> int:
    """The first line with a character that cannot be decoded: the decoder itself only knows its block."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines = iter(lambda: file.readline(MAX_LINE), "")
        return next((number for number, line in enumerate(lines, start=1) if "\ufffd" in line), 1)
