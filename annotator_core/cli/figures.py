"""Figures as text for a terminal, and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from annotator_core.contract.estimate import Estimate


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in columns, the first one left, the others right.

    >>> print(format_table(["name", "rows"], [["a", "10"], ["longer", "7"]]), end="")
    name    rows
    a         10
    longer     7
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (header, *rows)
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def format_percent(share: Estimate) -> str:
    """Return a share with its interval in percent, ``-`` where nothing was measured.

    >>> format_percent(Estimate(0.5, 0.25, 0.75)), format_percent(Estimate(None, 0.0, 1.0))
    ('50.0% (25.0 to 75.0)', '-')
    """
    return "-" if share.value is None else f"{share.value:.1%} ({100 * share.low:.1f} to {100 * share.high:.1f})"


def format_hours(hours: float) -> str:
    """Return a time of so many hours, 0 or more, in the unit that fits.

    >>> format_hours(0.01), format_hours(0.5), format_hours(26)
    ('36 s', '30 min', '26.0 h')
    """
    if hours < 1 / 60:
        return f"{hours * 3600:.0f} s"
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:,.1f} h"


def format_bar(share: float, width: int = 40) -> str:
    """Return a bar whose length says how large a share, 0 to 1, is; what is not nothing has a bar.

    >>> format_bar(0.1, 20), format_bar(0.001), format_bar(0)
    ('##', '#', '')
    """
    return "#" * max(round(share * width), share > 0)


def to_json(value: object) -> str:
    """Return figures (dataclasses, estimates, numbers) as one JSON object, ending with a line break."""
    return json.dumps(_simplify(value), indent=1, ensure_ascii=False) + "\n"


def _simplify(value: Any) -> object:
    if isinstance(value, Estimate):
        return value._asdict()
    if is_dataclass(value):
        return {field.name: _simplify(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _simplify(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_simplify(one) for one in value]
    return value
