"""Table 4: tokens, time, money and memory of asking an LLM about all rows, and about hard ones only."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Final

from annotator_core.reproduce.costs import LATENCY_S, TOKENS_A_WORD, Cost, Price, find_cost, find_saved
from annotator_core.reproduce.markdown import percent, write_table
from annotator_core.reproduce.study import Measured

NOT_MEASURED: Final = "not measured"
_ESTIMATED: Final = f"""\
Tokens are estimated at {TOKENS_A_WORD} a word with the paper's zero-shot prompt, an LLM's time at {LATENCY_S} s a call,
one at a time: no real endpoint was measured for this table."""
_MEASURED: Final = """\
Tokens and seconds of a call are those of {model} at the real endpoint, zero-shot: the mean over the rows asked, and
over the hard ones among them, times the calls. {but}The seconds were taken with four calls at once."""
_NOTE: Final = """
*Saved* is what asking about hard rows only leaves of asking about all, in each column; of the time without the pool's
own seconds, then with them. Prices: {dates}. The pool's seconds are wall time as it was, also where the machine had
other work: they compare with nothing. Its memory is the most that the process held which cast the set's votes, one
specialist at a time; votes that were kept before it was measured, or came with the data, have none. The command itself,
on votes kept from before and without a model in it, held {command} MB at most. What an LLM holds at its provider nobody
here can see.
"""


def tell_costs(found: Sequence[Measured], prices: Mapping[str, Price], command_bytes: int) -> str:
    """Return what the table's figures are of: measured at an endpoint or estimated, at which prices."""
    model = next((each.consulted.models[0] for each in found if each.consulted is not None), None)
    told = _ESTIMATED
    if model is not None:
        costs = [find_cost(each, prices) for each in found]
        lacks = [each.dataset.title for each, cost in zip(found, costs, strict=True) if not cost.has_tokens]
        but = f"It counted no tokens on {', '.join(lacks)}: {TOKENS_A_WORD} a word there. " if lacks else ""
        told = _MEASURED.format(model=model, but=but)
    dates = ", ".join(f"{name} {price.date}" for name, price in prices.items())
    return told + _NOTE.format(dates=dates, command=f"{command_bytes / 1e6:,.0f}")


def write_costs(found: Sequence[Measured], prices: Mapping[str, Price]) -> str:
    """Return Table 4: all by the LLM beside the paper's rule, and the share that is saved of each."""
    head = ["set", "calls: all, hard", "thousand tokens: all, hard, saved", "s of the pool"]
    head += ["s of the LLM: all, hard, saved", "saved with the pool's s"]
    head += [f"$ {name}: all, hard, saved" for name in prices]
    head.append("pool's peak memory, MB")
    return write_table(head, [_write_cost(each.dataset.title, find_cost(each, prices)) for each in found])


def _write_cost(title: str, cost: Cost) -> list[str]:
    every, hard = cost.every, cost.hard
    has_pool = not isnan(cost.pool_seconds)
    return [
        title,
        f"{every.calls:,}, {hard.calls:,}",
        f"{every.tokens / 1000:,.0f}, {hard.tokens / 1000:,.0f}, {_tell_saved(every.tokens, hard.tokens)}",
        f"{cost.pool_seconds:.0f}" if has_pool else NOT_MEASURED,
        f"{every.seconds:,.0f}, {hard.seconds:,.0f}, {_tell_saved(every.seconds, hard.seconds)}",
        _tell_saved(every.seconds, hard.seconds + cost.pool_seconds) if has_pool else NOT_MEASURED,
        *(
            f"{paid:.3f}, {less:.3f}, {_tell_saved(paid, less)}"
            for paid, less in zip(every.dollars, hard.dollars, strict=True)
        ),
        NOT_MEASURED if isnan(cost.pool_bytes) else f"{cost.pool_bytes / 1e6:,.0f}",
    ]


def _tell_saved(every: float, less: float) -> str:
    saved = find_saved(every, less)
    return "-" if isnan(saved) else f"{percent(saved, 0)}%"
