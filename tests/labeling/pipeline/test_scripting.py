"""The script job with a tiny real transformer in the real box, written by a template or a fake server."""

import json
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from annotator_core.fakes.openai_script import OK, fail, say
from annotator_core.scripts.kinds import Kind
from annotator_core.scripts.writing import write_template
from annotator_core.types import ABSTAIN
from labeling.jobs.models import Chunk, ChunkState
from labeling.llm.models import LlmCall, Seat
from labeling.specialists.engine import predict, store_folder_of
from labeling.specialists.models import ScriptKind, ScriptState, SpecialistVersion
from labeling.specialists.queries import newest_trial
from labeling.specialists.scripting import engine
from labeling.specialists.scripting.actions import Writer, retry_script
from tests.annotator_core.conftest import make_classifier
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.llm.serving import serving
from tests.labeling.specialists.scripts import add_transformer, ask_for, ask_server, connect, do, let_vote

pytestmark = pytest.mark.django_db
TEXTS = ["good movie", "the flight was awful", "bad service", "very late", "never again", "fine", "a great time"]


@pytest.fixture
def version(settings, tmp_path, needs_box):
    settings.MODEL_STORE = str(tmp_path / "store")
    settings.LEASE_S = 600  # renewed from another connection, which does not see a test's own rows
    project = make_project(make_user())
    folder = make_classifier(tmp_path / "tiny")
    make_dataset(project, TEXTS)
    return add_transformer(project, folder)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [ScriptKind.ANNOTATE, ScriptKind.DEPLOY])
def test_a_template_is_tried_accepted_and_votes(version, kind):
    script = do(ask_for(version, kind))
    assert (script.state, script.error) == ("tried", ""), script.comparison
    assert (script.comparison["agreed"], script.comparison["passes"]) == (len(TEXTS), True)
    mine = let_vote(script)
    assert (mine.backend, newest_trial(mine).row_count) == ("script", len(TEXTS))
    np.testing.assert_allclose(predict(mine, TEXTS).probs, predict(version, TEXTS).probs, atol=1e-4)
    assert (store_folder_of(mine.weights_hash) / "script.json").is_file()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_a_language_model_wrote_is_accepted_and_votes(settings, version):
    code = write_template(Kind.ANNOTATE).replace("BATCH = 16", "BATCH = 3")
    script, _server = ask_server(settings, version, ScriptKind.ANNOTATE, steps=[say(f"```python\n{code}```")])
    assert (script.state, script.source, script.code) == ("tried", "llm", code), script.error
    mine = let_vote(script)
    np.testing.assert_allclose(predict(mine, TEXTS).probs, predict(version, TEXTS).probs, atol=1e-4)
    stored = json.loads((store_folder_of(mine.weights_hash) / "script.json").read_text(encoding="utf-8"))
    assert (stored["code"], stored["kind"]) == (code, "annotate")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_language_model_writes_it_and_it_is_paid(settings, version):
    code = write_template(Kind.DEPLOY)
    script, server = ask_server(settings, version, steps=[say("No."), say(f"Here:\n```python\n{code}```")])
    assert (script.state, script.code, script.comparison["passes"]) == ("tried", code, True), script.error
    calls = LlmCall.objects.filter(purpose="script")
    assert [call.state for call in calls] == ["stored", "stored"]
    assert sum(call.cost_nano for call in calls) > 0
    asked = [one for one in server.asked if one.method == "POST"]
    assert "response_format" not in asked[0].body
    assert "def deploy(folder: str)" in asked[0].body["messages"][-1]["content"]


def test_a_script_that_the_check_refuses_is_never_run(settings, version):
    hostile = "import os\ndef deploy(folder):\n    os.system('true')\n    return list\n"
    script, _server = ask_server(settings, version, steps=[say(f"```python\n{hostile}```")])
    assert (script.state, script.code, script.comparison) == ("refused", hostile, {})
    assert [one["line"] for one in script.checks] == [1, 3]
    assert not Chunk.objects.filter(job__kind="script", stage="try").exists()


@pytest.mark.parametrize(
    ("steps", "words"),
    [([say("no"), say("never")], "could not be read"), ([fail(401)], ""), ([fail(404)], "")],
)
def test_a_model_that_writes_none_is_said(settings, version, steps, words):
    script, _server = ask_server(settings, version, steps=steps, rest=OK)
    assert script.state == ScriptState.FAILED
    assert script.error
    assert words in script.error
    assert not Seat.objects.exists()


def test_it_waits_while_other_work_has_all_of_the_connections_calls(settings, version):
    hostile = "import os\ndef deploy(folder):\n    return list\n"
    with serving(settings, steps=[say(f"```python\n{hostile}```")]) as (url, server):
        connection = connect(version, url, server)
        ends = timezone.now() + timedelta(seconds=60)
        most = connection.concurrency
        Seat.objects.create(connection=connection, owner="a run", slots=most, until=ends)
        script = do(ask_for(version, ScriptKind.DEPLOY, Writer(connection, 10**9)))
        chunk = Chunk.objects.get(job__kind="script", stage="write")
        assert (script.code, chunk.state, chunk.errors, server.asked) == ("", ChunkState.TODO, 0, [])
        assert f"is busy with other work; it allows {most} calls at a time." in chunk.error
        Seat.objects.filter(owner="a run").update(slots=most - 1)
        Chunk.objects.update(not_before=None)
        assert do(script).code == hostile
    assert list(Seat.objects.values_list("owner", "slots")) == [("a run", most - 1)]


def test_a_machine_without_a_box_says_so_and_tries_again_when_asked(version, without_box):
    script = do(ask_for(version))
    assert script.state == ScriptState.FAILED
    assert "Scripts are off on this machine. bubblewrap is not installed" in script.error
    retry_script(script=script)
    script.refresh_from_db()
    assert script.state == ScriptState.WRITTEN


def test_without_rows_or_labels_there_is_nothing_to_try_it_on(version):
    learning = do(ask_for(version, ScriptKind.FINE_TUNE))
    assert "label at least 20 first" in learning.error
    version.specialist.project.datasets.update(is_ready=False)
    assert "upload a data set first" in do(ask_for(version)).error


def test_the_labels_of_the_model_are_found_by_their_class(version):
    ids = version.class_ids
    SpecialistVersion.objects.filter(pk=version.pk).update(targets=[ids[2], None, ids[0]])
    version.refresh_from_db()
    assert engine.label_indices(version, [ids[0], ids[1], ids[2]]) == [2, None, 0]
    assert ABSTAIN not in engine.label_indices(version, ids)
