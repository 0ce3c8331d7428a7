"""The demo with a practice language model: its project, its server, and the commands that start it."""

import csv
import socket
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotator_core.fakes.openai_server import FakeOpenAI
from labeling.llm.models import Budget, Connection
from labeling.pipeline.practice import CAP_NANO, MODEL, SLUG, check_free, practice_server
from labeling.runs.models import Run
from labeling.web.errors import ActionError

ROOT = Path(__file__).resolve().parents[3]
PORT = 8990


def make(*words):
    """What make would run. Under another make it would take over its flags, and tell of the folders it enters."""
    alone = ["env", "-u", "MAKELEVEL", "-u", "MAKEFLAGS", "-u", "MFLAGS", "-u", "MAKEOVERRIDES"]
    command = [*alone, "make", "--no-print-directory", "-n", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_plain_demo_knows_no_model():
    _code, told = make("demo", "LLM=")
    assert ("practice" in told, "OUTBOUND_ALLOW=" in told) == (False, False)


def test_the_demo_with_a_model_allows_its_port_of_the_loopback_alone():
    _code, told = make("demo", "LLM=fake", "OUTBOUND_ALLOW=", f"PRACTICE_PORT={PORT}")
    assert told.count(f'OUTBOUND_ALLOW="127.0.0.1:{PORT}"') == 2
    assert f"manage.py demo --practice-port {PORT}" in told
    assert told.rstrip().endswith(f"--practice-port {PORT}")


def test_another_model_is_no_demo():
    code, told = make("demo", "LLM=gpt")
    assert (code, 'LLM can be "fake" here' in told) == (2, True)


@pytest.mark.django_db
def test_without_the_permission_nothing_is_built(settings):
    settings.OUTBOUND_ALLOW = []
    with pytest.raises(CommandError, match="private, local or reserved"):
        call_command("demo", "--practice-port", str(PORT))
    assert not Run.objects.exists()


def test_the_model_answers_by_the_demos_gold_labels(settings, tmp_path):
    settings.DATA = tmp_path
    module, *words = practice_server(PORT).module
    assert module == FakeOpenAI.__module__
    named = dict(zip(words[::2], words[1::2], strict=False))
    assert (named["--port"], named["--model"]) == (str(PORT), MODEL)
    with Path(named["--answers"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (len(rows), set(rows[0])) == (1_600, {"text", "label"})


def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ActionError, match="another program"):
        check_free(taken.getsockname()[1])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_with_a_model_is_built_once(transactional_db, settings, capsys):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    call_command("demo", "--practice-port", str(PORT))
    run = Run.objects.select_related("project").get()
    assert (run.project.slug, run.mode, run.answer_use, run.beta) == (SLUG, "llm_then_human", "fuse", 20)
    connection = Connection.objects.get()
    assert [one.connection for one in run.verifiers.all()] == [connection]
    assert connection.prices.get().input_usd == Decimal("0.15")
    assert Budget.objects.get(run=run.pk).cap_nano == CAP_NANO
    call_command("demo", "--practice-port", str(PORT + 1))
    connection.refresh_from_db()
    assert (Run.objects.count(), connection.base_url) == (1, f"http://127.0.0.1:{PORT + 1}/v1")
    assert "Start the site with" in capsys.readouterr().out
