"""The failure table in the site: of each failure what is stored, what is booked, and what a manager reads.

An endpoint answers one text well and then fails in one way for ever; no text is ever labeled by default.
"""

from html import unescape

import pytest
from django.urls import reverse

from annotator_core.fakes import openai_script as fake
from annotator_core.verifiers import pace
from labeling.labels.models import ItemState, Label, ReviewItem, VerifierAnswer
from labeling.llm.models import Budget, CallState, LlmCall
from labeling.runs.models import AnswerUse
from tests.labeling.asking import make_connection, make_voted, serving, start, verify_job
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import work_off

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i}" for i in range(12)]
CUT = fake.send(b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "posi')


@pytest.fixture
def verified(client, settings, monkeypatch):
    """A run whose texts are asked about one at a time; the pauses between tries are short."""
    monkeypatch.setattr(pace, "_FIRST_BACKOFF_S", 0.01)
    user = make_user()
    client.force_login(user)
    project = make_project(user)

    def verify(step, use=AnswerUse.REPLACE, **fields):
        with serving(settings, steps=[fake.OK], rest=step) as server:
            connection = make_connection(project, server, concurrency=1, **fields)
            run = start(project, *make_voted(project, TEXTS), [connection], answer_use=use)
            work_off()
        assert_counters_equal_recount(run)
        assert run.hard > 3
        assert_nothing_is_labeled_by_default(run)
        connection.refresh_from_db()
        return run, connection

    return verify


def assert_nothing_is_labeled_by_default(run):
    """One label, on the text that was answered well: the model's, or fused from it and the votes; no other has one."""
    source = "fused" if run.answer_use == AnswerUse.FUSE else "verifier"
    label = Label.objects.get(run=run, source=source)
    answer = VerifierAnswer.objects.get(run=run, outcome="answered")
    assert label.sample_id == answer.sample_id
    assert source == "fused" or label.label_class_id == answer.label_class_id
    assert not VerifierAnswer.objects.exclude(outcome="answered").exclude(label_class=None).exists()
    assert Label.objects.count() == run.accepted + 1
    assert run.verified == 1


def assert_booked(run, state, failure, count):
    """Of each failed call its state; the budget holds what was answered and what was lost, at its reserve."""
    failed = LlmCall.objects.filter(run=run.pk).exclude(state=CallState.STORED)
    assert {(call.state, call.failure, call.content) for call in failed} == {(state, failure, "")}
    assert len(failed) == count
    assert all(call.reserve_nano > 0 for call in failed)
    assert all(call.cost_nano == (call.reserve_nano if state == CallState.LOST else 0) for call in failed)
    budget = Budget.objects.get(run=run.pk)
    spent = sum(call.cost_nano for call in LlmCall.objects.filter(run=run.pk))
    assert (budget.reserved_nano, budget.spent_nano) == (0, spent)


def read(client, name, project, **arguments):
    page = client.get(reverse(name, kwargs={"slug": project.slug} | arguments))
    assert page.status_code == 200
    return " ".join(unescape(page.content.decode()).split())


@pytest.mark.parametrize(
    ("step", "failure", "words", "call_words"),
    [
        (
            fake.fail(401),
            "unauthorized",
            "The endpoint refuses the key: enter a valid one.",
            "The key was refused (401)",
        ),
        (
            fake.fail(403),
            "forbidden",
            "The endpoint does not allow this key to use the model",
            "The key may not use the model (403)",
        ),
        (
            fake.fail(404, code="model_not_found"),
            "not_found",
            "The endpoint has no such model or path",
            "No such model or path (404)",
        ),
    ],
    ids=["401", "403", "404 model gone"],
)
def test_a_refused_connection_stops_the_run_until_it_is_mended(client, verified, step, failure, words, call_words):
    run, connection = verified(step)
    assert (verify_job(run).state, run.asking) == ("paused", run.hard - 1)
    assert_booked(run, CallState.FAILED, failure, 1)
    page = read(client, "runs:detail", run.project, number=run.number)
    assert words in page
    assert ">Open fake</a>" in page
    assert connection.error.startswith(words)
    assert words in read(client, "llm:connection", run.project, connection_id=connection.pk)
    assert call_words in read(client, "llm:costs", run.project)


@pytest.mark.parametrize(
    ("step", "failure", "words"),
    [
        (fake.HTML, "bad_response", "No readable answer"),
        (fake.NOTHING, "bad_response", "No readable answer"),
        (CUT, "bad_response", "No readable answer"),
        (fake.LARGE, "too_large", "The answer was too large"),
    ],
    ids=["html with 200", "{}", "truncated json", "2 MB"],
)
def test_what_is_no_answer_for_ever_stops_the_run_and_is_booked(client, verified, step, failure, words):
    run, connection = verified(step)
    assert (verify_job(run).state, run.asking) == ("paused", run.hard - 1)
    assert_booked(run, CallState.LOST, failure, 5)
    page = read(client, "runs:detail", run.project, number=run.number)
    assert "fake cannot be asked: The endpoint's answer is " in page
    assert "5 calls were paid without an answer" in page
    assert connection.error in read(client, "llm:connection", run.project, connection_id=connection.pk)
    assert words in read(client, "llm:costs", run.project)


@pytest.mark.parametrize(
    ("step", "state", "failure", "count", "words"),
    [
        (fake.fail(429, {"retry-after-ms": "60"}), CallState.FAILED, "rate_limited", 3, "asks for fewer requests"),
        (fake.fail(429, {"Retry-After": "600"}), CallState.FAILED, "rate_limited", 1, "It asks for a pause of 600 s."),
        (fake.fail(429), CallState.FAILED, "rate_limited", 3, "asks for fewer requests"),
        (fake.fail(500), CallState.LOST, "server_error", 5, "The endpoint failed. (HTTP 500)"),
        (fake.fail(503), CallState.LOST, "unavailable", 5, "The endpoint is overloaded or down for now. (HTTP 503)"),
        (fake.Step(delay_s=60), CallState.LOST, "timeout", 5, "The endpoint did not answer in time."),
        (fake.DROP, CallState.LOST, "dropped", 5, "The connection broke before the answer was there."),
    ],
    ids=["429 short", "429 long", "429 without Retry-After", "500", "503", "timeout", "dropped"],
)
def test_an_outage_is_waited_out_without_a_lease(client, verified, step, state, failure, count, words):
    run, connection = verified(step, timeout_s=0.3 if step.delay_s else 5.0)
    chunk = verify_job(run).chunks.get(state="todo")
    assert (verify_job(run).state, run.asking, run.to_review) == ("running", run.hard - 1, 0)
    assert (chunk.owner, chunk.errors, chunk.lost_leases, chunk.not_before is None) == ("", 0, 0, False)
    assert_booked(run, state, failure, count)
    page = read(client, "runs:detail", run.project, number=run.number)
    is_asked = failure == "rate_limited"
    assert ("The model's server asked to wait" in page, "The model's server does not answer" in page) == (
        is_asked,
        not is_asked,
    )
    assert words in page
    assert (connection.error, connection.breaks, connection.silent_breaks) == ("", 1, int(not is_asked))


@pytest.mark.parametrize(
    ("step", "outcome", "calls", "words"),
    [
        (fake.OUTSIDE, "outside", 2, "Named no class of the project"),
        (fake.EMPTY, "empty", 2, "Answered nothing"),
        (fake.REFUSAL, "refused", 1, "Refused to answer"),
    ],
    ids=["outside the set", "empty", "refusal"],
)
@pytest.mark.parametrize("use", AnswerUse)
def test_an_answer_without_a_class_is_kept_paid_and_left_to_a_person(
    client, verified, step, outcome, calls, words, use
):
    run, _connection = verified(step, use=use)
    assert (verify_job(run).state, run.asking, run.to_review) == ("done", 0, run.hard - 1)
    waiting = ReviewItem.objects.filter(run=run, state=ItemState.OPEN).values_list("sample", flat=True)
    answers = VerifierAnswer.objects.filter(run=run).exclude(outcome="answered")
    assert {one.outcome for one in answers} == {outcome}
    assert set(answers.values_list("sample", flat=True)) == set(waiting)
    stored = LlmCall.objects.filter(run=run.pk)
    assert {call.state for call in stored} == {CallState.STORED}
    assert len(stored) == 1 + calls * len(answers)
    assert Budget.objects.get(run=run.pk).spent_nano == sum(call.cost_nano for call in stored) > 0
    assert words in read(client, "overview:sample", run.project, sample_id=waiting[0])
