"""Asking many questions over real HTTP: money, order, what is stored, how it ends, and that nothing leaks."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest

from annotator_core.errors import BudgetReached, CallFailed, ConnectionBroken, PredictionStopped, TryLater
from annotator_core.fakes import openai_script as fake
from annotator_core.verifiers import drive
from annotator_core.verifiers.client import OpenAIAsker
from annotator_core.verifiers.contract import (
    NANO,
    Call,
    Completion,
    Failure,
    FailureKind,
    Outcome,
    Plan,
    Price,
    Settled,
    Usage,
)
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.gate import NOT_SENT, Gate
from annotator_core.verifiers.ledger import MemoryLedger
from annotator_core.verifiers.pace import Breaks, Memory, Pace
from tests.annotator_core.verifiers.conftest import CLASSES, PLAN, PRICE, Clock, ask_about

Serve = Callable[..., tuple[fake.OpenAIScript, OpenAIAsker]]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("verifier")] == []


class WatchedLedger(MemoryLedger):
    """Remembers the most that was ever spent and set aside together, and which thread came."""

    def __init__(self, cap_nano: int | None = None) -> None:
        super().__init__(cap_nano)
        self.most_nano, self.threads, self.calls = 0, set(), []

    def reserve(self, calls: Sequence[Call]) -> int:
        count = super().reserve(calls)
        self.calls += calls[:count]
        self.most_nano = max(self.most_nano, self.spent_nano + self.reserved_nano)
        self.threads.add(threading.get_ident())
        return count

    def settle(self, settled: Sequence[Settled]) -> None:
        super().settle(settled)
        self.most_nano = max(self.most_nano, self.spent_nano + self.reserved_nano)
        self.threads.add(threading.get_ident())


def test_every_question_gets_one_verdict(serve: Serve) -> None:
    script, asker = serve()
    ledger = WatchedLedger()
    verdicts = list(ask_all(ask_about(150), PLAN, asker, ledger, Pace(8), price=PRICE))
    assert sorted(verdict.question_id for verdict in verdicts) == list(range(150))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.ANSWERED}
    assert {verdict.class_index for verdict in verdicts} == {0, 1}
    assert len(script.asked) == len(ledger.stored) == 150
    assert {verdict.keys for verdict in verdicts} == {(key,) for key in ledger.stored}
    assert (ledger.reserved_nano, ledger.threads) == (0, {threading.get_ident()})
    assert ledger.spent_nano == sum(completion.cost_nano for completion in ledger.stored.values()) > 0


def test_as_many_calls_are_under_way_as_allowed(serve: Serve) -> None:
    barrier = threading.Barrier(4, timeout=20)

    def meet(_messages: fake.Messages) -> str:
        barrier.wait()
        return "positive"

    script, asker = serve(answerer=meet)
    assert len(list(ask_all(ask_about(16), PLAN, asker, MemoryLedger(), Pace(4), price=PRICE))) == 16
    assert script.most_at_once == 4


def test_a_cap_of_a_dollar_holds_for_ten_thousand_questions_and_sixteen_calls(serve: Serve) -> None:
    """Every twentieth answer is lost: what it may have cost counts, too."""
    script, asker = serve(*[fake.DROP if number % 20 == 7 else fake.OK for number in range(1_000)])
    price, ledger = Price(20.0, 20.0, 80.0), WatchedLedger(cap_nano=NANO)
    verdicts = []
    with pytest.raises(BudgetReached, match="raise it"):
        verdicts.extend(ask_all(ask_about(10_000), PLAN, asker, ledger, Pace(16), price=price))
    booked = sum(one.completion.cost_nano if one.completion else one.call.reserve_nano for one in ledger.settled)
    assert ledger.spent_nano == booked <= ledger.most_nano <= NANO
    assert (ledger.reserved_nano, len(ledger.settled)) == (0, len(script.asked))
    # The cap is used up: what is left would not have paid for one more.
    assert NANO - ledger.spent_nano < max(one.call.reserve_nano for one in ledger.settled)
    assert len(ledger.stored) > 100


def test_after_the_cap_is_raised_nothing_is_asked_twice(serve: Serve) -> None:
    script, asker = serve()
    ledger, first = MemoryLedger(cap_nano=8_000_000), []
    with pytest.raises(BudgetReached):
        first.extend(ask_all(ask_about(100), PLAN, asker, ledger, Pace(4), price=PRICE))
    assert 0 < len(first) == len(ledger.stored) < 100
    ledger.cap_nano = NANO
    every = list(ask_all(ask_about(100), PLAN, asker, ledger, Pace(4), price=PRICE))
    assert len(every) == len(script.asked) == 100
    assert set(first) < set(every)


def test_no_money_asks_nothing(serve: Serve) -> None:
    script, asker = serve()
    with pytest.raises(BudgetReached):
        list(ask_all(ask_about(3), PLAN, asker, MemoryLedger(cap_nano=0), Pace(4), price=PRICE))
    assert script.asked == []
    assert list(ask_all([], PLAN, asker, MemoryLedger(cap_nano=0), Pace(4), price=PRICE)) == []


def test_a_closed_iterator_settles_what_is_under_way_and_goes_on_without_asking_again(serve: Serve) -> None:
    script, asker = serve()
    ledger, questions = MemoryLedger(), ask_about(60)
    running = ask_all(questions, PLAN, asker, ledger, Pace(6), price=PRICE)
    next(running)
    running.close()
    assert (ledger.reserved_nano, len(ledger.stored)) == (0, len(script.asked))
    assert 0 < len(script.asked) < 60
    assert len(list(ask_all(questions, PLAN, asker, ledger, Pace(6), price=PRICE))) == len(script.asked) == 60


def test_what_waits_for_a_thread_is_called_off_and_costs_nothing() -> None:
    """Of eight calls and four more that are paid ahead, the four are settled before an answer frees a thread."""
    released, looks = threading.Event(), iter([False, False])

    class Slow:
        identity, schema = "here a model", "text"

        def complete(self, *_asked: object) -> Completion:
            assert released.wait(20)
            return Completion(CLASSES[0], "stop", Usage(1_000, 0, 10), "a model", 0.1)

    class Releasing(MemoryLedger):
        def settle(self, settled: Sequence[Settled]) -> None:
            super().settle(settled)
            released.set()

    ledger, verdicts = Releasing(), []
    with pytest.raises(PredictionStopped):
        verdicts.extend(
            ask_all(ask_about(40), PLAN, Slow(), ledger, Pace(8), price=PRICE, should_stop=lambda: next(looks, True))
        )
    assert [one.failure.kind for one in ledger.settled if one.failure] == [FailureKind.NOT_SENT] * 4
    assert len(verdicts) == len(ledger.stored) == 8
    assert ledger.spent_nano == 8 * (1_000 * 1_000 + 10 * 4_000)
    assert ledger.reserved_nano == 0


def test_equal_texts_share_a_call_and_draws_do_not(serve: Serve) -> None:
    script, asker = serve()
    questions = [replace(question, text="the same") for question in ask_about(5)]
    plan = replace(PLAN, draws=3, temperature=0.7)
    verdicts = list(ask_all(questions, plan, asker, MemoryLedger(), Pace(4), price=PRICE))
    assert len(script.asked) == 3
    assert len({verdict.keys for verdict in verdicts}) == 1
    assert [len(verdict.keys) for verdict in verdicts] == [3] * 5
    assert {(verdict.outcome, verdict.confidence) for verdict in verdicts} == {(Outcome.ANSWERED, 1.0)}


def test_should_stop_ends_it_with_all_settled(serve: Serve) -> None:
    script, asker = serve()
    ledger, verdicts = MemoryLedger(), []
    with pytest.raises(PredictionStopped):
        verdicts.extend(
            ask_all(
                ask_about(500),
                PLAN,
                asker,
                ledger,
                Pace(4),
                price=PRICE,
                should_stop=lambda: len(ledger.settled) >= 10,
            )
        )
    assert len(verdicts) == len(ledger.stored) == len(script.asked) < 30
    assert ledger.reserved_nano == 0


def test_an_answer_outside_the_set_is_asked_once_more(serve: Serve) -> None:
    script, asker = serve(fake.OUTSIDE, fake.say("Positive."))
    (verdict,) = ask_all(ask_about(1), PLAN, asker, MemoryLedger(), Pace(1), price=PRICE)
    assert (verdict.class_index, verdict.outcome, len(verdict.keys)) == (1, Outcome.ANSWERED, 2)
    first, second = (asked.body["messages"][-1]["content"] for asked in script.asked)
    assert second.startswith(first)
    assert "could not be used" in second


def test_a_stored_answer_outside_the_set_is_not_asked_again_either(serve: Serve) -> None:
    script, asker = serve(fake.OUTSIDE, fake.OUTSIDE)
    ledger = MemoryLedger()
    for _ in range(2):
        (verdict,) = ask_all(ask_about(1), PLAN, asker, ledger, Pace(1), price=PRICE)
        assert (verdict.class_index, verdict.outcome) == (-1, Outcome.OUTSIDE)
    assert len(script.asked) == 2


def test_a_long_pause_is_given_back_and_never_slept(serve: Serve, clock: Clock) -> None:
    script, asker = serve(fake.OK, fake.OK, rest=fake.fail(429, {"Retry-After": "120"}))
    ledger, verdicts = MemoryLedger(), []
    with pytest.raises(TryLater, match="120 s") as caught:
        verdicts.extend(ask_all(ask_about(50), PLAN, asker, ledger, clock.pace(2), price=PRICE))
    assert caught.value.after_s == 120
    assert clock.slept == []
    assert len(verdicts) == len(ledger.stored) == 2
    sent = [one for one in ledger.settled if not one.failure or one.failure.kind is not FailureKind.NOT_SENT]
    assert (ledger.reserved_nano, len(sent)) == (0, len(script.asked))


def test_a_short_pause_is_waited_for(serve: Serve, clock: Clock) -> None:
    script, asker = serve(fake.fail(429, {"Retry-After": "3"}))
    verdicts = list(ask_all(ask_about(3), PLAN, asker, MemoryLedger(), clock.pace(1), price=PRICE))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ANSWERED] * 3
    assert len(script.asked) == 4
    assert sum(clock.slept) == pytest.approx(3)
    assert max(clock.slept) <= 0.25


def test_an_endpoint_that_refuses_for_ever_is_left_after_a_few_requests(serve: Serve, clock: Clock) -> None:
    script, asker = serve(rest=fake.fail(429))
    with pytest.raises(TryLater):
        list(ask_all(ask_about(300), PLAN, asker, MemoryLedger(), clock.pace(16), price=PRICE))
    assert 16 < len(script.asked) <= 60
    assert sum(clock.slept) < 5


def test_five_failures_in_a_row_stop_everything(serve: Serve, clock: Clock) -> None:
    script, asker = serve(rest=fake.fail(500))
    ledger = MemoryLedger()
    with pytest.raises(TryLater) as caught:
        list(ask_all(ask_about(50), PLAN, asker, ledger, clock.pace(1), price=PRICE))
    assert (caught.value.after_s, len(script.asked)) == (30, 5)
    # No question goes to a person for an outage, and each call may have cost.
    assert ledger.spent_nano == sum(one.call.reserve_nano for one in ledger.settled)
    assert {one.failure.kind for one in ledger.settled} == {FailureKind.SERVER_ERROR}


@pytest.mark.parametrize("good", [0, 40])
def test_an_outage_loses_what_is_under_way_and_four_calls_more(serve: Serve, clock: Clock, good: int) -> None:
    """However many calls are paid ahead: what has not begun by the fifth failure never begins."""
    script, asker = serve(*[fake.OK] * good, rest=fake.fail(503))
    ledger, pace = MemoryLedger(), clock.pace(16)
    assert len(list(ask_all(ask_about(good), PLAN, asker, ledger, pace, price=PRICE))) == good
    with pytest.raises(TryLater):
        list(ask_all(ask_about(200), PLAN, asker, ledger, pace, price=PRICE))
    assert len(script.asked) - good <= 16 + 4
    kinds = Counter(one.failure.kind for one in ledger.settled if one.failure)
    assert kinds[FailureKind.UNAVAILABLE] == len(script.asked) - good
    assert ledger.reserved_nano == 0


def test_calls_that_are_paid_ahead_do_not_begin_after_the_fifth_failure(clock: Clock) -> None:
    """All fail at once while eight calls more wait for their threads, which would take them before anybody looks."""
    begun, is_ahead = [], threading.Event()

    class Failing:
        identity, schema = "here a model", "text"

        def complete(self, call: Call, _plan: Plan) -> Completion:
            begun.append(call)
            assert is_ahead.wait(10)
            raise CallFailed(Failure(FailureKind.SERVER_ERROR, "failed", may_have_cost=True))

    ledger = WatchedLedger()

    def look() -> bool:
        if len(ledger.calls) == 16 + 8:
            is_ahead.set()
        return False

    with pytest.raises(TryLater):
        list(ask_all(ask_about(50), PLAN, Failing(), ledger, clock.pace(16), price=PRICE, should_stop=look))
    assert 16 <= len(begun) <= 16 + 4
    assert ledger.spent_nano == sum(call.reserve_nano for call in begun)


def test_after_a_break_one_call_tries_and_the_first_answer_opens_it(serve: Serve, clock: Clock) -> None:
    script, asker = serve(rest=fake.fail(503))
    pace = Pace(16, memory=Memory(Breaks(1, 1)), clock=clock, sleep=clock.sleep)
    with pytest.raises(TryLater) as caught:
        list(ask_all(ask_about(60), PLAN, asker, MemoryLedger(), pace, price=PRICE))
    assert (caught.value.after_s, len(script.asked), script.most_at_once) == (60, 1, 1)
    script.rest = fake.Step(delay_s=0.3)
    assert len(list(ask_all(ask_about(60), PLAN, asker, MemoryLedger(), pace, price=PRICE))) == 60
    assert (pace.breaks, script.most_at_once) == (Breaks(), 16)


def test_calls_that_were_held_back_are_asked_where_nothing_ends(serve: Serve, monkeypatch) -> None:
    """Where failures and answers end in another order than they are settled, none is forgotten."""

    class Hesitant(Gate):
        """Holds every call back once."""

        held: ClassVar[set[str]] = set()

        def complete(self, call: Call, plan: Plan) -> Completion:
            if call.key not in self.held:
                self.held.add(call.key)
                raise CallFailed(NOT_SENT)
            return super().complete(call, plan)

    monkeypatch.setattr(drive, "Gate", Hesitant)
    script, asker = serve()
    ledger = MemoryLedger()
    verdicts = list(ask_all(ask_about(12), PLAN, asker, ledger, Pace(2), price=PRICE))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ANSWERED] * 12
    assert (len(script.asked), len(ledger.settled), ledger.reserved_nano) == (12, 24, 0)


def test_one_bad_question_among_good_ones_abstains(serve: Serve, clock: Clock) -> None:
    def answer(messages: fake.Messages) -> str:
        if "text 3" in messages[-1]["content"]:
            raise ConnectionError
        return "positive"

    script, asker = serve(answerer=answer)
    verdicts = list(ask_all(ask_about(12), PLAN, asker, MemoryLedger(), clock.pace(2), price=PRICE))
    assert Counter(verdict.outcome for verdict in verdicts) == {Outcome.ANSWERED: 11, Outcome.FAILED: 1}
    (failed,) = (verdict for verdict in verdicts if verdict.outcome is Outcome.FAILED)
    assert (failed.question_id, failed.class_index) == (3, -1)
    assert failed.reason == "The connection broke before the answer was there."
    assert len(script.asked) == 11 + 3


def test_an_endpoint_that_never_speaks_the_protocol_is_broken(serve: Serve, clock: Clock) -> None:
    script, asker = serve(rest=fake.HTML)
    with pytest.raises(ConnectionBroken, match="no chat completion"):
        list(ask_all(ask_about(50), PLAN, asker, MemoryLedger(), clock.pace(1), price=PRICE))
    assert len(script.asked) == 5


def test_a_broken_ledger_stops_with_nothing_under_way(serve: Serve) -> None:
    class Broken(MemoryLedger):
        def settle(self, settled: Sequence[Settled]) -> None:
            raise OSError(f"no room for {len(settled)}")

    _script, asker = serve()
    with pytest.raises(OSError, match="no room"):
        list(ask_all(ask_about(20), PLAN, asker, Broken(), Pace(4), price=PRICE))


def test_a_mistake_of_the_asker_is_booked_and_raised() -> None:
    class Mistaken:
        identity, schema = "here a model", "text"

        def complete(self, *_asked: object) -> Completion:
            raise ZeroDivisionError

    ledger = MemoryLedger()
    with pytest.raises(ZeroDivisionError):
        list(ask_all(ask_about(20), PLAN, Mistaken(), ledger, Pace(4), price=PRICE))
    made = [one.call.reserve_nano for one in ledger.settled if one.failure.kind is FailureKind.BAD_RESPONSE]
    assert (ledger.reserved_nano, ledger.spent_nano) == (0, sum(made))
    assert made


def test_costs_are_by_the_price_of_the_run() -> None:
    class Free:
        identity, schema = "here a model", "text"

        def complete(self, *_asked: object) -> Completion:
            return Completion(CLASSES[0], "stop", Usage(1_000, 0, 10), "a model", 0.1)

    ledger = MemoryLedger()
    list(ask_all(ask_about(2), PLAN, Free(), ledger, Pace(4), price=PRICE))
    assert ledger.spent_nano == 2 * (1_000 * 1_000 + 10 * 4_000)
