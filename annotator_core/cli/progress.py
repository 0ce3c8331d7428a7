"""How far a command is: a bar on stderr where that is a terminal, nothing elsewhere; stdout stays for results."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
"""Moves a bar on by so many units."""


@contextmanager
def show_bar(total: int, unit: str, *, done: int = 0, is_kept: bool = True) -> Iterator[Advance]:
    """Yield what moves a bar of so many units on; done: those of an earlier command. is_kept: it stays at its end."""
    from tqdm import tqdm

    with tqdm(
        total=total, initial=done, unit=unit, file=sys.stderr, disable=None, dynamic_ncols=True, leave=is_kept
    ) as bar:
        yield lambda count: bar.update(count) and None


@contextmanager
def show_parts(total: int) -> Iterator[Callable[[str], None]]:
    """Yield what is told as each of so many parts begins: its name is a line on stderr, the bar counts those over."""
    from tqdm import tqdm

    with show_bar(total, "part") as advance:
        is_first = True

        def begin(name: str) -> None:
            nonlocal is_first
            advance(0 if is_first else 1)
            is_first = False
            tqdm.write(name, file=sys.stderr)

        yield begin
        advance(0 if is_first else 1)
