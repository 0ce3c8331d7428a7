"""Asks a verifier many questions at once, within a budget, and gives each a verdict.

The caller's thread alone talks to the ledger; a pool of threads alone talks to the endpoint.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import count, islice
from typing import Final

from annotator_core.errors import BudgetReached, CallFailed, PredictionStopped
from annotator_core.verifiers.cases import Cases, Want
from annotator_core.verifiers.contract import (
    PERMANENT,
    Asker,
    Call,
    Completion,
    FailureKind,
    Ledger,
    Plan,
    Price,
    Question,
    Settled,
    Verdict,
)
from annotator_core.verifiers.failures import fail_unreadable
from annotator_core.verifiers.gate import NOT_SENT, Gate
from annotator_core.verifiers.money import cost_nano
from annotator_core.verifiers.pace import MAX_TRIES, Pace

_BATCH: Final = 64
"""Questions that are looked up in the ledger at once; chosen."""
_LOOK_S: Final = 0.25
"""Between two looks at should_stop; chosen."""
_AHEAD: Final = 2
"""One call for so many under way is paid and waits for a thread, so that none idles while the ledger works; chosen."""


def ask_all(  # noqa: PLR0913 - what is asked, how, whom, who pays, how fast
    questions: Iterable[Question],
    plan: Plan,
    asker: Asker,
    ledger: Ledger,
    pace: Pace,
    *,
    price: Price,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Verdict]:
    """Yield one verdict a question, as they are decided; equal questions share their calls.

    A stored answer is used and never asked again. Money is set aside for the worst case before a call is sent, and a
    call is settled before anything is raised or the iterator is closed. A call that fails is sent at most three times
    and then abstains (FAILED); an answer that names no class is asked once more.

    Raises, after the verdicts that are decided by then: BudgetReached; TryLater (the endpoint asks for more than a few
    seconds, or failed five times in a row, or once after that); ConnectionBroken, EndpointSilent (that six times);
    PredictionStopped once should_stop, looked at four times a second, says so. A question without a verdict by then may
    be asked again later.
    """
    drive = _Drive(iter(questions), plan, asker, ledger, pace, price)
    try:
        yield from drive.run(should_stop)
    finally:
        drive.close()


class _Drive:
    """What is to be sent, what is on its way, and why to end."""

    def __init__(
        self, questions: Iterator[Question], plan: Plan, asker: Asker, ledger: Ledger, pace: Pace, price: Price
    ) -> None:
        self._questions, self._plan, self._asker = questions, plan, asker
        self._ledger, self._pace, self._price = ledger, pace, price
        self._cases, self._gate = Cases(plan, asker, price), Gate(asker)
        self._pool = ThreadPoolExecutor(pace.concurrency, thread_name_prefix="verifier")
        self._ready: deque[Call] = deque()
        self._delayed: list[tuple[float, int, Call]] = []
        self._number = count()
        self._in_flight: dict[Future[Completion], Call] = {}
        self._is_fed = False
        self._ending: Exception | None = None

    def run(self, should_stop: Callable[[], bool]) -> Iterator[Verdict]:
        while self._feed():
            if should_stop():
                self._end(PredictionStopped("The questions were stopped."))
            if self._ending is None:
                self._send()
            if self._ending is not None:
                self._drain()
                yield from self._cases.take_verdicts()
                raise self._ending
            # Calls are under way while the caller stores these.
            yield from self._cases.take_verdicts()
            self._collect()
        self._cases.confirm()
        yield from self._cases.take_verdicts()

    def close(self) -> None:
        try:
            self._drain()
        finally:
            self._pool.shutdown()

    def _feed(self) -> bool:
        """Return whether anything is left to do; take up the next questions where few calls are ready."""
        if not self._is_fed and len(self._ready) < self._pace.concurrency:
            questions = list(islice(self._questions, _BATCH))
            self._is_fed = len(questions) < _BATCH
            self._look_up(self._cases.open(questions))
        return bool(self._ready or self._delayed or self._in_flight or not self._is_fed)

    def _look_up(self, wants: Sequence[Want]) -> None:
        """Answer from the ledger what stands there; the rest is ready to be sent."""
        while wants:
            calls = self._cases.list_calls(wants)
            stored = self._ledger.recall([call.key for call in calls])
            self._ready.extend(call for call in calls if call.key not in stored)
            wants = [again for key, completion in stored.items() for again in self._cases.answer(key, completion)]

    def _send(self) -> None:
        again = []
        while self._delayed and self._delayed[0][0] <= self._pace.clock():
            again.append(heapq.heappop(self._delayed)[2])
        # First, so that an endpoint that refuses for ever is known for it after three tries and not after all calls.
        self._ready.extendleft(reversed(again))
        if not self._in_flight:
            self._gate.count_from(self._pace.failed_in_a_row)
        # A call that is paid ahead waits for a thread only where all threads are at work.
        ahead = self._pace.concurrency // _AHEAD if self._pace.is_full else 0
        busy = max(0, len(self._in_flight) - ahead)
        batch = list(islice(self._ready, self._pace.count_room(busy)))
        if not batch:
            return
        paid = self._ledger.reserve(batch)
        for call in batch[:paid]:
            self._ready.popleft()
            self._in_flight[self._pool.submit(self._gate.complete, call, self._plan)] = call
        self._pace.note_sent(paid)
        # What is under way may cost less than was set aside for it.
        if not self._in_flight:
            self._end(BudgetReached("The cap leaves no room for another question: raise it to go on."))

    def _collect(self) -> None:
        """Wait for an answer, or for the moment at which something may be sent, but not for long."""
        if self._in_flight:
            self._settle(wait(self._in_flight, self._find_pause() or _LOOK_S, FIRST_COMPLETED).done)
        elif self._ready or self._delayed:
            self._pace.sleep(self._find_pause())

    def _find_pause(self) -> float:
        """Return the seconds until a call may be sent, or until the next look; 0 if only answers are waited for."""
        pauses = [self._pace.wait_s()] if self._ready else []
        if self._delayed:
            pauses.append(max(self._delayed[0][0] - self._pace.clock(), self._pace.wait_s()))
        return min(max(0.0, min(pauses, default=0.0)), _LOOK_S)

    def _drain(self) -> None:
        """Call off what no thread has begun, wait for the rest, and settle both."""
        self._settle([future for future in self._in_flight if future.cancel()])
        while self._in_flight:
            self._settle(wait(self._in_flight, return_when=ALL_COMPLETED).done)

    def _settle(self, done: Iterable[Future[Completion]]) -> None:
        settled = [self._read(future, self._in_flight.pop(future)) for future in done]
        if settled:
            self._ledger.settle(settled)
        again = [want for one in settled for want in self._take(one)]
        self._look_up(again)
        ending = self._pace.take_ending()
        if ending is not None:
            self._end(ending)

    def _read(self, future: "Future[Completion]", call: Call) -> Settled:
        if future.cancelled():
            return Settled(call, failure=NOT_SENT)
        try:
            completion = future.result()
        except CallFailed as error:
            return Settled(call, failure=error.failure)
        except Exception as error:  # noqa: BLE001 - an asker's own mistake: booked, then raised
            self._end(error)
            return Settled(call, failure=fail_unreadable())
        return Settled(call, replace(completion, cost_nano=cost_nano(completion.usage, self._price)))

    def _take(self, settled: Settled) -> list[Want]:
        """Return what is to be asked once more after a call is over."""
        call, failure = settled.call, settled.failure
        if settled.completion is not None:
            self._pace.note_success()
            self._cases.confirm()
            return self._cases.answer(call.key, settled.completion)
        if failure is NOT_SENT:
            self._ready.appendleft(call)
        elif failure is not None:
            delay_s = self._pace.note_failure(failure, call.tries)
            if failure.kind is FailureKind.REJECTED:
                self._cases.fail(call.key, failure, is_sure=True)
            elif failure.kind in PERMANENT | {FailureKind.RATE_LIMITED} or call.tries + 1 < MAX_TRIES:
                self._retry(replace(call, tries=call.tries + 1), delay_s)
            else:
                self._cases.fail(call.key, failure, is_sure=False)
        return []

    def _retry(self, call: Call, delay_s: float) -> None:
        heapq.heappush(self._delayed, (self._pace.clock() + delay_s, next(self._number), call))

    def _end(self, ending: Exception) -> None:
        self._ending = self._ending or ending
