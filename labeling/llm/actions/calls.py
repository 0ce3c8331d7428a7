"""The ledger of calls: set money aside, send, book what it cost. What a lost claim left behind is booked once."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from annotator_core.verifiers.contract import Call, Completion, Settled, Usage
from labeling.llm.actions.booking import Added, Booked, add_spending, added_by, booking_of, write_bookings
from labeling.llm.actions.budgets import book, lock_budget, set_aside
from labeling.llm.actions.connections import raise_reserve
from labeling.llm.models import CallState, Connection, LlmCall, Purpose
from labeling.llm.queries import budget_number, stored_calls
from labeling.web.bulk import insert_rows

STALE = timedelta(minutes=10)  # chosen: far longer than any request outside a chunk may take
SETTLE_TRIES = 5  # chosen: each needs another process to store the same answer in the same moment

RESERVED_FIELDS = (
    "project_id",
    "connection_id",
    "purpose",
    "run",
    "sample",
    "chunk",
    "attempts",
    "key",
    "model",
    "messages",
    "draw",
    "ask",
    "state",
    "failure",
    "content",
    "finish",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "is_estimated",
    "reserve_nano",
    "cost_nano",
    "created_at",
)


@dataclass(frozen=True, slots=True)
class Errand:
    """Work that shares a budget with others: what its parts (`chunks`) may cost together at most."""

    chunks: Sequence[int]
    cap_nano: int


@dataclass(slots=True)
class BookedLedger:
    """The engine's Ledger (verifiers.contract) on LlmCall and Budget.

    `run`, `chunk` and `attempts` say for whom and by which claim is asked (0 outside). `sample_of` gives the sample of
    a question's id. Money counts against the budget of (project, run); tests of connections against their own. An
    `errand` has a cap of its own within that budget.
    """

    project_id: int
    run: int
    chunk: int
    attempts: int
    connection: Connection
    purpose: str = Purpose.VERIFY
    sample_of: Callable[[int], int] = lambda question_id: question_id
    errand: Errand | None = None
    open: dict[str, list[int]] = field(default_factory=dict, repr=False)

    def recall(self, keys: Sequence[str]) -> Mapping[str, Completion]:
        """The stored completions among these keys, as they were paid for then."""
        return {key: _completion(call) for key, call in stored_calls(self.project_id, keys).items()}

    def reserve(self, calls: Sequence[Call]) -> int:
        """Set the reserves of the first calls aside that the cap has room for; returns how many."""
        with transaction.atomic():
            amounts, share = [self._worst(call) for call in calls], self._left_of_errand if self.errand else None
            count = set_aside(self.project_id, self._budget, amounts, share=share)
            insert_rows(LlmCall, RESERVED_FIELDS, [self._row(call) for call in calls[:count]])
            fresh = self._newest([call.key for call in calls[:count]])
        for key, call_id in fresh:
            self.open.setdefault(key, []).append(call_id)
        return count

    def settle(self, settled: Sequence[Settled]) -> None:
        """Store what became of reserved calls and book it. Raises LookupError for a call that was not reserved here.

        A call that another claim has booked as lost meanwhile stays lost.
        """
        taken = [(self.open[one.call.key][place], one) for one, place in _places(settled)]
        for attempt in range(SETTLE_TRIES):
            try:
                self._settle(taken)
                break
            except IntegrityError:  # another process stored an answer of the same key in this moment: look again
                if attempt == SETTLE_TRIES - 1:
                    raise
        for call_id, one in taken:
            self.open[one.call.key].remove(call_id)
        percents = [_percent(one) for one in settled]
        if max(percents, default=0) > self.connection.reserve_percent:
            raise_reserve(connection=self.connection, percent=max(percents))

    def _settle(self, taken: Sequence[tuple[int, Settled]]) -> None:
        with transaction.atomic():
            lock_budget(self.project_id, self._budget)
            waiting = _waiting([call_id for call_id, _one in taken])
            stored = set(stored_calls(self.project_id, [one.call.key for _id, one in taken if one.completion]))
            bookings: list[Booked] = []
            for call_id, one in taken:
                if call_id in waiting:
                    booked = booking_of(call_id, waiting[call_id], one, is_known=one.call.key in stored)
                    bookings.append(booked)
                    stored |= {one.call.key} if booked.state == CallState.STORED else set()
            write_bookings(bookings)
            added = added_by(bookings, waiting)
            released = sum(waiting.values())
            book(self.project_id, self._budget, released_nano=released, spent_nano=added.cost_nano)
            add_spending(
                project_id=self.project_id,
                run=self.run,
                purpose=self.purpose,
                connection_id=self.connection.pk,
                added=added,
            )

    def _worst(self, call: Call) -> int:
        """What is set aside for the call: as much more than its worst case as the server has gone above it before."""
        return -(-call.reserve_nano * self.connection.reserve_percent // 100)

    @property
    def _budget(self) -> int:
        return budget_number(self.run, self.purpose)

    def _left_of_errand(self) -> int:
        """What the errand's cap leaves."""
        if self.errand is None:
            return 0
        mine = LlmCall.objects.filter(project=self.project_id, run=self.run, chunk__in=self.errand.chunks)
        reserved = Sum("reserve_nano", filter=Q(state=CallState.RESERVED))
        taken = mine.aggregate(spent=Sum("cost_nano"), reserved=reserved)
        return self.errand.cap_nano - (taken["spent"] or 0) - (taken["reserved"] or 0)

    def _row(self, call: Call) -> tuple[object, ...]:
        messages = [{"role": one.role, "content": one.content} for one in call.messages]
        return (
            self.project_id,
            self.connection.pk,
            self.purpose,
            self.run,
            self.sample_of(call.question_id),
            self.chunk,
            self.attempts,
            call.key,
            self.connection.model,
            json.dumps(messages),
            call.draw,
            call.ask,
            CallState.RESERVED.value,
            "",
            "",
            "",
            0,
            0,
            0,
            False,
            self._worst(call),
            0,
            timezone.now(),
        )

    def _newest(self, keys: Sequence[str]) -> list[tuple[str, int]]:
        """The rows just inserted. Nobody else adds rows of this budget meanwhile: it is locked."""
        mine = LlmCall.objects.filter(
            project=self.project_id, run=self.run, chunk=self.chunk, attempts=self.attempts, state=CallState.RESERVED
        )
        rows = mine.filter(connection=self.connection, purpose=self.purpose).order_by("-id")
        found = list(rows.values_list("key", "id")[: len(keys)])
        if sorted(key for key, _id in found) != sorted(keys):
            raise RuntimeError("the reserved calls are not the newest of their claim")
        return found[::-1]


def _places(settled: Sequence[Settled]) -> Iterable[tuple[Settled, int]]:
    """Each with its place among those of the same key: equal texts may be asked side by side."""
    seen: dict[str, int] = defaultdict(int)
    for one in settled:
        yield one, seen[one.call.key]
        seen[one.call.key] += 1


def _percent(settled: Settled) -> int:
    """What an answer cost, in percent of its worst case, rounded up; 0 without one."""
    if settled.completion is None or not settled.call.reserve_nano:
        return 0
    return -(-100 * settled.completion.cost_nano // settled.call.reserve_nano)


def _completion(call: LlmCall) -> Completion:
    probs = tuple(call.class_probs) if call.class_probs is not None else None
    usage = Usage(call.tokens_in, call.tokens_cached, call.tokens_out, is_estimated=call.is_estimated)
    return Completion(
        call.content, call.finish, usage, call.model, (call.latency_ms or 0) / 1000, call.cost_nano, class_probs=probs
    )


def _waiting(ids: Sequence[int]) -> dict[int, int]:
    """The reserve of each of these calls that is still open, locked."""
    rows = LlmCall.objects.select_for_update().filter(pk__in=ids, state=CallState.RESERVED)
    return dict(rows.values_list("pk", "reserve_nano"))


def book_lost(*, chunk: int, attempts: int) -> int:
    """Book what older claims of the chunk left open as lost, at its reserve; returns how many calls.

    Call it when a chunk is claimed, with the new claim's `attempts`. A second time nothing is left to book.
    """
    return _book_lost(LlmCall.objects.filter(chunk=chunk, attempts__lt=attempts, state=CallState.RESERVED))


def book_lost_of_run(*, project_id: int, run: int) -> int:
    """Book all that a run left open as lost, at its reserve: for a run that is over and asks no more."""
    return _book_lost(LlmCall.objects.filter(project=project_id, run=run, state=CallState.RESERVED).exclude(run=0))


def book_lost_of_parts(*, project_id: int, chunks: Sequence[int]) -> int:
    """Book all that these parts left open as lost, at its reserve: for work that is over and asks no more."""
    return _book_lost(LlmCall.objects.filter(project=project_id, chunk__in=chunks, state=CallState.RESERVED))


def book_stale(*, project_id: int) -> int:
    """Book calls outside any chunk that have been open far too long as lost: their process died."""
    before = timezone.now() - STALE
    rows = LlmCall.objects.filter(project=project_id, chunk=0, state=CallState.RESERVED, created_at__lt=before)
    return _book_lost(rows)


def _book_lost(rows: QuerySet[LlmCall]) -> int:
    """Budget by budget; each is locked before its calls, as everywhere."""
    found = set(rows.order_by().values_list("project_id", "run", "purpose", "connection_id"))
    return sum(_book_lost_of(rows, *one) for one in sorted(found))


def _book_lost_of(rows: QuerySet[LlmCall], project_id: int, run: int, purpose: str, connection_id: int) -> int:
    number = budget_number(run, purpose)
    with transaction.atomic():
        lock_budget(project_id, number)
        mine = rows.filter(project=project_id, run=run, purpose=purpose, connection=connection_id)
        reserves = dict(mine.select_for_update().values_list("pk", "reserve_nano"))
        LlmCall.objects.filter(pk__in=reserves).update(
            state=CallState.LOST, cost_nano=F("reserve_nano"), settled_at=timezone.now()
        )
        total = sum(reserves.values())
        book(project_id, number, released_nano=total, spent_nano=total)
        added = Added(lost=len(reserves), cost_nano=total)
        add_spending(project_id=project_id, run=run, purpose=purpose, connection_id=connection_id, added=added)
    return len(reserves)
