"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def write_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the table; a bar inside a cell is escaped. Raises ValueError for a row of another length.

    >>> print(write_table(["a", "b"], [["1", "2|3"]]), end="")
    | a | b |
    | --- | --- |
    | 1 | 2\\|3 |
    """
    lines = [head, ["---"] * len(head)]
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"A row of {len(row)} cells under {len(head)} columns.")
        lines.append([cell.replace("|", "\\|") for cell in row])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage without its sign, a dash for NaN.

    >>> percent(0.1234), percent(float("nan"))
    ('12.3', '-')
    """
    return "-" if share != share else f"{100 * share:.{digits}f}"
