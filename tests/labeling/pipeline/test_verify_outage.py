"""An outage costs a few calls and ends with a person who is told; a server that asks for pauses is waited for."""

import pytest

from annotator_core.fakes.openai_script import OK, Step, fail
from annotator_core.verifiers import pace
from labeling.jobs.queries import job_of
from labeling.labels.models import VerifierAnswer
from labeling.llm.models import Budget, CallState, Connection, LlmCall
from labeling.runs.actions import resume_verification
from labeling.runs.pilots.actions import retry_pilot
from tests.labeling.asking import end_pauses, make_connection, make_voted, serving, start, store_votes, verify_job
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.piloted import pilot, reviewed_by_people
from tests.labeling.pool import work_off

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i}" for i in range(90)]
AT_ONCE = 16
DOWN = fail(503)


@pytest.fixture
def project(monkeypatch):
    monkeypatch.setattr(pace, "_FIRST_BACKOFF_S", 0.01)
    return make_project(make_user())


@pytest.fixture
def voted(project):
    return make_voted(project, TEXTS)


def pass_time(run, cycles):
    """Work, and let each pause pass; the seconds that the run's part waited for after each."""
    waits = []
    for _cycle in range(cycles):
        end_pauses()
        work_off()
        connection = run.verifiers.get().connection
        waiting = verify_job(run).chunks.exclude(not_before=None).filter(state="todo").first()
        if waiting:
            assert abs(waiting.not_before - connection.quiet_until).total_seconds() < 5
            waits.append(round((connection.quiet_until - connection_left_at(run)).total_seconds(), -1))
    assert_counters_equal_recount(run)
    return waits


def connection_left_at(run):
    """When the last call was settled."""
    return LlmCall.objects.filter(run=run.pk).order_by("-settled_at").values_list("settled_at", flat=True).first()


def lost(run):
    return LlmCall.objects.filter(run=run.pk, state=CallState.LOST)


@pytest.mark.parametrize("step", [DOWN, fail(500), Step(is_dropped=True)], ids=["503", "500", "dropped"])
def test_an_outage_costs_what_is_under_way_and_one_call_a_pause(client, project, voted, settings, step):
    with serving(settings, rest=step) as server:
        run = start(project, *voted, [make_connection(project, server, concurrency=AT_ONCE)])
        assert pass_time(run, 10) == [30, 60, 120, 240, 480]
        job, connection = verify_job(run), Connection.objects.get()
        assert (job.state, run.verified, run.asking) == ("paused", 0, run.hard)
        assert job.error.startswith("fake does not answer: It has not answered 6 times in a row. The ")
        assert "Go on here once it does" in job.error
        assert connection.error.startswith("It has not answered 6 times in a row.")
        assert 5 + 5 <= lost(run).count() <= AT_ONCE + 4 + 5
        assert len(server.script.asked) == lost(run).count()
        budget = Budget.objects.get(run=run.pk)
        assert (budget.reserved_nano, budget.spent_nano) == (0, sum(call.reserve_nano for call in lost(run)))

        before = len(server.script.asked)
        resume_verification(run=run)
        work_off()
        assert (verify_job(run).state, len(server.script.asked)) == ("paused", before + 1)

        server.script.rest, server.script.most_at_once = Step(delay_s=0.3), 0
        resume_verification(run=run)
        work_off()
        assert_counters_equal_recount(run)
        connection.refresh_from_db()
        assert (verify_job(run).state, run.verified, server.script.most_at_once) == ("done", run.hard, AT_ONCE)
        assert (connection.error, connection.breaks, connection.quiet_until) == ("", 0, None)
    assert run.hard > 2 * AT_ONCE


def test_a_server_that_comes_back_in_time_needs_nobody(project, voted, settings):
    with serving(settings, rest=DOWN) as server:
        run = start(project, *voted, [make_connection(project, server, concurrency=AT_ONCE)])
        assert pass_time(run, 3) == [30, 60, 120]
        server.script.rest = OK
        end_pauses()
        work_off()
        assert_counters_equal_recount(run)
        assert (verify_job(run).state, run.verified, verify_job(run).error) == ("done", run.hard, "")
    assert Connection.objects.get().breaks == 0


@pytest.mark.parametrize("step", [fail(429), fail(503, {"Retry-After": "20"})], ids=["429", "503 with Retry-After"])
def test_a_server_that_asks_for_pauses_is_never_given_up(project, voted, settings, step):
    with serving(settings, rest=step) as server:
        run = start(project, *voted, [make_connection(project, server, concurrency=AT_ONCE)])
        first, *others = pass_time(run, 10)
        assert others == [60, 120, 240, 480, 900, 900, 900, 900, 900]
        assert first == (30 if step.status == 429 else 20)
        assert (verify_job(run).state, Connection.objects.get().error) == ("running", "")
        asked = len(server.script.asked)
        pass_time(run, 3)
        assert len(server.script.asked) == asked + 3
        server.script.rest = OK
        end_pauses()
        work_off()
        assert verify_job(run).state == "done"


def test_one_text_that_the_server_fails_at_is_no_outage(project, voted, settings):
    """After a real outage each trial is another text: the poisoned one goes to a person in the end."""
    with serving(settings, rest=DOWN) as server:
        run = start(project, *voted, [make_connection(project, server, concurrency=1)])
        pass_time(run, 2)
        poisoned = LlmCall.objects.filter(run=run.pk).order_by("id").first().messages[-1]["content"]
        good = server.script.answerer

        def answer(messages):
            if messages[-1]["content"] == poisoned:
                raise ConnectionError
            return good(messages)

        server.script.rest, server.script.answerer = OK, answer
        end_pauses()
        work_off()
        assert_counters_equal_recount(run)
    assert (verify_job(run).state, run.verified, run.to_review) == ("done", run.hard - 1, 1)
    assert VerifierAnswer.objects.exclude(outcome="answered").get().outcome == "failed"


def test_what_one_run_found_out_another_does_not_pay_for(project, voted, settings):
    with serving(settings, rest=DOWN) as server:
        connection = make_connection(project, server, concurrency=AT_ONCE)
        first = start(project, *voted, [connection])
        work_off()
        asked = len(server.script.asked)
        other = make_dataset(project, [f"another text {n}" for n in range(30)])
        store_votes(other, voted[1])
        second = start(project, other, voted[1], [connection])
        work_off()
        assert len(server.script.asked) == asked
        waiting = verify_job(second).chunks.get(state="todo")
        assert "fake did not answer other work" in waiting.error
        assert lost(second).count() == 0 < lost(first).count() <= AT_ONCE + 4


def test_a_pilot_is_as_patient_and_ends_with_the_reason(project, voted, settings):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    with serving(settings, rest=DOWN) as server:
        connection = make_connection(project, server, concurrency=AT_ONCE)
        found = pilot(project, dataset, [connection], run=run, rows=40)
        for _cycle in range(10):
            end_pauses()
            work_off()
        job = job_of("pilot", found.pk)
        assert job.state == "failed"
        assert "fake does not answer: It has not answered 6 times in a row." in job.error
        assert len(server.script.asked) <= AT_ONCE + 4 + 5
        server.script.rest = OK
        retry_pilot(pilot=found)
        work_off()
        job.refresh_from_db()
    assert (job.state, job.progress, Connection.objects.get().error) == ("done", 40, "")
