"""A question goes through the ledger, is asked again when unreadable, and never twice when its answer is stored."""

import json
from dataclasses import replace

import pytest

from annotator_core.errors import BadInput, BudgetReached, CallFailed, ConnectionBroken, TryLater
from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.meta.asking import FREE, LanguageModel, read_object
from annotator_core.verifiers.capability import Capability
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Failure, FailureKind
from annotator_core.verifiers.ledger import MemoryLedger
from annotator_core.verifiers.pace import Breaks, Memory, Pace
from tests.annotator_core.meta.made import PRICE, make_language_model


def ask(model: LanguageModel) -> object:
    return model.ask("system", "user", lambda content: json.loads(content)["x"])


def test_an_answer_is_paid_for_and_remembered() -> None:
    model = make_language_model({"x": 7})
    assert (ask(model), ask(model)) == (7, 7)
    assert len(model.asker.calls) == 1
    assert (model.ledger.spent_nano, model.ledger.reserved_nano) == (20_000, 0)
    assert model.asker.plans == [FREE]


def test_an_unreadable_answer_is_asked_for_once_more_under_another_key() -> None:
    model = make_language_model("no JSON", {"x": 8})
    assert ask(model) == 8
    first, second = model.asker.calls
    assert (first.ask, second.ask, first.key != second.key) == (0, 1, True)


def test_two_unreadable_answers_are_none() -> None:
    with pytest.raises(BadInput, match="could not be read"):
        ask(make_language_model("no", "no"))


def test_without_money_nothing_is_sent() -> None:
    model = make_language_model({"x": 1}, cap_nano=1_000)
    with pytest.raises(BudgetReached):
        ask(model)
    assert model.asker.calls == []


def test_a_failure_is_tried_again_and_a_lost_answer_is_booked() -> None:
    model = make_language_model(Failure(FailureKind.TIMEOUT, "slow", may_have_cost=True), {"x": 2})
    assert ask(model) == 2
    assert model.ledger.spent_nano == 20_000 + model.asker.calls[0].reserve_nano
    assert [call.tries for call in model.asker.calls] == [0, 1]


def test_three_failures_are_the_end() -> None:
    model = make_language_model(*[Failure(FailureKind.SERVER_ERROR, "500")] * 3)
    with pytest.raises(CallFailed):
        ask(model)
    assert model.ledger.reserved_nano == 0


@pytest.mark.parametrize("kind", [FailureKind.UNAUTHORIZED, FailureKind.NOT_FOUND, FailureKind.BLOCKED])
def test_a_broken_connection_is_said_at_once(kind: FailureKind) -> None:
    model = make_language_model(Failure(kind, "mend it"))
    with pytest.raises(ConnectionBroken, match="mend it"):
        ask(model)


def test_a_request_that_is_refused_as_such_is_not_repeated() -> None:
    model = make_language_model(Failure(FailureKind.REJECTED, "400"))
    with pytest.raises(CallFailed):
        ask(model)


@pytest.mark.parametrize(("named", "after"), [(90.0, 90.0), (None, 30.0)])
def test_a_rate_limit_asks_to_come_back(named: float | None, after: float) -> None:
    model = make_language_model(Failure(FailureKind.RATE_LIMITED, "busy", retry_after_s=named))
    with pytest.raises(TryLater) as caught:
        ask(model)
    assert caught.value.after_s == after


def test_a_server_that_is_down_and_names_its_pause_is_not_asked_again_at_once() -> None:
    model = make_language_model(Failure(FailureKind.UNAVAILABLE, "down", retry_after_s=600.0))
    with pytest.raises(TryLater) as caught:
        ask(model)
    assert caught.value.after_s == 600.0


def test_with_a_pace_failures_are_counted_over_all_questions() -> None:
    """Five in a row are a break, and after it one failure is the next; without a pace each question begins anew."""
    failure = Failure(FailureKind.SERVER_ERROR, "500", may_have_cost=True)
    model = replace(make_language_model(*[failure] * 12), pace=Pace(1))
    for expected in (CallFailed, TryLater, TryLater):
        with pytest.raises(expected) as caught:
            ask(model)
    assert (len(model.asker.calls), caught.value.after_s) == (3 + 2 + 1, 60.0)
    anew = make_language_model(*[failure] * 6)
    for _ in range(2):
        with pytest.raises(CallFailed):
            ask(anew)
    assert len(anew.asker.calls) == 6


def test_a_good_answer_ends_what_the_pace_remembers() -> None:
    pace = Pace(1, memory=Memory(Breaks(2, 2)))
    assert ask(replace(make_language_model({"x": 1}), pace=pace)) == 1
    assert pace.breaks == Breaks()


@pytest.mark.parametrize("content", ["", "[]", "x", '"a"', "{", "[" * 10_000])
def test_what_is_no_object(content: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own words differ
        read_object(content)


def test_over_http_a_question_in_free_words_asks_for_no_form() -> None:
    script = OpenAIScript(lambda messages: json.dumps({"x": messages[-1]["content"]}))
    capability = Capability("json_schema", has_logprobs=True, max_tokens_name="max_tokens", has_temperature=True)
    with FakeOpenAI(script) as server:
        endpoint = Endpoint(server.url, "fake-model", None, 5.0, PRICE, capability)
        with OpenAIAsker(endpoint, allow=["127.0.0.1"]) as asker:
            assert ask(LanguageModel(asker, MemoryLedger(), PRICE)) == "user"
    (asked,) = [one for one in script.asked if one.path.endswith("/chat/completions")]
    assert not {"response_format", "logprobs"} & set(asked.body)
