"""The client against a server that fails in every way of the failure table, over real HTTP: what comes of each call.

What `drive.ask_all` and the ledger make of the same failures stands in test_failure_table.
"""

import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest

from annotator_core.errors import AddressRefused, BadInput, CallFailed
from annotator_core.fakes import openai_script as fake
from annotator_core.verifiers.capability import Capability
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Call, Completion, Failure, FailureKind, Message, Strategy
from tests.annotator_core.verifiers.conftest import ALLOW, CLASSES, KEY, PLAN, PRICE

Serve = Callable[..., tuple[fake.OpenAIScript, OpenAIAsker]]
CALL = Call("k" * 64, 1, 0, 0, 0, (Message("system", "one of: a"), Message("user", "a secret text")), 16, 0.0, 1_000)
FORMS = Capability("json_schema", has_logprobs=True)


def _fail(asker: OpenAIAsker) -> Failure:
    with pytest.raises(CallFailed) as caught:
        asker.complete(CALL, PLAN)
    return caught.value.failure


def test_an_answer_comes_with_its_tokens_and_price(serve: Serve) -> None:
    script, asker = serve(fake.say("positive"))
    completion = asker.complete(CALL, PLAN)
    assert (completion.content, completion.finish, completion.model) == ("positive", "stop", "fake-model")
    assert (completion.usage.tokens_in, completion.usage.tokens_cached, completion.usage.tokens_out) == (16, 0, 1)
    assert completion.cost_nano == 16 * 1_000 + 1 * 4_000
    assert 0 < completion.latency_s < 5
    (asked,) = script.asked
    assert asked.body == {
        "model": "fake-model",
        "messages": [{"role": "system", "content": "one of: a"}, {"role": "user", "content": "a secret text"}],
        "max_tokens": 16,
        "temperature": 0.0,
    }


def test_only_the_headers_of_the_api_are_sent(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-the-operator")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: of-the-operator")
    for key in (KEY, None):
        script, asker = serve(key=key)
        asker.complete(CALL, PLAN)
        headers = script.asked[0].headers
        assert headers.get("authorization") == (f"Bearer {KEY}" if key else None)
        assert "of-the-operator" not in str(headers)
        assert not any(name.startswith("x-") for name in headers)


def test_the_forms_that_a_server_has_are_asked_for(serve: Serve) -> None:
    script, asker = serve(capability=FORMS)
    completion = asker.complete(CALL, PLAN)
    body = script.asked[0].body
    label = body["response_format"]["json_schema"]["schema"]["properties"]["label"]
    assert (label, body["logprobs"], body["top_logprobs"]) == ({"type": "string", "enum": list(CLASSES)}, True, 5)
    assert completion.content in [f'{{"label": "{name}"}}' for name in CLASSES]
    assert sorted(completion.class_probs) == pytest.approx([0.1, 0.9])
    assert asker.schema == "json_schema"


def test_a_server_of_other_words_is_asked_in_them(serve: Serve) -> None:
    capability = Capability("json_object", max_tokens_name="max_completion_tokens", has_temperature=False)
    script, asker = serve(capability=capability, lacks=frozenset({"max_tokens", "temperature", "json_schema"}))
    asker.complete(CALL, PLAN)
    body = script.asked[0].body
    assert (body["response_format"], body["max_completion_tokens"]) == ({"type": "json_object"}, 16)
    assert not {"max_tokens", "temperature", "logprobs"} & set(body)


@pytest.mark.parametrize(
    ("step", "kind", "may_have_cost"),
    [
        (fake.fail(401), FailureKind.UNAUTHORIZED, False),
        (fake.fail(402), FailureKind.FORBIDDEN, False),
        (fake.fail(403), FailureKind.FORBIDDEN, False),
        (fake.fail(404, code="model_not_found"), FailureKind.NOT_FOUND, False),
        (fake.fail(400), FailureKind.REJECTED, False),
        (fake.fail(422), FailureKind.REJECTED, False),
        (fake.fail(429), FailureKind.RATE_LIMITED, False),
        (fake.fail(429, code="insufficient_quota"), FailureKind.FORBIDDEN, False),
        (fake.fail(408), FailureKind.TIMEOUT, True),
        (fake.fail(500), FailureKind.SERVER_ERROR, True),
        (fake.fail(502), FailureKind.SERVER_ERROR, True),
        (fake.fail(503), FailureKind.UNAVAILABLE, True),
        (fake.fail(302, {"Location": "http://169.254.169.254/"}), FailureKind.BLOCKED, False),
    ],
    ids=lambda value: str(getattr(value, "status", "")) or None,
)
def test_a_bad_status_is_a_failure_of_its_kind(
    serve: Serve, step: fake.Step, kind: FailureKind, may_have_cost: bool
) -> None:
    script, asker = serve(step)
    failure = _fail(asker)
    assert (failure.kind, failure.status, failure.may_have_cost) == (kind, step.status, may_have_cost)
    assert len(script.asked) == 1


def test_a_slow_answer_is_a_timeout(serve: Serve) -> None:
    script, asker = serve(fake.Step(delay_s=60), timeout_s=0.2)
    failure = _fail(asker)
    assert (failure.kind, failure.status, failure.may_have_cost) == (FailureKind.TIMEOUT, None, True)
    assert len(script.asked) == 1


def test_an_answer_that_drips_has_one_timeout_in_all(serve: Serve) -> None:
    script, asker = serve(fake.Step(body=b" " * 100_000, drip_s=0.1), timeout_s=0.3)
    failure = _fail(asker)
    assert (failure.kind, failure.may_have_cost, len(script.asked)) == (FailureKind.TIMEOUT, True, 1)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (fake.DROP, FailureKind.DROPPED),
        (fake.TRUNCATED, FailureKind.DROPPED),
        (fake.HTML, FailureKind.BAD_RESPONSE),
        (fake.NOTHING, FailureKind.BAD_RESPONSE),
        (fake.send(b'{"choices": [{"message": {"content": "pos'), FailureKind.BAD_RESPONSE),
        (fake.send(b'{"choices": []}'), FailureKind.BAD_RESPONSE),
        (fake.send(b'{"choices": null, "error": {"message": "sk-"}}'), FailureKind.BAD_RESPONSE),
        (fake.send(b'{"choices": [{"message": {"content": 7}}]}'), FailureKind.BAD_RESPONSE),
        (fake.send(b"[" * 100_000), FailureKind.BAD_RESPONSE),
        (fake.send(b"\xff\xfe"), FailureKind.BAD_RESPONSE),
        (fake.send(b""), FailureKind.BAD_RESPONSE),
        (fake.LARGE, FailureKind.TOO_LARGE),
    ],
)
def test_a_body_that_is_no_answer_may_have_cost(serve: Serve, step: fake.Step, kind: FailureKind) -> None:
    script, asker = serve(step)
    failure = _fail(asker)
    assert (failure.kind, failure.status, failure.may_have_cost) == (kind, None, True)
    assert len(script.asked) == 1


def test_nothing_was_asked_of_a_server_that_is_not_there(serve: Serve) -> None:
    endpoint = Endpoint("http://127.0.0.1:1/v1", "m", KEY, 2.0, PRICE)
    with OpenAIAsker(endpoint, allow=ALLOW) as asker:
        failure = _fail(asker)
    assert (failure.kind, failure.may_have_cost) == (FailureKind.DROPPED, False)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "1e99"}, 86_400.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400.0),
        ({"retry-after-ms": "50", "Retry-After": "1"}, 0.05),
        ({}, None),
    ],
)
def test_a_pause_is_read_and_never_slept(serve: Serve, headers: dict[str, str], seconds: float | None) -> None:
    script, asker = serve(fake.fail(429, headers))
    assert _fail(asker).retry_after_s == seconds
    assert len(script.asked) == 1


def test_refusal_empty_and_cut_answers_are_answers(serve: Serve) -> None:
    _script, asker = serve(fake.REFUSAL, fake.EMPTY, fake.say("word " * 40))
    refused, empty, cut = (asker.complete(CALL, PLAN) for _ in range(3))
    assert (refused.finish, refused.content) == ("refusal", "I cannot help with that.")
    assert (empty.finish, empty.content) == ("stop", "")
    assert (cut.finish, cut.usage.tokens_out) == ("length", 16)


def test_uncounted_tokens_are_booked_at_their_most(serve: Serve) -> None:
    _script, asker = serve(lacks=frozenset({"usage"}))
    completion = asker.complete(CALL, PLAN)
    assert completion.usage.is_estimated
    assert completion.usage.tokens_out == CALL.max_tokens
    assert completion.usage.tokens_in > 500


def test_no_key_text_or_body_is_in_an_error_a_log_or_a_repr(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """S12: what a person sees of a failed test request is ours, never the server's."""
    caplog.set_level(logging.DEBUG)
    echo = fake.Step(status=500, body=b'{"error": {"message": "inner secret", "code": "inner secret"}}')
    steps = [fake.fail(401), echo, fake.DROP, fake.HTML, fake.NOTHING, fake.LARGE, fake.fail(302)]
    _script, asker = serve(*steps)
    seen = [repr(asker), repr(asker._endpoint), str(vars(asker))]
    for _ in steps:
        with pytest.raises(CallFailed) as caught:
            asker.complete(CALL, PLAN)
        assert caught.value.__context__ is None
        seen += [repr(caught.value.failure), *traceback.format_exception(caught.value)]
    seen.append(caplog.text)
    for secret in (KEY, "a secret text", "inner secret", "Welcome", "a message of the server"):
        assert [piece for piece in seen if secret in piece] == []


def test_a_server_that_sends_the_key_back_does_not_get_it_stored(serve: Serve) -> None:
    """S12: a proxy that shows the headers it got, as an answer, as the model's name, and as the reason of its end."""
    message = {"message": {"content": f"Bearer {KEY}"}, "finish_reason": f"stop {KEY}"}
    _script, asker = serve(fake.send(json.dumps({"model": f"m {KEY}", "choices": [message]}).encode()))
    completion = asker.complete(CALL, PLAN)
    assert KEY not in repr(completion)
    assert completion.content == "Bearer …"


def test_lone_surrogates_are_sent_and_read_as_question_marks(serve: Serve) -> None:
    script, asker = serve(fake.send(b'{"choices": [{"message": {"content": "a\\ud800b\\u0000"}}]}'))
    call = Call("k", 1, 0, 0, 0, (Message("user", "a\ud800b"),), 16, 0.0, 0)
    assert asker.complete(call, PLAN).content == "a?b"
    assert script.asked[0].body["messages"][0]["content"] == "a?b"


def test_addresses_are_taken_as_people_copy_them() -> None:
    for written in (" https://api.example.com/v1/", "https://api.example.com/v1/chat/completions"):
        assert Endpoint(written, "m", None, 5.0, PRICE).base_url == "https://api.example.com/v1"


def test_a_key_that_no_header_carries_is_refused_without_showing_it() -> None:
    for key in ("sk-abc def", "sk-abc\n", "sk-äöü"):
        with pytest.raises(BadInput) as caught:
            Endpoint("https://api.example.com/v1", "m", key, 5.0, PRICE)
        assert "sk-" not in str(caught.value)


def test_s12_an_asker_of_a_private_address_is_not_made() -> None:
    with pytest.raises(AddressRefused):
        OpenAIAsker(Endpoint("http://127.0.0.1:8000/v1", "m", KEY, 5.0, PRICE))


def test_identity_names_address_and_model_only(serve: Serve) -> None:
    _script, asker = serve()
    assert asker.identity == f"{asker._endpoint.base_url} fake-model"


def test_a_chain_of_thought_is_asked_for_with_its_reason(serve: Serve) -> None:
    script, asker = serve(capability=FORMS)
    completion: Completion = asker.complete(CALL, replace(PLAN, strategy=Strategy.CHAIN_OF_THOUGHT))
    schema = script.asked[0].body["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["reason", "label"]
    assert completion.cost_nano > 0


def test_prices_of_cached_tokens_count(serve: Serve) -> None:
    usage = b'{"prompt_tokens": 100, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 64}}'
    other = b'{"prompt_tokens": 100, "completion_tokens": 1, "prompt_cache_hit_tokens": 64}'
    start = b'{"choices": [{"message": {"content": "a"}}], "usage": '
    _script, asker = serve(fake.send(start + usage + b"}"), fake.send(start + other + b"}"))
    for _ in range(2):
        assert asker.complete(CALL, PLAN).cost_nano == 36 * 1_000 + 64 * 500 + 4_000
