"""What stops a verification, what people are told, and how it goes on: nothing is asked or paid twice."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotator_core.fakes.openai_script import fail, send
from labeling.jobs.actions import open_job
from labeling.jobs.models import Chunk, Job
from labeling.labels.models import Label, VerifierAnswer, Vote
from labeling.llm.models import Budget, CallState, Connection, LlmCall, Seat
from labeling.pipeline import answering
from labeling.pipeline.work import do_one
from labeling.runs.actions import cancel_run, give_to_people, pause_run, raise_cap, resume_run, resume_verification
from labeling.runs.models import AnswerUse, Run, RunState
from labeling.web.errors import ActionError
from tests.labeling.asking import DOLLAR, end_pauses, make_connection, make_voted, serving, start, verify_job
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import work_off

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i}" for i in range(40)]
FEW = 3_000_000
"""Nano-dollars for a few calls, but not for all."""


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def voted(project, settings):
    settings.CHUNK_ROWS = 20
    return make_voted(project, TEXTS)


def worked(run):
    work_off()
    assert_counters_equal_recount(run)
    return verify_job(run)


def assert_nothing_was_asked_twice(run, server):
    keys = [call.key for call in LlmCall.objects.filter(run=run.pk, state=CallState.STORED)]
    assert len(keys) == len(set(keys))
    asked = [one.body["messages"][-1]["content"] for one in server.script.list_questions()]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("use", AnswerUse)
def test_a_reached_budget_pauses_it_and_a_higher_cap_resumes_it(project, voted, settings, use):
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)], cap_nano=FEW, answer_use=use)
        job, budget = worked(run), Budget.objects.get(run=run.pk)
        assert (job.state, budget.reserved_nano) == ("paused", 0)
        assert job.error.startswith("The budget is reached: ")
        assert "Raise the cap to go on." in job.error
        assert 0 < budget.spent_nano <= FEW
        assert 0 < run.verified < run.hard
        assert run.asking == run.hard - run.verified
        raise_cap(run=run, cap_nano=DOLLAR)
        assert (worked(run).state, verify_job(run).error) == ("done", "")
        assert (run.state, run.verified) == (RunState.DONE, run.hard)
        assert_nothing_was_asked_twice(run, server)


def test_people_decide_the_rest_where_nobody_raises_the_cap(project, voted, settings):
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)], cap_nano=FEW)
        with pytest.raises(ActionError, match="not stopped"):
            give_to_people(run=run)
        assert worked(run).state == "paused"
        waiting, verified = run.asking, run.verified
        assert give_to_people(run=run) == waiting > 0
        assert (worked(run).state, run.asking, run.to_review, run.verified) == ("done", 0, waiting, verified)


def test_a_stopped_runs_page_offers_to_give_the_rest_to_people(client, project, voted, settings):
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)], cap_nano=1)
        assert worked(run).state == "paused"
        client.force_login(project.created_by)
        where = {"slug": project.slug, "number": run.number}
        act = reverse("runs:act", kwargs=where | {"verb": "people"})
        assert act in client.get(reverse("runs:detail", kwargs=where)).content.decode()
        assert client.post(act).status_code == 303
        page = client.get(reverse("runs:detail", kwargs=where)).content.decode()
        assert "Rows handed over to people" in page
        assert (worked(run).state, run.asking, run.to_review) == ("done", 0, run.hard)


def test_rows_go_over_to_people_part_by_part_and_again_after_a_stop(project, voted, settings, monkeypatch):
    """Each part is a transaction of its own; what went over before a stop has gone over."""
    monkeypatch.setattr("labeling.pipeline.verifying.PEOPLE_ROWS", 3)
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)], cap_nano=1)
        assert (worked(run).state, run.verified) == ("paused", 0)
        give_to_people(run=run)
        pause_run(run=run)
        assert (worked(run).state, run.asking) == ("paused", run.hard)
        resume_run(run=run)
        job = worked(run)
    assert (job.state, run.asking, run.to_review) == ("done", 0, run.hard)
    assert (job.stage, job.progress, server.script.list_questions()) == ("people", run.hard, [])


def test_no_cap_ever_is_passed_by_many_calls_at_once(project, voted, settings):
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server, concurrency=16)], cap_nano=FEW)
        worked(run)
    budget = Budget.objects.get(run=run.pk)
    assert budget.spent_nano + budget.reserved_nano <= FEW


def test_a_server_that_counts_above_the_worst_case_is_told_of_and_passes_a_cap_once(client, project, voted, settings):
    """A cap is passed by such a call, which people are told of; the next cap holds."""
    said = {"message": {"role": "assistant", "content": "positive"}, "finish_reason": "stop", "index": 0}
    usage = {"prompt_tokens": 6_000, "completion_tokens": 5, "total_tokens": 6_005}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "fake", "choices": [said], "usage": usage}
    client.force_login(project.created_by)
    with serving(settings, rest=send(json.dumps(body).encode())) as server:
        connection = make_connection(project, server, concurrency=1)
        run = start(project, *voted, [connection], cap_nano=FEW)
        assert worked(run).state == "paused"
        cost, first = 6_010_000, Budget.objects.get(run=run.pk)
        assert (first.spent_nano, first.cap_nano) == (cost, FEW)
        for where in (
            reverse("runs:detail", kwargs={"slug": project.slug, "number": run.number}),
            reverse("llm:connection", kwargs={"slug": project.slug, "connection_id": connection.pk}),
        ):
            page = " ".join(client.get(where).content.decode().split())
            assert "The server counts more tokens than there can be" in page
            assert "1 call cost " in page
        raise_cap(run=run, cap_nano=4 * cost + cost // 2)
        assert worked(run).state == "paused"
    assert Budget.objects.get(run=run.pk).spent_nano == 4 * cost
    assert Connection.objects.get().reserve_percent > 100


def test_a_server_that_counts_right_is_not_complained_of(client, project, voted, settings):
    client.force_login(project.created_by)
    with serving(settings) as server:
        connection = make_connection(project, server)
        run = start(project, *voted, [connection])
        assert worked(run).state == "done"
    pages = (
        client.get(reverse("runs:detail", kwargs={"slug": project.slug, "number": run.number})),
        client.get(reverse("llm:connection", kwargs={"slug": project.slug, "connection_id": connection.pk})),
    )
    assert not any("counts more tokens" in page.content.decode() for page in pages)


def test_a_part_waits_while_other_work_has_all_of_the_connections_calls(project, voted, settings):
    with serving(settings) as server:
        connection = make_connection(project, server)
        ends = timezone.now() + timedelta(seconds=60)
        Seat.objects.create(connection=connection, owner="another run", slots=4, until=ends)
        run = start(project, *voted, [connection])
        job = worked(run)
        chunk = job.chunks.get(state="todo")
        assert (job.state, chunk.errors, server.script.list_questions()) == ("running", 0, [])
        assert chunk.error == "fake is busy with other work; it allows 4 calls at a time."
        Seat.objects.filter(owner="another run").delete()
        job.chunks.update(not_before=None)
        assert worked(run).state == "done"
    assert not Seat.objects.exists()


def test_a_long_retry_after_gives_the_part_back_without_a_sleep(project, voted, settings):
    with serving(settings, steps=[fail(429, {"Retry-After": "600"})]) as server:
        run = start(project, *voted, [make_connection(project, server, concurrency=1)])
        job = worked(run)
        chunk = job.chunks.get(state="todo")
        assert (job.state, chunk.owner, chunk.errors, chunk.lost_leases) == ("running", "", 0, 0)
        assert timedelta(seconds=500) < chunk.not_before - timezone.now() < timedelta(seconds=601)
        assert "600 s" in chunk.error
        end_pauses()
        assert worked(run).state == "done"
        assert not Chunk.objects.filter(job=job).exclude(error="").exists()


def test_a_refused_key_pauses_it_and_stands_with_the_connection(project, voted, settings):
    with serving(settings, steps=[fail(401)]) as server:
        connection = make_connection(project, server, concurrency=1)
        run = start(project, *voted, [connection])
        job = worked(run)
        connection.refresh_from_db()
        assert (job.state, run.verified, run.asking) == ("paused", 0, run.hard)
        assert job.error.startswith(f"{connection.name} cannot be asked: {connection.error}")
        assert not VerifierAnswer.objects.exists()
        resume_verification(run=run)
        assert worked(run).state == "done"
        connection.refresh_from_db()
        assert (connection.error, connection.error_at) == ("", None)
        with pytest.raises(ActionError, match="not stopped"):
            resume_verification(run=run)


def test_an_address_that_is_not_allowed_is_never_called(project, voted, settings):
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)])
        settings.OUTBOUND_ALLOW = []
        assert worked(run).state == "paused"
        assert server.script.asked == []


def test_a_name_that_cannot_be_looked_up_just_now_is_tried_again(project, voted, settings):
    with serving(settings) as server:
        connection = make_connection(project, server)
        run = start(project, *voted, [connection])
        Connection.objects.update(base_url="http://nothing.invalid/v1")
        assert worked(run).state == "running"
        chunk = verify_job(run).chunks.get()
        assert (chunk.state, chunk.not_before > timezone.now()) == ("todo", True)
        assert "nothing.invalid cannot be found" in chunk.error
        assert server.script.asked == []


def test_a_retired_connection_pauses_it(project, voted, settings):
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)])
        Connection.objects.update(is_retired=True)
        assert worked(run).state == "paused"


def test_a_paused_run_asks_nothing_until_it_is_resumed(project, voted, settings):
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)])
        work_off(("io", "consensus"))
        pause_run(run=run)
        assert (worked(run).state, run.state, server.script.asked) == ("paused", RunState.PAUSED, [])
        raise_cap(run=run, cap_nano=2 * DOLLAR)
        assert verify_job(run).state == "paused"
        resume_run(run=run)
        assert (worked(run).state, run.state) == ("done", RunState.DONE)


def test_a_cancelled_run_asks_nothing_and_what_was_open_is_booked(project, voted, settings):
    with serving(settings) as server:
        connection = make_connection(project, server)
        run = start(project, *voted, [connection])
        work_off(("io", "consensus"))
        _leave_open(run, connection, chunk=verify_job(run).chunks.get())
        cancel_run(run=run)
        assert (worked(run).state, run.state, server.script.asked) == ("cancelled", RunState.CANCELLED, [])
    budget = Budget.objects.get(run=run.pk)
    assert (budget.reserved_nano, budget.spent_nano) == (0, 500)


def test_what_a_killed_worker_left_open_is_booked_and_asked_again(project, voted, settings):
    with serving(settings) as server:
        connection = make_connection(project, server)
        run = start(project, *voted, [connection])
        work_off(("io", "consensus"))
        chunk = verify_job(run).chunks.get()
        lost = _leave_open(run, connection, chunk=chunk)
        Chunk.objects.filter(pk=chunk.pk).update(
            state="running", owner="killed", attempts=1, lease_until=timezone.now() - timedelta(seconds=1)
        )
        assert worked(run).state == "done"
    lost.refresh_from_db()
    assert (lost.state, lost.cost_nano) == (CallState.LOST, 500)
    budget = Budget.objects.get(run=run.pk)
    calls = LlmCall.objects.filter(run=run.pk)
    assert (budget.reserved_nano, budget.spent_nano) == (0, sum(call.cost_nano for call in calls))
    assert run.verified == run.hard


def test_answers_in_the_ledger_are_not_asked_for_again(project, voted, settings):
    """A worker killed between an answer's arrival and its batch: the answer is taken from the ledger."""
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)], answer_use=AnswerUse.REPLACE)
        work_off(("io", "consensus"))
        assert do_one(("verify",), "test")
        asked = len(server.script.asked)
        kept = VerifierAnswer.objects.filter(run=run).count()
        VerifierAnswer.objects.filter(run=run).delete()
        run.refresh_from_db()
        _forget_labels(run)
        assert worked(run).state == "done"
        assert VerifierAnswer.objects.filter(run=run).count() >= kept > 0
        assert len(server.script.asked) - asked == VerifierAnswer.objects.filter(run=run).count() - kept
        assert_nothing_was_asked_twice(run, server)


def test_a_call_that_fails_three_times_leaves_its_text_to_a_person(project, settings):
    dataset, versions = make_voted(project, TEXTS[:6], noise=0.0)
    vote = Vote.objects.filter(version=versions[0]).first()
    other = next(one for one in versions[0].class_ids if one != vote.label_class_id)
    Vote.objects.filter(pk=vote.pk).update(label_class=other)
    with serving(settings, steps=[fail(500)] * 3) as server:
        run = start(project, dataset, versions, [make_connection(project, server)])
        assert worked(run).state == "done"
        assert len(server.script.list_questions()) == 3
    assert (run.hard, run.to_review, VerifierAnswer.objects.get(run=run).outcome) == (1, 1, "failed")


def _leave_open(run, connection, *, chunk):
    Budget.objects.filter(run=run.pk).update(reserved_nano=500)
    fields = {"key": "0" * 64, "model": "fake-model", "reserve_nano": 500, "chunk": chunk.pk, "attempts": 1}
    return LlmCall.objects.create(project=run.project, connection=connection, run=run.pk, **fields)


def _forget_labels(run):
    Label.objects.filter(run=run, source="verifier").delete()
    Run.objects.filter(pk=run.pk).update(asking=run.asking + run.verified, verified=0)


def test_a_long_part_makes_room_for_other_light_work(project, voted, settings, monkeypatch):
    """After its turn it stands back for a moment, and goes on where it was."""
    monkeypatch.setattr(answering, "TURN_S", 0.0)
    monkeypatch.setattr(answering, "REPORT_EVERY_S", 0.0)
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)], answer_use=AnswerUse.REPLACE)
        work_off(("io", "consensus"))
        waiting = open_job(project_id=project.pk, kind="dummy", subject=1, total=1)
        Job.objects.filter(pk=waiting.pk).update(is_dirty=True)
        assert do_one(("verify",), "test")
        chunk = verify_job(run).chunks.get()
        assert (chunk.state, chunk.errors) == ("todo", 0)
        assert timezone.now() < chunk.not_before < timezone.now() + timedelta(seconds=2)
        assert not do_one(("verify",), "test")
        waiting.delete()
        chunk.job.chunks.update(not_before=None)
        assert worked(run).state == "done"
        assert_nothing_was_asked_twice(run, server)
