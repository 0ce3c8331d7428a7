"""Table 4: tokens, money, time and memory of labeling all by an LLM, and of asking it about hard rows only.

Source: AutoAnnotator (arXiv 2506.16393), Table 4.
"""

import json
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from annotator_core.errors import BadInput
from annotator_core.reproduce.rules import follow_paper
from annotator_core.reproduce.study import Measured, keep

TOKENS_A_WORD: Final = 1.33
"""Chosen: usual for English; a real endpoint counts for itself."""
PROMPT_WORDS: Final = 25
"""Words of the paper's zero-shot prompt without text and labels."""
TOKENS_OUT: Final = 3
LATENCY_S: Final = 0.7
"""Of one call, one at a time; chosen."""


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens in and out, and when that was the list price."""

    per_million_in: float
    per_million_out: float
    date: str


PRICES: Final[Mapping[str, Price]] = {
    "gpt-3.5-turbo-0125": Price(0.50, 1.50, "January 2024"),
    "gpt-4o-mini": Price(0.15, 0.60, "July 2024"),
    "gpt-4o": Price(2.50, 10.0, "October 2024"),
}
"""List prices as the authors remember them, not looked up for this: give a file of your own."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One set: calls, tokens and dollars by price, for all rows and for hard ones; wall seconds of the pool's votes.

    seconds is NaN where votes were not cast here.
    """

    rows: int
    calls: int
    tokens_all: float
    tokens_hard: float
    dollars_all: tuple[float, ...]
    dollars_hard: tuple[float, ...]
    seconds: float


def read_prices(path: Path | None) -> Mapping[str, Price]:
    """Return the price table of a JSON file ``{"model": {"in": 0.5, "out": 1.5, "date": "..."}}``, ours without one.

    Raises BadInput for a file that is none.
    """
    if path is None:
        return PRICES
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name): Price(float(each["in"]), float(each["out"]), str(each["date"])) for name, each in stored.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f'{path} is no price table: write {{"model": {{"in": 1, "out": 2, "date": "..."}}}}.') from error


def find_cost(measured: Measured, prices: Mapping[str, Price]) -> Cost:
    """Return what a set costs; tokens are estimated from words."""
    votes = measured.votes
    hard = follow_paper(votes.pool(measured.dataset.pool)).hard
    tokens = TOKENS_A_WORD * (votes.words + PROMPT_WORDS + sum(len(name.split("_")) for name in votes.classes))
    used = [votes.names.index(name) for name in measured.dataset.pool]
    return Cost(
        rows=len(votes),
        calls=int(hard.sum()),
        tokens_all=float(tokens.sum()),
        tokens_hard=float(tokens[hard].sum()),
        dollars_all=tuple(_pay(price, float(tokens.sum()), len(votes)) for price in prices.values()),
        dollars_hard=tuple(_pay(price, float(tokens[hard].sum()), int(hard.sum())) for price in prices.values()),
        seconds=float(np.sum(votes.seconds[used])),
    )


def _pay(price: Price, tokens_in: float, calls: int) -> float:
    return (tokens_in * price.per_million_in + calls * TOKENS_OUT * price.per_million_out) / 1e6


def find_peak_bytes(kept: Path) -> int:
    """Return the most bytes of memory that a command of this folder ever held, this one so far among them.

    Raises StorageError or StoreFull.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    path = kept / "figures" / "memory.json"
    known = int(keep(path, lambda: {"bytes": own})["bytes"])
    if own > known:
        path.unlink()
        known = int(keep(path, lambda: {"bytes": own})["bytes"])
    return known
