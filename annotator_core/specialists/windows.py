"""How many texts are taken at once: windows over a stream, equal texts once, batches under a token budget.

Source: sorting 16,384 texts leaves 1-2% padding at a budget of 2,048 tokens, and the budget is where tokens per second
peak on a CPU (the project's measurements of base-size encoders on tweets).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.errors import PredictionStopped
from annotator_core.specialists.contract import OnProgress, ShouldStop
from annotator_core.texts import find_flaw

Item = TypeVar("Item")
Made = TypeVar("Made")

WINDOW_ROWS = 16_384
WINDOW_CHARS = 4_000_000
"""Keeps a window of long texts near 1 million tokens; chosen."""
SMALL_WINDOW_ROWS = 4_096
"""Under this many rows half the budget wastes less padding."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A batch that the model did not survive: the first error in words, and whether memory was the cause."""

    reason: str
    is_memory: bool


@dataclass(slots=True)
class Budget:
    """How many tokens, padding included, a batch may have; it only ever shrinks."""

    tokens: int

    def for_window(self, n_rows: int) -> int:
        """Return the budget for a window of that many rows."""
        return self.tokens // 2 if n_rows < SMALL_WINDOW_ROWS else self.tokens

    def halve(self) -> None:
        """Shrink for good, after the memory ran out."""
        self.tokens = max(2, self.tokens // 2)


def split_windows(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield consecutive windows: at most 16,384 texts, and 4,000,000 characters but for a lone text.

    What is no string (None, NaN) has no characters and stays where it is, for `texts.find_flaw` to name.
    """
    window: list[str] = []
    chars = 0
    for text in texts:
        size = _count_chars(text)
        if window and (len(window) >= WINDOW_ROWS or chars + size > WINDOW_CHARS):
            yield window
            window, chars = [], 0
        window.append(text)
        chars += size
    if window:
        yield window


def _count_chars(given: object) -> int:
    return len(given) if isinstance(given, str) else 0


def dedupe(texts: Sequence[str]) -> tuple[list[str], IntArray]:
    """Return the distinct of n texts in order of appearance, and each text's index among them (n,)."""
    slots: dict[str, int] = {}
    inverse = np.array([slots.setdefault(text, len(slots)) for text in texts], dtype=np.int64)
    return list(slots), inverse


def run_batches(
    forward: Callable[[IntArray], FloatArray | Failed], lengths: IntArray, budget: Budget
) -> Iterator[tuple[IntArray, FloatArray | Failed]]:
    """Yield rows (b,) and logits (b, labels) over all n rows, longest first, in batches of at most the budget's tokens.

    lengths (n,): tokens. A batch that fails is tried again in halves until the failing row stands alone, which is
    yielded as Failed. Where memory ran out the budget shrinks for good.
    """
    order = np.argsort(-lengths, kind="stable")
    start, at_most = 0, len(order)
    while start < len(order):
        width = max(1, int(lengths[order[start]]))
        count = min(max(1, budget.for_window(len(order)) // width), at_most)
        rows = order[start : start + count]
        outcome = forward(rows)
        if isinstance(outcome, Failed) and len(rows) > 1:
            at_most = len(rows) // 2
            if outcome.is_memory:
                budget.halve()
            continue
        yield rows, outcome
        start, at_most = start + len(rows), len(order)


def look_ahead(items: Iterable[Item], make: Callable[[Item], Made]) -> Iterator[tuple[Item, Made]]:
    """Yield each item with what is made of it; the next one's is made in a thread meanwhile.

    Raises what ``make`` or the items raise, after everything before it was yielded.
    """
    with ThreadPoolExecutor(1, "look-ahead") as thread:
        waiting: deque[tuple[Item, Future[Made]]] = deque()
        for item in items:
            waiting.append((item, thread.submit(make, item)))
            if len(waiting) > 1:
                ready, made = waiting.popleft()
                yield ready, made.result()
        for ready, made in waiting:
            yield ready, made.result()


class Window:
    """The texts of one window: which are usable, where each distinct one goes, and who hears about progress."""

    def __init__(
        self, texts: Sequence[str], low: int, total: int, on_progress: OnProgress | None, should_stop: ShouldStop | None
    ) -> None:
        """Sort out the window that starts at position low of the total; raises PredictionStopped when told to stop."""
        self._flaws = [find_flaw(text) for text in texts]
        self.usable, inverse = dedupe([t for t, flaw in zip(texts, self._flaws, strict=True) if not flaw])
        # Flawed texts point at -1, the row of the logits that stays NaN.
        self.slots = np.full(len(texts), -1, dtype=np.int64)
        self.slots[[not flaw for flaw in self._flaws]] = inverse
        self._copies = np.bincount(inverse, minlength=len(self.usable))
        self._done, self._total = low + sum(flaw is not None for flaw in self._flaws), total
        self._on_progress, self._should_stop = on_progress, should_stop
        self._stop_on_demand()

    def report(self, rows: IntArray) -> None:
        """Tell that these distinct texts (b,) are done; raises PredictionStopped when told to stop."""
        self._done += int(self._copies[rows].sum())
        if self._on_progress:
            self._on_progress(self._done, self._total)
        self._stop_on_demand()

    def spread(self, reasons: list[str | None]) -> list[str | None]:
        """Return the reason of each text, from the reasons of the distinct usable ones."""
        return [flaw or reasons[slot] for flaw, slot in zip(self._flaws, self.slots, strict=True)]

    def _stop_on_demand(self) -> None:
        if self._should_stop and self._should_stop():
            raise PredictionStopped("The prediction was stopped.")
