"""The ledger as a CSV file: one line a call, without prompts, answers and keys."""

import csv
from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import StringIO

from labeling.llm.models import LlmCall
from labeling.web.cells import guard

NANO = 1_000_000_000
HEAD = (
    "call",
    "sent_at",
    "settled_at",
    "connection",
    "model",
    "purpose",
    "run_id",
    "sample_id",
    "state",
    "failure",
    "http_status",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "tokens_are_estimated",
    "latency_ms",
    "reserved_usd",
    "cost_usd",
)


def head() -> str:
    """The first line."""
    return _lines([HEAD])


def lines(calls: Sequence[LlmCall]) -> str:
    """One line a call; cells that a spreadsheet would run get an apostrophe in front."""
    return _lines(_cells(call) for call in calls)


def _cells(call: LlmCall) -> Sequence[object]:
    return (
        call.pk,
        call.created_at.isoformat(timespec="seconds"),
        call.settled_at.isoformat(timespec="seconds") if call.settled_at else "",
        guard(call.connection.name),
        guard(call.model),
        call.purpose,
        call.run or "",
        call.sample or "",
        call.state,
        call.failure,
        call.status if call.status is not None else "",
        call.tokens_in,
        call.tokens_cached,
        call.tokens_out,
        "yes" if call.is_estimated else "",
        call.latency_ms if call.latency_ms is not None else "",
        usd(call.reserve_nano),
        usd(call.cost_nano),
    )


def usd(nano: int) -> str:
    """Dollars, exact, without an exponent."""
    return f"{Decimal(nano) / NANO:.9f}"


def _lines(rows: "Sequence[Sequence[object]] | Iterator[Sequence[object]]") -> str:
    file = StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue()
