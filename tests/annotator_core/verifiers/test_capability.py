"""What an endpoint can do, found by asking it over real HTTP."""

from collections.abc import Callable

import pytest

from annotator_core.errors import AddressRefused, BadInput, CallFailed
from annotator_core.fakes import openai_script as fake
from annotator_core.verifiers.capability import Capability, Probe, probe
from annotator_core.verifiers.client import Endpoint
from annotator_core.verifiers.contract import FailureKind
from tests.annotator_core.verifiers.conftest import ALLOW


def _bark(_messages: fake.Messages) -> str:
    return "dog"


@pytest.fixture
def test_it(serve) -> Callable[..., tuple[fake.OpenAIScript, Probe]]:
    def run(*steps: fake.Step, **options) -> tuple[fake.OpenAIScript, Probe]:
        script, asker = serve(*steps, **{"answerer": _bark, **options})
        return script, probe(asker._endpoint, ALLOW)

    return run


def test_a_server_that_can_all(test_it) -> None:
    script, found = test_it()
    assert found.capability == Capability("json_schema", has_logprobs=True)
    assert (found.requests, found.models) == (3, ("fake-model",))
    assert found.requests == len(script.list_questions())
    assert found.cost_nano == found.usage.tokens_in * 1_000 + found.usage.tokens_out * 4_000 > 0
    assert 0 < found.latency_s < 5


@pytest.mark.parametrize(
    ("lacks", "capability"),
    [
        ({"json_schema"}, Capability("json_object", has_logprobs=True)),
        ({"logprobs"}, Capability("json_schema")),
        (
            {"json_schema", "json_object"},
            Capability("text", has_logprobs=True, note="Answers keep to a form by words only."),
        ),
        ({"max_tokens"}, Capability("json_schema", has_logprobs=True, max_tokens_name="max_completion_tokens")),
        ({"temperature"}, Capability("json_schema", has_logprobs=True, has_temperature=False)),
        (
            {"max_tokens", "temperature", "logprobs"},
            Capability("json_schema", max_tokens_name="max_completion_tokens", has_temperature=False),
        ),
    ],
    ids=lambda value: "+".join(sorted(value)) if isinstance(value, set) else "",
)
def test_what_a_server_lacks_is_left_out(test_it, lacks: set[str], capability: Capability) -> None:
    script, found = test_it(lacks=frozenset(lacks))
    assert found.capability == capability
    assert found.requests == len(script.list_questions()) <= 8


def test_a_form_that_is_taken_but_not_kept_does_not_count(test_it) -> None:
    _script, found = test_it(rest=fake.say("dog"))
    assert (found.capability.schema, found.capability.has_logprobs) == ("text", True)


def test_a_person_is_told_what_is_odd(test_it) -> None:
    _script, silent = test_it(lacks=frozenset({"usage", "models"}))
    assert silent.models is None
    assert silent.usage.is_estimated
    assert silent.capability.note == "The endpoint counts no tokens: every call is booked at the most it can cost."
    _script, hidden = test_it(listed=("another-model",))
    assert hidden.capability.note == "The endpoint does not list this model, though it answers under its name."
    _script, thinking = test_it(rest=fake.say("well " * 300))
    assert "it thinks first" in thinking.capability.note


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (fake.fail(401), FailureKind.UNAUTHORIZED),
        (fake.fail(404), FailureKind.NOT_FOUND),
        (fake.fail(429), FailureKind.RATE_LIMITED),
        (fake.HTML, FailureKind.BAD_RESPONSE),
        (fake.fail(400), FailureKind.REJECTED),
    ],
    ids=["401", "404", "429", "html", "400"],
)
def test_no_answer_to_the_plainest_question_fails_the_test(test_it, step: fake.Step, kind: FailureKind) -> None:
    with pytest.raises(CallFailed) as caught:
        test_it(rest=step)
    assert caught.value.failure.kind is kind


def test_an_outage_in_the_middle_fails_the_test(test_it) -> None:
    with pytest.raises(CallFailed):
        test_it(fake.OK, rest=fake.DROP)


def test_s12_a_private_address_is_not_tested(serve) -> None:
    script, asker = serve()
    with pytest.raises(AddressRefused):
        probe(asker._endpoint)
    assert script.asked == []


def test_state_survives_json_and_garbage_is_refused() -> None:
    capability = Capability("json_object", True, "max_completion_tokens", False, "a note")
    assert Capability.from_state(capability.to_state()) == capability
    assert Capability.from_state({}) == Capability()
    for state in ({"schema": "xml"}, {"max_tokens_name": "n"}, {"has_logprobs": "yes"}, {"has_temperature": None}):
        with pytest.raises(BadInput):
            Capability.from_state(state)


def test_an_endpoint_shows_no_key() -> None:
    endpoint = Endpoint("https://api.example.com/v1", "m", "sk-hidden", 5.0, None)  # type: ignore[arg-type] # no price
    assert "sk-hidden" not in repr(endpoint)
