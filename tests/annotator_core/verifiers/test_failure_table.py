"""The failure table, over real HTTP: what the ledger books, what becomes of the question, what a manager reads.

Each failure comes for ever from a server that answered one question well; nothing is ever labeled by default.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from annotator_core.errors import AnnotatorError, ConnectionBroken, TryLater
from annotator_core.fakes import openai_script as fake
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.client import OpenAIAsker
from annotator_core.verifiers.contract import FailureKind, Outcome, Verdict
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.ledger import MemoryLedger
from tests.annotator_core.verifiers.conftest import PLAN, PRICE, Clock, ask_about

Serve = Callable[..., tuple[fake.OpenAIScript, OpenAIAsker]]


@dataclass(frozen=True)
class Found:
    ledger: MemoryLedger
    verdicts: list[Verdict]
    error: AnnotatorError | None
    n_asked: int
    waited_s: float

    @property
    def failures(self) -> list[FailureKind]:
        return [one.failure.kind for one in self.ledger.settled if one.failure]

    def is_booked(self, *, at_reserve: bool) -> bool:
        """Whether every failed call is booked at its reserve, or none of them at anything."""
        good = sum(one.completion.cost_nano for one in self.ledger.settled if one.completion)
        lost = sum(one.call.reserve_nano for one in self.ledger.settled if one.failure)
        return self.ledger.reserved_nano == 0 and self.ledger.spent_nano == good + (lost if at_reserve else 0)


@pytest.fixture
def meet(serve: Serve, clock: Clock) -> Callable[..., Found]:
    """Ask three questions, one at a time, of a server that answers the first and then does this for ever."""

    def meet(step: fake.Step, n_questions: int = 3, **options) -> Found:
        script, asker = serve(fake.say("positive"), rest=step, **options)
        ledger, verdicts, error = MemoryLedger(), [], None
        try:
            verdicts.extend(ask_all(ask_about(n_questions), PLAN, asker, ledger, clock.pace(1), price=PRICE))
        except AnnotatorError as caught:
            error = caught
        assert len(ledger.settled) == len(script.asked)
        first, *others = verdicts
        assert (first.class_index, first.outcome) == (1, Outcome.ANSWERED)
        assert {verdict.class_index for verdict in others} <= {ABSTAIN}
        return Found(ledger, others, error, len(script.asked), sum(clock.slept))

    return meet


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        (fake.fail(401), FailureKind.UNAUTHORIZED, "The endpoint refuses the key: enter a valid one. (HTTP 401)"),
        (
            fake.fail(403),
            FailureKind.FORBIDDEN,
            "The endpoint does not allow this key to use the model: check its rights there. (HTTP 403)",
        ),
        (
            fake.fail(404, code="model_not_found"),
            FailureKind.NOT_FOUND,
            "The endpoint has no such model or path: check the address and the model's name. (HTTP 404)",
        ),
        (
            fake.fail(301, {"Location": "http://127.0.0.1/"}),
            FailureKind.BLOCKED,
            "The endpoint sends requests on to another address: enter that one. (HTTP 301)",
        ),
    ],
    ids=["401", "403", "404", "redirect"],
)
def test_a_refusal_of_the_connection_stops_at_once(meet, step: fake.Step, kind: FailureKind, words: str) -> None:
    found = meet(step)
    assert (type(found.error), found.error.message, found.error.retryable) == (ConnectionBroken, words, False)
    assert (found.failures, found.verdicts, found.n_asked) == ([kind], [], 2)
    assert found.is_booked(at_reserve=False)


def test_429_with_a_short_retry_after_is_waited_for_and_then_left(meet) -> None:
    found = meet(fake.fail(429, {"Retry-After": "2"}))
    assert (type(found.error), found.error.after_s) == (TryLater, 30)
    assert (found.failures, found.verdicts) == ([FailureKind.RATE_LIMITED] * 3, [])
    assert found.waited_s == pytest.approx(4)
    assert found.is_booked(at_reserve=False)


def test_429_with_a_long_retry_after_is_left_at_once(meet) -> None:
    found = meet(fake.fail(429, {"Retry-After": "600"}))
    assert (type(found.error), found.error.after_s, found.waited_s) == (TryLater, 600, 0)
    assert found.error.message == ("The endpoint asks for fewer requests. (HTTP 429) It asks for a pause of 600 s.")
    assert (found.failures, found.verdicts) == ([FailureKind.RATE_LIMITED], [])
    assert found.is_booked(at_reserve=False)


def test_429_without_a_retry_after_is_tried_with_growing_pauses(meet) -> None:
    found = meet(fake.fail(429))
    assert (type(found.error), found.error.after_s) == (TryLater, 30)
    assert (found.failures, found.verdicts) == ([FailureKind.RATE_LIMITED] * 3, [])
    assert 0.25 + 0.5 <= found.waited_s <= 0.5 + 1.0
    assert found.is_booked(at_reserve=False)


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        (fake.fail(500), FailureKind.SERVER_ERROR, "The endpoint failed. (HTTP 500)"),
        (fake.fail(503), FailureKind.UNAVAILABLE, "The endpoint is overloaded or down for now. (HTTP 503)"),
        (fake.Step(delay_s=60), FailureKind.TIMEOUT, "The endpoint did not answer in time."),
        (fake.DROP, FailureKind.DROPPED, "The connection broke before the answer was there."),
        (fake.TRUNCATED, FailureKind.DROPPED, "The connection broke before the answer was there."),
    ],
    ids=["500", "503", "timeout", "dropped", "cut off"],
)
def test_an_outage_is_left_after_five_failures(meet, step: fake.Step, kind: FailureKind, words: str) -> None:
    found = meet(step, timeout_s=0.3 if step.delay_s else 5.0)
    assert (type(found.error), found.error.message, found.error.after_s) == (TryLater, words, 30)
    assert (found.failures, found.verdicts, found.n_asked) == ([kind] * 5, [], 6)
    assert found.is_booked(at_reserve=True)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (fake.HTML, FailureKind.BAD_RESPONSE),
        (fake.NOTHING, FailureKind.BAD_RESPONSE),
        (
            fake.send(b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "posi'),
            FailureKind.BAD_RESPONSE,
        ),
        (fake.LARGE, FailureKind.TOO_LARGE),
    ],
    ids=["html with 200", "{}", "truncated json", "2 MB"],
)
def test_what_is_no_answer_for_ever_breaks_the_connection(meet, step: fake.Step, kind: FailureKind) -> None:
    found = meet(step)
    assert type(found.error) is ConnectionBroken
    assert found.error.message.startswith("The endpoint's answer is ")
    assert (found.failures, found.verdicts, found.n_asked) == ([kind] * 5, [], 6)
    assert found.is_booked(at_reserve=True)


@pytest.mark.parametrize("step", [fake.fail(500), fake.DROP, fake.HTML, fake.LARGE], ids=lambda step: str(step.status))
def test_a_single_question_that_fails_three_times_abstains(meet, step: fake.Step) -> None:
    found = meet(step, n_questions=2)
    (verdict,) = found.verdicts
    assert (verdict.outcome, verdict.confidence, found.error, found.n_asked) == (Outcome.FAILED, None, None, 4)
    assert found.is_booked(at_reserve=True)


def test_a_refused_text_abstains_and_costs_nothing(meet) -> None:
    found = meet(fake.fail(400))
    assert [verdict.outcome for verdict in found.verdicts] == [Outcome.FAILED] * 2
    assert "too long for the model" in found.verdicts[0].reason
    assert (found.error, found.n_asked) == (None, 3)
    assert found.is_booked(at_reserve=False)


@pytest.mark.parametrize(
    ("step", "outcome", "n_asked"),
    [
        (fake.OUTSIDE, Outcome.OUTSIDE, 5),
        (fake.EMPTY, Outcome.EMPTY, 5),
        (fake.say("positive " * 400), Outcome.TRUNCATED, 5),
        (fake.say("negative or positive"), Outcome.OUTSIDE, 5),
        (fake.REFUSAL, Outcome.REFUSED, 3),
    ],
    ids=["outside", "empty", "cut", "two classes", "refusal"],
)
def test_an_answer_without_a_class_is_stored_paid_and_abstains(meet, step, outcome: Outcome, n_asked: int) -> None:
    found = meet(step)
    assert [(verdict.outcome, len(verdict.keys)) for verdict in found.verdicts] == [(outcome, n_asked // 2)] * 2
    assert (found.error, found.failures, found.n_asked) == (None, [], n_asked)
    assert len(found.ledger.stored) == n_asked
    assert found.is_booked(at_reserve=False)
