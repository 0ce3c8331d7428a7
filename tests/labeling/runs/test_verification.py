"""A run's page where a language model reviews: figures, money, why it stands still, and what to do then."""

from datetime import timedelta
from html import unescape

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from labeling.jobs.actions import set_state
from labeling.jobs.models import JobState
from labeling.llm.models import Budget, Connection
from labeling.runs.models import Run
from labeling.runs.story import split_of, story_of
from labeling.runs.verification import missing_nano, verification_of
from tests.labeling.asked import DOLLAR, make_connection, make_member, make_spent, make_verified
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(client):
    user = make_user()
    client.force_login(user)
    project = make_project(user)
    found = make_run(make_dataset(project, [f"text {n}" for n in range(100)]), hard=set(range(40)))
    make_member(found)
    return found


@pytest.fixture
def connection(run):
    return make_connection(run.project)


@pytest.fixture
def job(run, connection):
    return make_verified(run, connection, asking=30, verified=6)


def page_of(client, run):
    response = client.get(reverse("runs:detail", args=[run.project.slug, run.number]))
    return " ".join(response.content.decode().split())


def stop(job, reason):
    with transaction.atomic():
        set_state(job=job, state=JobState.PAUSED, error=reason)


def test_a_run_by_people_has_no_verification(client, run):
    assert verification_of(run) is None
    assert 'id="verification"' not in page_of(client, run)


def test_the_bar_and_the_figures_tell_who_has_the_rows(client, run, job):
    parts = [(part.label, part.count, part.kind) for part in split_of(run)]
    assert parts == [
        ("Accepted", 60, "accepted"),
        ("Verified", 6, "verified"),
        ("Decided by people", 0, "decided"),
        ("With the language model", 30, "asking"),
        ("To review", 4, "review"),
    ]
    html = page_of(client, run)
    assert "Answers of the language model" in html
    assert 'data-live-topic="verify:' in html
    assert "a language model reviews where not all specialists agree; a person decides" in html
    assert "Nothing was asked yet." in html


def test_the_page_tells_how_is_asked_with_every_figure(client, run, connection):
    make_verified(run, connection, ask_strategy="few-shot", draws=3, sure_from=0.9)
    panel = page_of(client, run).partition('id="verification"')[2].partition("</section>")[0]
    for words in (
        "is less than 90% sure, or contradicts specialists who are at least 80% sure",
        "3 times a text at temperature 0.7",
        "5 before each text, the most similar of the newest 2,000 that people verified",
        "at most 64 tokens, beside a class name",
        "until an audit has measured both",
    ):
        assert words in panel


def test_the_page_shows_what_was_spent_and_saved(client, run, job, connection):
    make_spent(run, connection, stored=10, lost=1)
    Budget.objects.filter(run=run.pk).update(reserved_nano=2_000_000)
    assert "This run so far" in page_of(client, run)
    Run.objects.update(asking=0)
    html = page_of(client, run)
    assert "$0.0014 of $1.00" in html
    assert "$0.0020 set aside for calls on their way" in html
    assert "90.0% saved against asking about every row, which would cost $0.014." in html
    assert "100 rows, one call each, at 120 tokens and $0.00014 a call, the mean of the 10 answered here." in html
    assert "1 call was paid without an answer." in html
    assert "failed and cost nothing" not in html
    assert "A label cost $0.00023." in html
    assert "known once an audit has measured fifty rows" in html


def test_a_reached_cap_says_so_and_offers_to_raise_it(client, run, job, connection):
    stop(job, "The budget is reached: 1.00 of 1.00 dollars are spent.")
    html = page_of(client, run)
    assert "The budget is reached: 1.00 of 1.00 dollars are spent." in html
    assert ">Raise the cap</a>" in html
    assert "The verification stopped: The budget is reached" in html


def test_a_broken_connection_is_named_with_the_way_to_mend_it(client, run, job, connection):
    stop(job, "The key was refused.")
    type(connection).objects.update(error="The key was refused (401).")
    html = page_of(client, run)
    assert "Practice: The key was refused (401)." in html
    assert ">Open Practice</a>" in html
    assert "Raise the cap" not in html


def test_missing_examples_lead_to_the_review(client, run, job):
    stop(job, "There is no example yet.")
    Run.objects.update(ask_strategy="few-shot")
    assert "Raise the cap" not in page_of(client, run)
    run.refresh_from_db()
    assert verification_of(run).stop.kind == "examples"


def test_a_run_that_a_person_paused_has_not_stopped_by_itself(run, job):
    stop(job, "")
    run.state = "paused"
    assert verification_of(run).stop is None


@pytest.mark.parametrize(
    ("breaks", "title"),
    [
        ({"breaks": 1}, "The model's server asked to wait"),
        ({"breaks": 3, "silent_breaks": 2}, "The model's server does not answer"),
        ({}, "The model is asked again soon"),
    ],
)
def test_a_wait_is_named_by_what_it_is_for(client, run, job, connection, breaks, title):
    later = timezone.now() + timedelta(minutes=5, seconds=30)
    Connection.objects.filter(pk=connection.pk).update(**breaks, quiet_until=later if breaks else None)
    chunk = {"stage": "ask", "idx": 0, "queue": "verify", "not_before": later, "error": "Too many requests."}
    job.chunks.create(**chunk)
    html = unescape(page_of(client, run))
    assert "Too many requests. It is asked again <time" in html
    assert "in 5 min" in html
    assert title in html
    assert html.count("The model's server") == ("server" in title)


def test_a_part_that_failed_is_shown_with_its_error(client, run, job):
    job.chunks.create(stage="ask", idx=0, queue="verify", state="dead", error="KeyError: 'x'")
    html = page_of(client, run)
    assert "Questions to the language model: KeyError" in html
    assert "/runs/1/retry" in html


def test_the_projects_home_names_a_verification_that_has_stopped(client, run, job):
    home = reverse("overview:project", args=[run.project.slug])
    words = "The verification of run 1 has stopped and waits for you."
    assert words not in client.get(home).content.decode()
    stop(job, "The budget is reached.")
    assert words in client.get(home).content.decode()


def test_the_story_tells_how_the_verification_ended(run, job, connection):
    make_spent(run, connection, stored=10)
    type(job).objects.filter(pk=job.pk).update(state=JobState.DONE, finished_at=timezone.now())
    run.asking, run.verified = 0, 36
    (line, *_rest) = story_of(run, None, verification=verification_of(run))
    assert line.text == "The language model settled 36 rows. 4 rows went to people. It cost $0.0014."


def test_the_run_can_be_paused_while_a_model_reviews(client, run, job):
    assert run.state == "reviewing"
    assert "/runs/1/pause" in page_of(client, run)
    type(job).objects.update(state=JobState.DONE)
    assert "/runs/1/pause" not in page_of(client, run)


def test_trying_again_lets_a_stopped_one_go_on(client, run, job):
    stop(job, "The key was refused.")
    client.post(reverse("runs:act", args=[run.project.slug, 1, "ask"]))
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.RUNNING, "")


def cap(client, run, method="get", **data):
    return getattr(client, method)(reverse("runs:cap", args=[run.project.slug, run.number]), data)


def test_the_cap_is_proposed_by_what_is_missing(client, run, job, connection):
    make_spent(run, connection, stored=10, cost=DOLLAR // 10)
    run.refresh_from_db()
    assert missing_nano(run, verification_of(run)) == 3 * DOLLAR
    html = " ".join(cap(client, run).content.decode().split())
    assert "The rows that wait would cost about $3.00 more than is left" in html
    assert 'value="4.00"' in html


def test_raising_the_cap_lets_a_stopped_one_go_on(client, run, job):
    stop(job, "The budget is reached.")
    assert cap(client, run, "post", cap="2.5").status_code == 303
    job.refresh_from_db()
    assert (job.state, Budget.objects.get(run=run.pk).cap_nano) == (JobState.RUNNING, 2.5 * DOLLAR)


@pytest.mark.parametrize("value", ["", "-1", "x", "nan", "1000001"])
def test_a_cap_that_cannot_be_is_refused_at_its_field(client, run, job, value):
    answer = cap(client, run, "post", cap=value)
    assert (answer.status_code, b'id="id_cap-error"' in answer.content) == (422, True)
    assert Budget.objects.get(run=run.pk).cap_nano == DOLLAR


def test_a_run_by_people_has_no_cap(client, run):
    assert cap(client, run).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("answered", "queries"), [(False, 22), (True, 24)])
def test_more_models_and_calls_take_no_more_queries(client, run, count, answered, queries, django_assert_num_queries):
    """Before any answer one looks for reused ones; then they are of the times: of asking, of votes, of people."""
    connections = [make_connection(run.project, f"m{n}") for n in range(count)]
    make_verified(run, *connections, asking=30)
    for one in connections if answered else ():
        make_spent(run, one, latency_ms=5_000)
    page_of(client, run)
    with django_assert_num_queries(queries):
        page_of(client, run)
