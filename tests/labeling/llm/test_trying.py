"""The test of a connection, against a real server on the loopback: what it finds, says and costs."""

import pytest

from annotator_core.fakes.openai_script import DROP, EMPTY, HTML, LARGE, NOTHING, OK, TRUNCATED, Step, fail
from labeling.llm import engine
from labeling.llm.actions.trying import ROOM_NANO, try_connection
from labeling.llm.models import Budget, LlmCall
from labeling.llm.queries import TESTS, totals_of
from labeling.llm.secrets import seal
from labeling.web.errors import ActionError
from tests.labeling.factories import make_project, make_user
from tests.labeling.llm.calling import KEY, make_connection
from tests.labeling.llm.serving import serving

pytestmark = pytest.mark.django_db
BODY = "a message of the server"


@pytest.fixture
def project():
    return make_project(make_user())


def connect(project, address, key=KEY, **fields):
    values = {"base_url": address, "model": "fake-model", "encrypted_key": seal(key) if key else ""} | fields
    return make_connection(project, **values)


def tried(connection):
    works = try_connection(connection=connection)
    connection.refresh_from_db()
    return works


@pytest.mark.parametrize(
    ("lacks", "schema", "has_logprobs"),
    [
        (set(), "json_schema", True),
        ({"json_schema"}, "json_object", True),
        ({"json_schema", "json_object", "logprobs"}, "text", False),
    ],
)
def test_a_test_finds_what_the_model_can_do(project, settings, lacks, schema, has_logprobs):
    with serving(settings, lacks=frozenset(lacks)) as (address, script):
        connection = connect(project, address)
        assert tried(connection)
    assert (connection.capability["schema"], connection.capability["has_logprobs"]) == (schema, has_logprobs)
    assert (connection.error, connection.tested_at is not None) == ("", True)
    assert {asked.headers["authorization"] for asked in script.list_questions()} == {f"Bearer {KEY}"}


def test_a_test_is_booked_from_its_own_budget(project, settings):
    with serving(settings) as (address, script):
        assert tried(connect(project, address))
    call = LlmCall.objects.get()
    assert (call.purpose, call.run, call.state, call.chunk) == ("test", 0, "stored", 0)
    assert 0 < call.cost_nano < call.reserve_nano
    budget = Budget.objects.get()
    assert (budget.run, budget.spent_nano, budget.reserved_nano) == (TESTS, call.cost_nano, 0)
    assert totals_of(project).cost_nano == call.cost_nano
    assert len(script.list_questions()) <= engine.TEST_REQUESTS


def test_each_test_has_its_own_room(project, settings):
    with serving(settings) as (address, _script):
        connection = connect(project, address)
        assert tried(connection)
        assert tried(connection)
    budget = Budget.objects.get()
    assert LlmCall.objects.count() == 2
    assert budget.cap_nano - budget.spent_nano < ROOM_NANO <= budget.cap_nano


@pytest.mark.parametrize(
    ("step", "words", "state", "failure"),
    [
        (fail(401), "refuses the key", "failed", "unauthorized"),
        (fail(403), "does not allow", "failed", "forbidden"),
        (fail(404), "no such model", "failed", "not_found"),
        (fail(429, {"Retry-After": "120"}), "fewer requests", "failed", "rate_limited"),
        (fail(500), "failed", "lost", "server_error"),
        (fail(503), "overloaded", "lost", "unavailable"),
        (HTML, "no chat completion", "lost", "bad_response"),
        (NOTHING, "no chat completion", "lost", "bad_response"),
        (TRUNCATED, "broke", "lost", "dropped"),
        (DROP, "broke", "lost", "dropped"),
        (LARGE, "too large", "lost", "too_large"),
        (Step(status=302, headers={"Location": "http://169.254.169.254/"}, body=b""), "another", "failed", "blocked"),
    ],
)
def test_a_failure_is_said_without_a_word_of_the_response(project, settings, step, words, state, failure):
    with serving(settings, rest=step) as (address, _script):
        connection = connect(project, address)
        assert not tried(connection)
    assert words in connection.error
    assert BODY not in connection.error
    assert "Welcome" not in connection.error
    call = LlmCall.objects.get()
    assert (call.state, call.failure, call.content) == (state, failure, "")
    assert call.cost_nano == (call.reserve_nano if state == "lost" else 0)


def test_a_wrong_key_and_a_wrong_model_are_told_apart(project, settings):
    with serving(settings) as (address, _script):
        wrong_key = connect(project, address, key="sk-another", name="One")
        wrong_model = connect(project, address, model="gone", name="Two")
        assert [tried(wrong_key), tried(wrong_model)] == [False, False]
    assert "HTTP 401" in wrong_key.error
    assert "HTTP 404" in wrong_model.error


def test_a_good_test_takes_the_error_away_and_a_bad_one_keeps_what_was_found(project, settings):
    with serving(settings, steps=[fail(401)]) as (address, script):
        connection = connect(project, address)
        assert not tried(connection)
        assert tried(connection)
        assert connection.error == ""
        script.rest = fail(503)
        assert not tried(connection)
    assert (connection.capability["schema"], connection.error != "") == ("json_schema", True)


def test_empty_answers_still_make_a_connection_that_works(project, settings):
    with serving(settings, rest=EMPTY) as (address, _script):
        connection = connect(project, address)
        assert tried(connection)
    assert connection.capability["schema"] == "text"


@pytest.mark.parametrize("address", ["http://169.254.169.254/v1", "http://127.0.0.1:9/v1", "http://[::1]:9/v1"])
def test_s03_an_address_that_turned_private_is_refused_at_the_test(project, address):
    connection = connect(project, address)
    assert not tried(connection)
    assert "private" in connection.error
    call = LlmCall.objects.get()
    assert (call.state, call.failure, call.cost_nano) == ("failed", "blocked", 0)


def test_a_test_ends_in_time_whatever_the_server_does(project, settings):
    with serving(settings, rest=Step(delay_s=30)) as (address, _script):
        connection = connect(project, address)
        with pytest.raises(engine.CallFailed) as raised:
            engine.probe_connection(connection, within_s=0.2)
    assert raised.value.failure.may_have_cost


def test_a_test_without_a_price_asks_nothing(project, settings):
    with serving(settings) as (address, script):
        connection = connect(project, address, price=None)
        assert not tried(connection)
    assert "no price" in connection.error
    assert (script.asked, LlmCall.objects.count()) == ([], 0)


def test_a_test_that_could_be_dear_is_not_made(project, settings):
    with serving(settings) as (address, script):
        connection = connect(project, address, price=("1500", "1500", "6000"))
        with pytest.raises(ActionError, match="half a dollar"):
            try_connection(connection=connection)
    assert (script.asked, LlmCall.objects.count()) == ([], 0)


def test_a_free_server_costs_nothing_even_where_its_answer_is_lost(project, settings):
    with serving(settings, steps=[fail(500)], rest=OK) as (address, _script):
        connection = connect(project, address, price=("0", "0", "0"))
        assert [tried(connection), tried(connection)] == [False, True]
    assert totals_of(project).cost_nano == 0


def test_a_retired_connection_is_not_tested(project):
    with pytest.raises(ActionError, match="retired"):
        try_connection(connection=make_connection(project, is_retired=True))
