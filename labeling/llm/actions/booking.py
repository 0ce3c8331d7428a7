"""What a settled call becomes in the ledger: its state, its answer, its tokens and what it cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from django.db import connection as database
from django.db.models import F
from django.utils import timezone

from annotator_core.verifiers.contract import Completion, Failure, Settled
from labeling.llm.models import CallState, LlmCall, Spending

MOST = 2**31 - 1
"""The largest number that the columns of tokens and milliseconds hold: a server may count what it likes."""
DUPLICATE = "duplicate"
"""Failure of a call whose answer is kept already: it was paid for twice."""


@dataclass(frozen=True, slots=True)
class Booked:
    """New values of a reserved call's columns, named as these; of the call `id`. model: None leaves it as it is."""

    state: str
    failure: str
    status: int | None
    content: str
    finish: str
    model: str | None
    class_probs: str | None
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    is_estimated: bool
    cost_nano: int
    latency_ms: int | None
    settled_at: datetime
    id: int


def booking_of(call_id: int, reserve_nano: int, settled: Settled, *, is_known: bool) -> Booked:
    """The row of a call that is over. `is_known`: an answer of its key is stored already, this one is only paid.

    A cost above its reserve is booked as it is: the ledger never says less than the server took.
    """
    if settled.completion is not None:
        return _answered(call_id, settled.completion, is_known=is_known)
    if settled.failure is not None:
        return _failed(call_id, reserve_nano, settled.failure)
    raise ValueError("a settled call has a completion or a failure")


def _answered(call_id: int, completion: Completion, *, is_known: bool) -> Booked:
    usage, probs = completion.usage, completion.class_probs
    return Booked(
        state=CallState.LOST.value if is_known else CallState.STORED.value,
        failure=DUPLICATE if is_known else "",
        status=None,
        content="" if is_known else storable(completion.content),
        finish=storable(completion.finish)[:40],
        model=storable(completion.model)[:200] or None,
        class_probs=None if probs is None or is_known else json.dumps(probs),
        tokens_in=_counted(usage.tokens_in),
        tokens_cached=_counted(usage.tokens_cached),
        tokens_out=_counted(usage.tokens_out),
        is_estimated=usage.is_estimated,
        cost_nano=max(0, completion.cost_nano),
        latency_ms=_counted(round(completion.latency_s * 1000)),
        settled_at=timezone.now(),
        id=call_id,
    )


def _failed(call_id: int, reserve_nano: int, failure: Failure) -> Booked:
    return Booked(
        state=CallState.LOST.value if failure.may_have_cost else CallState.FAILED.value,
        failure=failure.kind.value[:20],
        status=failure.status if failure.status is not None and 0 <= failure.status < 1000 else None,
        content="",
        finish="",
        model=None,
        class_probs=None,
        tokens_in=0,
        tokens_cached=0,
        tokens_out=0,
        is_estimated=False,
        cost_nano=reserve_nano if failure.may_have_cost else 0,
        latency_ms=None,
        settled_at=timezone.now(),
        id=call_id,
    )


def storable(text: str) -> str:
    """The text without what no database keeps: NUL and halves of surrogate pairs become the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")


def _counted(number: int) -> int:
    return min(max(0, number), MOST)


NAMES = tuple(one.name for one in fields(Booked))
UPDATE = (
    f"UPDATE {LlmCall._meta.db_table} SET "  # noqa: S608 (all names are of our own code)
    + ", ".join(f"{name} = {'COALESCE(%s, model)' if name == 'model' else '%s'}" for name in NAMES[:-1])
    + " WHERE id = %s AND state = 'reserved'"
)


def write_bookings(bookings: Sequence[Booked]) -> None:
    """Give the calls their values, those that are still reserved. Raises IntegrityError for an answer kept twice."""
    adapt = database.ops.adapt_datetimefield_value
    rows = [[getattr(booked, name) for name in NAMES] for booked in bookings]
    at = NAMES.index("settled_at")
    with database.cursor() as cursor:
        cursor.executemany(UPDATE, [[*row[:at], adapt(row[at]), *row[at + 1 :]] for row in rows])


@dataclass(frozen=True, slots=True)
class Added:
    """What settled calls add to a minute of spending."""

    stored: int = 0
    lost: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    latency_ms: int = 0
    cost_nano: int = 0
    above: int = 0
    above_nano: int = 0


def added_by(bookings: Sequence[Booked], reserves: Mapping[int, int]) -> Added:
    """The sum of these bookings. Tokens and time are those of stored answers, so that their means mean something.

    reserves: what was set aside for each, by the call's id.
    """
    above = [more for one in bookings if (more := one.cost_nano - reserves[one.id]) > 0]
    stored = [booked for booked in bookings if booked.state == CallState.STORED]
    lost = sum(booked.state == CallState.LOST for booked in bookings)
    return Added(
        stored=len(stored),
        lost=lost,
        failed=len(bookings) - len(stored) - lost,
        tokens_in=sum(booked.tokens_in for booked in stored),
        tokens_cached=sum(booked.tokens_cached for booked in stored),
        tokens_out=sum(booked.tokens_out for booked in stored),
        latency_ms=sum(booked.latency_ms or 0 for booked in stored),
        cost_nano=sum(booked.cost_nano for booked in bookings),
        above=len(above),
        above_nano=sum(above),
    )


def add_spending(*, project_id: int, run: int, purpose: str, connection_id: int, added: Added) -> None:
    """Add to the minute of now. Call it while the budget of the calls is locked: nobody else writes this row then."""
    minute = timezone.now().replace(second=0, microsecond=0)
    row = {"project_id": project_id, "run": run, "purpose": purpose, "connection_id": connection_id, "minute": minute}
    values = {name: value for name, value in asdict(added).items() if value}
    if values and not Spending.objects.filter(**row).update(
        **{name: F(name) + value for name, value in values.items()}
    ):
        Spending.objects.create(**row, **values)
