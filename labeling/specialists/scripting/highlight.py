"""A script for the eye: its lines in pieces, each with what it is. Text only; the page escapes it."""

import io
import keyword
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = {tokenize.STRING: "text", tokenize.COMMENT: "note", tokenize.NUMBER: "number"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of a line; kind: text, note, number, word (Python's own) or empty."""

    text: str
    kind: str = ""


def lines_of(code: str) -> list[list[Piece]]:
    """The lines of a source, without their ends; plain ones where it is no Python."""
    try:
        marks = list(_marks(code))
    except (tokenize.TokenError, SyntaxError):
        marks = []
    lines = code.splitlines()
    by_line: dict[int, list[tuple[int, int, str]]] = {}
    for row, low, high, kind in marks:
        by_line.setdefault(row, []).append((low, high, kind))
    return [_cut(line, by_line.get(row, [])) for row, line in enumerate(lines, start=1)]


def _marks(code: str) -> Iterator[tuple[int, int, int, str]]:
    """Row, first and last column, and kind of everything that is shown in another way; a text may span rows."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        kind = KINDS.get(token.type, "word" if keyword.iskeyword(token.string) else "")
        (row, low), (last, high) = token.start, token.end
        if kind:
            yield from (
                (at, low if at == row else 0, high if at == last else 10**6, kind) for at in range(row, last + 1)
            )


def _cut(line: str, marks: list[tuple[int, int, str]]) -> list[Piece]:
    pieces, at = [], 0
    for low, high, kind in marks:
        pieces += [Piece(line[at:low]), Piece(line[low:high], kind)]
        at = min(high, len(line))
    return [piece for piece in (*pieces, Piece(line[at:])) if piece.text]
