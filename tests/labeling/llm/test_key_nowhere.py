"""A key goes in through the form, is used for everything a language model does, and is found nowhere afterwards."""

import io
import logging
import re
from collections import Counter
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import structlog
from django.core.management import call_command
from django.db import connection as database
from django.urls import resolve, reverse

from annotator_core.fakes.openai_script import fail, say
from annotator_core.fakes.specialist import FakeSettings, find_answer
from annotator_core.linear.model import write_linear
from labeling.exports.actions import create_export
from labeling.exports.models import ExportFormat
from labeling.labels.models import VerifierAnswer
from labeling.llm.models import Connection, LlmCall, Purpose
from labeling.runs.models import Mode
from labeling.specialists.models import ScriptKind
from labeling.specialists.scripting.actions import Writer
from labeling.specialists.search.actions import Wanted, start_search
from tests.annotator_core.linear.conftest import TEXTS, make_model
from tests.labeling.asking import DOLLAR, serving, start
from tests.labeling.factories import CLASSES, make_dataset, make_project, make_user
from tests.labeling.llm.calling import KEY
from tests.labeling.llm.test_views import FIELDS
from tests.labeling.piloted import give_gold, pilot
from tests.labeling.pool import work_off
from tests.labeling.specialists.scripts import add_transformer, ask_for

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
HALVES = (KEY[: len(KEY) // 2], KEY[len(KEY) // 2 :])
"""A key is told by half of it, too: what shows its first or last letters shows no whole key."""
LINK = re.compile(r"""(?:href|hx-get|action)="([^"]+)\"""")
ALIKE = 3
"""Pages of one kind that are opened."""
REFUSED = "import os\ndef deploy(folder):\n    os.system('true')\n    return list\n"
SEEN = {
    *("llm:connections", "llm:add", "llm:connection", "llm:costs", "llm:ledger-csv"),
    *("runs:list", "runs:new", "runs:detail", "overview:forecast", "overview:pilots", "overview:doctor"),
    *("overview:home", "overview:project", "overview:samples", "overview:sample"),
    *("specialists:list", "specialists:detail", "specialists:search", "scripts:list", "scripts:detail"),
    *("exports:list", "exports:detail", "exports:download", "exports:manifest", "exports:script"),
    *("quality:page", "quality:people", "desk:queue", "desk:screen", "review:screen", "refinement:list"),
    *("datasets:list", "datasets:detail", "projects:settings", "projects:members", "accounts:account"),
}


def connect(client, project, server):
    """The connection, as a manager makes it and tests it: refused at first, then broken, then good."""
    words = {"slug": project.slug}
    server.script.steps += [fail(401), fail(500)]
    fields = FIELDS | {"base_url": server.url, "model": server.script.model, "concurrency": "4"}
    assert client.post(reverse("llm:add", kwargs=words), fields).status_code == 303
    connection = Connection.objects.get()
    for _time in range(3):
        client.post(reverse("llm:act", kwargs=words | {"connection_id": connection.pk, "verb": "test"}))
    connection.refresh_from_db()
    assert connection.capability
    return connection


def ask_for_everything(project, connection, server, folder):
    """A pilot, a run with one failed call, a search for models, a script and exports."""
    dataset = make_dataset(project, [f"{TEXTS[number % len(TEXTS)]} {number}" for number in range(40)])
    folders = [write_linear(make_model(seed=seed), folder / f"linear-{seed}") for seed in range(3)]
    versions = [add_transformer(project, one, one.name) for one in folders]
    give_gold(dataset, lambda text: CLASSES[find_answer(text, FakeSettings(CLASSES))])
    pilot(project, dataset, [connection], rows=10)
    work_off()
    server.script.steps.append(fail(500))
    start(project, dataset, versions, [connection], mode=Mode.LLM_THEN_HUMAN)
    work_off()
    wanted = Wanted("what people write", 1, 10_000_000, connection, DOLLAR)
    start_search(project=project, wanted=wanted, by=None)
    work_off()
    server.script.steps.append(say(f"```python\n{REFUSED}```"))
    ask_for(versions[0], ScriptKind.DEPLOY, Writer(connection, DOLLAR))
    for name in ExportFormat:
        create_export(dataset=dataset, by=project.created_by, format=name)
    work_off()


def pages(client):
    """(route, what the server said) of all that can be reached from the home page by links, and of its own answers."""
    opened, waiting = Counter(), ["/"]
    known = set(waiting)
    while waiting:
        address = waiting.pop(0)
        parts = urlsplit(address)
        route = resolve(parts.path).view_name
        kind = (route, frozenset(parse_qs(parts.query)))
        if opened[kind] == ALIKE:
            continue
        opened[kind] += 1
        answer = client.get(address)
        content = b"".join(answer) if answer.streaming else answer.content
        said = f"{dict(answer.headers)} {content.decode()}"
        yield route, answer.status_code, said
        links = {urljoin(address, unescape(link)).partition("#")[0] for link in LINK.findall(said)}
        links |= {urljoin(address, answer.headers["Location"])} if "Location" in answer.headers else set()
        fresh = {link for link in links - known if is_page(link)}
        known |= fresh
        waiting += sorted(fresh)


def is_page(link):
    return link.startswith("/") and not link.startswith(("/static/", "/sign-"))


def cells():
    """(table, column, everything that the column holds)."""
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            rows = [[bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in cursor]
            names = [column[0] for column in cursor.description]
            yield from ((table, name, repr([row[place] for row in rows])) for place, name in enumerate(names))


def holds_key(text):
    return any(half in text for half in HALVES)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_key_that_was_used_for_everything_is_found_nowhere(client, settings, tmp_path, caplog, free_port):
    settings.MODEL_STORE, settings.LEASE_S = str(tmp_path / "store"), 600
    settings.HF_ENDPOINT = f"http://127.0.0.1:{free_port}"
    caplog.set_level(logging.DEBUG)
    user = make_user(is_staff=True)
    client.force_login(user)
    project = make_project(user)
    with serving(settings, keys=frozenset({KEY})) as server, structlog.testing.capture_logs() as events:
        connection = connect(client, project, server)
        ask_for_everything(project, connection, server, tmp_path)
        found = list(pages(client))
    # All of it happened, with the key, and failed and succeeded.
    assert {asked.headers["authorization"] for asked in server.script.list_questions()} == {f"Bearer {KEY}"}
    assert set(LlmCall.objects.values_list("purpose", flat=True)) == set(Purpose.values)
    assert {"stored", "lost"} <= set(LlmCall.objects.values_list("state", flat=True))
    assert VerifierAnswer.objects.exists()
    assert SEEN - {route for route, status, _said in found if status == 200} == set()

    assert [route for route, _status, said in found if holds_key(said)] == []
    assert [route for route, _status, said in found if connection.encrypted_key in said] == []
    held = list(cells())
    assert [(table, column) for table, column, said in held if holds_key(said)] == []
    sealed = [(table, column) for table, column, said in held if connection.encrypted_key in said]
    assert sealed == [("llm_connection", "encrypted_key")]
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    assert (holds_key(dump.getvalue()), holds_key(caplog.text), holds_key(repr(events))) == (False, False, False)
    files = [path for root in (settings.DATA, tmp_path) for path in root.rglob("*") if path.is_file()]
    assert [path for path in files if any(half.encode() in path.read_bytes() for half in HALVES)] == []
