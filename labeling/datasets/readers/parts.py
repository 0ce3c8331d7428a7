"""The values that readers give back, and the limits they hold."""

from dataclasses import dataclass

MAX_CELL = 1_048_576
"""Characters a cell may have; chosen: a long book chapter, far above what a specialist reads."""
MAX_COLUMNS = 512
MAX_NAME = 200
MAX_LINE = 16 * 1024 * 1024
"""Characters read while looking for the end of a line or a quoted cell; chosen: it bounds memory."""


class UnreadableFile(Exception):
    """The file as a whole cannot be read; the message is for a person. `line` is 0 where no line can be named."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: `format` is csv or jsonl; the delimiter means nothing for jsonl."""

    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a record is not taken."""

    reason: str
    column: str = ""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One record, counted from 0, that starts on `line`. `cells` follow the columns, None where a key is missing."""

    number: int
    line: int
    cells: tuple[str | None, ...] = ()
    flaw: Flaw | None = None


@dataclass(frozen=True, slots=True)
class JsonRecord:
    """One JSON object: for each key its text (a string's characters, else as written) and its place in `raw`."""

    number: int
    line: int
    raw: str = ""
    values: tuple[tuple[str, str, int, int, bool], ...] = ()
    flaw: Flaw | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns mean what; empty where there is none. `is_guarded` undoes the formula guard of our exports."""

    text: str
    id: str = ""
    gold: str = ""
    is_guarded: bool = False


def excerpt(text: str) -> str:
    """The first characters of a cell, fit to be shown and stored anywhere: no NUL, no lone surrogate."""
    clean = text[:120].replace("\0", "␀").encode("utf-8", "replace").decode("utf-8")
    return clean + "…" if len(text) > 120 else clean
