"""The formula guard of exports and its way back: a bijection on cells, described in docs/formats.md."""

import re

GUARDED = re.compile(r"'*[=+\-@\t\r]")
"""Cells that a spreadsheet would run, and those that already look like a guarded one."""
_FORMULA = frozenset("=+-@\t\r")
_FIRST = _FORMULA | {"'"}


def guard(cell: str) -> str:
    """The cell as an export writes it: with one more apostrophe in front where a spreadsheet would run it."""
    return "'" + cell if cell[:1] in _FIRST and GUARDED.match(cell) else cell


def unguard(cell: str) -> str:
    """The cell as it was before `guard`."""
    return cell[1:] if cell.startswith("'") and GUARDED.match(cell) else cell


def is_bare_formula(cell: str) -> bool:
    """Whether a guarded file could not hold this cell."""
    return cell[:1] in _FORMULA
