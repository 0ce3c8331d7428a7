"""A key goes in and never comes out: not by a test of its connection, in a log, an error or a report of one."""

import logging
import traceback

import pytest
import structlog
from django.urls import reverse
from django.views.debug import ExceptionReporter

from annotator_core.fakes.openai_script import fail
from labeling.llm import engine
from labeling.llm.actions.trying import try_connection
from labeling.llm.models import Connection, LlmCall
from labeling.llm.secrets import seal
from tests.labeling.factories import make_project, make_user
from tests.labeling.llm.calling import KEY, make_connection
from tests.labeling.llm.serving import serving

pytestmark = pytest.mark.django_db
PAGES = ("connections", "add", "costs", "ledger-csv")


@pytest.fixture
def project(client):
    user = make_user()
    client.force_login(user)
    return make_project(user)


def connect(project, address, key=KEY):
    return make_connection(project, base_url=address, model="fake-model", encrypted_key=seal(key))


def body(answer):
    return b"".join(answer) if answer.streaming else answer.content


def test_no_page_shows_a_key_however_its_test_ends(client, project, settings):
    for key in (KEY, f"{KEY}-wrong"):
        Connection.objects.all().delete()
        with serving(settings) as (address, _script):
            connection = connect(project, address, key)
            try_connection(connection=connection)
        addresses = [reverse(f"llm:{name}", kwargs={"slug": project.slug}) for name in PAGES]
        addresses.append(reverse("llm:connection", kwargs={"slug": project.slug, "connection_id": connection.pk}))
        seen = b"".join(body(client.get(address)) for address in addresses)
        assert (KEY.encode() in seen, connection.encrypted_key.encode() in seen) == (False, False)
        LlmCall.objects.all().delete()
        connection.spendings.all().delete()


def test_no_log_line_holds_a_key(project, settings, caplog):
    caplog.set_level(logging.DEBUG)
    with serving(settings, steps=[fail(500)]) as (address, _script), structlog.testing.capture_logs() as events:
        connection = connect(project, address)
        try_connection(connection=connection)
        try_connection(connection=connection)
        with engine.open_asker(connection) as asker:
            structlog.get_logger("labeling.llm").warning("asked", asker=asker, connection=connection)
    assert (KEY in caplog.text, KEY in repr(events), len(events)) == (False, False, 1)


def test_no_form_of_words_of_a_connection_holds_its_key(project):
    connection = connect(project, "https://models.example.org/v1")
    endpoint = connection_endpoint(connection)
    words = [repr(connection), str(connection), repr(endpoint), str(endpoint)]
    assert [KEY in text for text in words] == [False] * 4


def connection_endpoint(connection):
    return engine.endpoint_of(connection)


def test_no_traceback_of_a_failed_test_holds_a_key(project, settings):
    with serving(settings, rest=fail(500)) as (address, _script):
        connection = connect(project, address)
        with pytest.raises(engine.CallFailed) as raised:
            engine.probe_connection(connection, within_s=10)
    error = raised.value
    assert KEY not in "".join(traceback.format_exception(error))
    assert (error.__cause__, error.__context__) == (None, None)


@pytest.mark.parametrize("name", ["add", "connection"])
def test_a_report_of_an_error_leaves_the_posted_key_out(client, project, rf, settings, name):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    connection = connect(project, "http://127.0.0.1:9/v1")
    words = {"connection_id": connection.pk} if name == "connection" else {}
    address = reverse(f"llm:{name}", kwargs={"slug": project.slug} | words)
    answer = client.post(address, {"key": KEY, "name": "x"})
    settings.DEBUG = False
    try:
        raise RuntimeError
    except RuntimeError as error:
        report = ExceptionReporter(answer.wsgi_request, RuntimeError, error, error.__traceback__)
        found = report.filter.get_post_parameters(answer.wsgi_request)
    assert (found["name"], KEY in repr(found)) == ("x", False)
