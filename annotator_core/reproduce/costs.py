"""Table 4: tokens, money, time and memory of labeling all by an LLM, and of asking it about hard rows only.

Source: AutoAnnotator (arXiv 2506.16393), Table 4.
"""

import json
import resource
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isnan, nan
from pathlib import Path
from typing import Final

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray
from annotator_core.errors import BadInput
from annotator_core.reproduce.consulted import Replies
from annotator_core.reproduce.intervals import average
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
class Bill:
    """What an LLM's calls take: tokens in and out, seconds one call after the other, dollars by price."""

    calls: int
    tokens: float
    seconds: float
    dollars: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """One set: the bill of asking about all rows and of asking about hard ones, and what the pool's own votes took.

    pool_seconds: wall time, pool_bytes: most memory; both NaN where they were not measured. has_tokens: whether a real
    endpoint counted them, else they are estimated.
    """

    every: Bill
    hard: Bill
    pool_seconds: float
    pool_bytes: float
    has_tokens: bool


@dataclass(frozen=True, slots=True)
class _Call:
    """The mean call: tokens in and out, seconds."""

    tokens_in: float
    tokens_out: float
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
    """Return what a set costs: by a real endpoint's own counts on the rows asked, else estimated from words."""
    votes, consulted = measured.votes, measured.consulted
    hard = follow_paper(votes.pool(measured.dataset.pool)).hard
    words = TOKENS_A_WORD * (votes.words + PROMPT_WORDS + sum(len(name.split("_")) for name in votes.classes))
    every, few = _estimate(words, np.ones_like(hard)), _estimate(words, hard)
    has_tokens = False
    if consulted is not None:
        asked_hard = hard[consulted.rows]
        every = _measure(consulted.verifier, np.ones_like(asked_hard), every)
        # Where no hard row was among the asked ones, a hard row takes what any row does.
        few = _measure(consulted.verifier, asked_hard, few) if asked_hard.any() else every
        has_tokens = not np.isnan(consulted.verifier.tokens_in).all()
    used = [votes.names.index(name) for name in measured.dataset.pool]
    return Cost(
        every=_bill(every, len(votes), prices),
        hard=_bill(few, int(hard.sum()), prices),
        pool_seconds=float(np.sum(votes.seconds[used])),
        pool_bytes=votes.peak_bytes,
        has_tokens=has_tokens,
    )


def find_saved(every: float, less: float) -> float:
    """Return the share that is saved, at most 1, below 0 where more is spent; NaN where there was nothing to save.

    every, less: what is spent without and with it, both at least 0 and in one unit (tokens, seconds or dollars).

    >>> find_saved(200.0, 150.0)
    0.25
    """
    return 1 - less / every if every else nan


def _estimate(tokens: FloatArray, is_meant: BoolArray) -> _Call:
    return _Call(float(tokens[is_meant].mean()) if is_meant.any() else 0.0, TOKENS_OUT, LATENCY_S)


def _measure(replies: Replies, is_meant: BoolArray, estimated: _Call) -> _Call:
    """Return the mean call on the rows that are meant (r,); what nobody measured stays as it was estimated."""
    names = ("tokens_in", "tokens_out", "seconds")
    means = {name: average(getattr(replies, name)[is_meant].tolist()).value for name in names}
    return replace(estimated, **{name: mean for name, mean in means.items() if not isnan(mean)})


def _bill(call: _Call, calls: int, prices: Mapping[str, Price]) -> Bill:
    dollars = tuple(
        calls * (call.tokens_in * price.per_million_in + call.tokens_out * price.per_million_out) / 1e6
        for price in prices.values()
    )
    return Bill(calls, calls * (call.tokens_in + call.tokens_out), calls * call.seconds, dollars)


def find_command_bytes(kept: Path) -> int:
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
