"""The part of a run's plan about language models: over HTTP, as people fill it in."""

import re

import pytest
from django.urls import reverse

from labeling.llm.models import Budget
from labeling.runs.models import Run
from tests.labeling.asked import DOLLAR, make_connection
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import make_pool

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def project(client):
    user = make_user()
    client.force_login(user)
    return make_project(user)


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path)


@pytest.fixture
def connection(project):
    return make_connection(project, capability={"has_logprobs": True})


@pytest.fixture
def plan(project, versions, connection):
    return {
        "dataset": make_dataset(project, ["a", "b"]).pk,
        "versions": [one.pk for one in versions],
        "policy": "default",
        "mode": "llm_then_human",
        "verifiers": [connection.pk],
        "cap": "2.50",
    }


def new(project):
    return reverse("runs:new", kwargs={"slug": project.slug})


def started(client, project, plan, **more):
    answer = client.post(new(project), plan | more)
    assert answer.status_code == 303, re.findall(r'error".*?</', answer.content.decode())
    return Run.objects.get()


def test_a_run_with_a_model_has_its_connections_and_its_cap(client, project, plan, connection):
    run = started(client, project, plan)
    assert (run.mode, run.answer_use, run.ask_strategy, run.sure_from) == ("llm_then_human", "fuse", "zero-shot", 0.8)
    assert [one.connection for one in run.verifiers.all()] == [connection]
    assert Budget.objects.get(run=run.pk).cap_nano == 2.5 * DOLLAR


def test_every_figure_of_how_it_is_asked_is_kept(client, project, plan):
    figures = {"answer_use": "replace", "ask_strategy": "few-shot", "shows_votes": "on", "draws": "3", "sure_from": "0"}
    run = started(client, project, plan, policy="custom", rule="agree", **figures)
    assert (run.answer_use, run.ask_strategy, run.shows_votes, run.draws, run.sure_from) == (
        "replace",
        "few-shot",
        True,
        3,
        0.0,
    )


def test_the_papers_policy_replaces(client, project, plan):
    run = started(client, project, plan, policy="paper", mode="llm", answer_use="fuse")
    assert (run.policy, run.mode, run.answer_use) == ("paper", "llm", "replace")


def test_the_recommended_policy_draws_no_random_rows_for_a_model_alone(client, project, plan):
    assert started(client, project, plan, mode="llm").random_share == 0


def test_people_alone_need_no_model_and_what_was_typed_about_it_is_nothing(client, project, plan):
    run = started(client, project, plan, mode="human", cap="x", draws="many", verifiers=["999"])
    assert (run.mode, run.verifiers.count(), Budget.objects.filter(run=run.pk).count()) == ("human", 0, 0)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"mode": "robot"}, "mode"),
        ({"verifiers": []}, "verifiers"),
        ({"verifiers": ["999"]}, "verifiers"),
        ({"cap": ""}, "cap"),
        ({"cap": "0"}, "cap"),
        ({"cap": "-1"}, "cap"),
        ({"cap": "nan"}, "cap"),
        ({"cap": "1000001"}, "cap"),
        ({"draws": "0"}, "draws"),
        ({"draws": "21"}, "draws"),
        ({"ask_strategy": "guess"}, "ask_strategy"),
        ({"answer_use": "throw away"}, "answer_use"),
        ({"sure_from": "101"}, "sure_from"),
        ({"policy": "paper"}, "mode"),
        ({"policy": "custom", "rule": "agree", "mode": "llm", "random_share": "5"}, "random_share"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_at_its_field(client, project, plan, data, field):
    answer = client.post(new(project), plan | data, headers=HTMX)
    assert (answer.status_code, re.findall(r' id="id_(\w+)-error"', answer.content.decode())) == (422, [field])
    assert not Run.objects.exists()


def test_a_model_that_cannot_say_how_sure_it_is_replaces_nobody(client, project, plan, connection):
    connection.capability = {"has_logprobs": False}
    connection.save()
    data = {"policy": "custom", "rule": "agree", "answer_use": "replace"}
    answer = client.post(new(project), plan | data, headers=HTMX)
    assert re.findall(r' id="id_(\w+)-error"', answer.content.decode()) == ["sure_from"]
    assert started(client, project, plan, **data, draws="3").draws == 3


def test_without_a_connection_the_page_says_where_to_make_one(client, project, versions):
    make_dataset(project, ["a"])
    page = client.get(new(project)).content.decode()
    assert "No language model is connected yet" in page
    assert reverse("llm:add", kwargs={"slug": project.slug}) in page


def test_a_connection_is_offered_with_its_price_and_its_state(client, project, plan):
    make_connection(project, "Broken", price=None, error="401")
    make_connection(project, "Retired", is_retired=True)
    page = client.get(new(project)).content.decode()
    assert "Practice · fake-1 · $1.00 in, $2.00 out a million tokens · not tested yet" in page
    assert "Broken · fake-1 · no price yet · did not work lately" in page
    assert "Retired" not in page
    assert "sealed-secret" not in page


def test_a_strangers_connection_cannot_be_chosen(client, project, plan):
    foreign = make_connection(make_project(make_user()), "Foreign")
    assert client.post(new(project), plan | {"verifiers": [foreign.pk]}).status_code == 422


def test_the_mode_of_a_forecast_is_taken_over(client, project, plan):
    page = client.get(new(project), {"mode": "llm"}).content.decode()
    assert re.search(r'value="llm"[^>]*checked', page)
    assert not re.search(r'value="human"[^>]*checked', page)
