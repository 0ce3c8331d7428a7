"""kill -9 of the worker at random moments of a verification: every stored answer is kept, and none is asked again."""

import os
import random
import subprocess
import sys

import pytest
from django.db import connection

from annotator_core.fakes.openai_script import Step
from labeling.labels.models import Label, VerifierAnswer
from labeling.llm.models import Budget, CallState, LlmCall
from labeling.runs.models import AnswerUse, RunState
from tests.labeling.asking import make_connection, make_voted, serving, start, verify_job
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import work_off
from tests.labeling.workers import wait_until

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6)))  # noqa: TID251 (repeats a run)
KILLS = 4
FAST = {"LEASE_S": "3", "SWEEP_S": "0.1", "OUTBOUND_ALLOW": "127.0.0.1", "CHUNK_ROWS": "64"}


def start_light():
    """A worker that asks, on the test's own database."""
    given = connection.settings_dict
    url = f"sqlite:///{given['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{given['USER']}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
    environment = os.environ | FAST | {"DATABASE_URL": url}  # noqa: TID251 (handed on)
    command = [sys.executable, "-m", "celery", "-A", "labeling.conf", "worker", "-P", "threads", "-c", "1"]
    command += ["-Q", "io,verify", "-n", "light@%h", "--without-gossip", "--without-mingle"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("use", "seed"), [(use, SEED) for use in AnswerUse])
def test_a_killed_verification_keeps_every_answer_and_asks_none_again(settings, use, seed):
    chance = random.Random(seed)
    project = make_project(make_user())
    voted = make_voted(project, [f"text number {number}" for number in range(400)])
    with serving(settings, rest=Step(delay_s=0.1)) as server:
        run = start(project, *voted, [make_connection(project, server, concurrency=4)], answer_use=use)
        work_off(("io", "consensus"))
        run.refresh_from_db()
        for _kill in range(KILLS):
            _kill_after(run, server, chance)
        worker = start_light()
        try:
            wait_until(lambda: verify_job(run).state == "done", 120)
        finally:
            worker.terminate()
            worker.wait(30)
        _assert_paid_once(run, server)


def _kill_after(run, server, chance):
    """A worker's life: a few answers, and perhaps some that it could not store any more."""
    asked = len(server.script.list_questions())
    until = asked + chance.randrange(5, 40)
    worker = start_light()
    try:
        wait_until(lambda: len(server.script.list_questions()) >= until or verify_job(run).state == "done")
    finally:
        worker.kill()
        worker.wait(30)


def _assert_paid_once(run, server):
    assert_counters_equal_recount(run)
    assert (run.state, run.verified, run.asking) == (RunState.DONE, run.hard, 0)
    answers = VerifierAnswer.objects.filter(run=run)
    assert answers.count() == run.hard == Label.objects.filter(run=run, source__in=("verifier", "fused")).count()
    calls = list(LlmCall.objects.filter(run=run.pk))
    lost = [call for call in calls if call.state == CallState.LOST]
    assert sum(call.state == CallState.STORED for call in calls) == run.hard
    assert len(server.script.list_questions()) <= run.hard + len(lost)
    assert all(call.cost_nano == call.reserve_nano for call in lost)
    assert not any(call.failure == "duplicate" for call in lost), "what was stored is never asked again"
    budget = Budget.objects.get(run=run.pk)
    assert (budget.reserved_nano, budget.spent_nano) == (0, sum(call.cost_nano for call in calls))
