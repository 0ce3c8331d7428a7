"""What the forecast advises stands in the plan of the run that it leads to."""

import re
from html import unescape

import pytest
from django.urls import reverse

from labeling.projects.models import Role
from labeling.runs.forms import RunForm
from labeling.runs.proposal import ProposalForm
from tests.labeling.asked import make_connection
from tests.labeling.factories import add_member, make_dataset, make_project, make_user
from tests.labeling.overview.test_forecast import with_votes
from tests.labeling.pool import make_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(client, tmp_path):
    user = make_user()
    client.force_login(user)
    project = make_project(user)
    make_pool(project, tmp_path)
    return project


def initial_of(project, **given):
    form = RunForm(None, project=project, proposed=ProposalForm(given).proposed())
    return {name: form[name].initial for name in ("dataset", "mode", "verifiers", "policy", "min_agree", "beta")}


def test_every_figure_that_is_given_is_where_the_form_begins(project):
    make_dataset(project, ["a"])
    wanted = make_dataset(project, ["b"] * 5)
    make_connection(project, "first")
    second = make_connection(project, "second")
    given = {"dataset": wanted.pk, "mode": "llm", "verifier": second.pk, "min_agree": 2, "beta": 70}
    assert initial_of(project, **given) == {
        "dataset": wanted.pk, "mode": "llm", "verifiers": [str(second.pk)], "policy": "custom", "min_agree": 2,
        "beta": 70,
    }  # fmt: skip


@pytest.mark.parametrize(
    "given", [{}, {"mode": "robot", "beta": "-1", "min_agree": "all", "cap": "x", "verifier": "é"}]
)
def test_what_cannot_be_read_counts_as_not_given(project, given):
    dataset, connection = make_dataset(project, ["a"]), make_connection(project)
    assert initial_of(project, **given) == {
        "dataset": dataset.pk, "mode": "human", "verifiers": [str(connection.pk)], "policy": "default",
        "min_agree": None, "beta": None,
    }  # fmt: skip


def test_a_strangers_model_is_not_proposed(project):
    make_dataset(project, ["a"])
    other = make_connection(make_project(make_user("stranger")))
    assert initial_of(project, verifier=other.pk)["verifiers"] == []


def test_the_forecast_leads_to_its_own_advice(client, project):
    run = with_votes(project)
    connection = make_connection(project)
    add_member(project, client_user := make_user("manager"), Role.MANAGER)
    client.force_login(client_user)
    address = reverse("overview:forecast", args=[project.slug])
    html = client.get(
        address, {"dataset": run.dataset.pk, "hour": "9000", "target": "70", "cap": "500"}
    ).content.decode()
    (query,) = re.findall(r'/runs/new\?([^"]+)"', html)
    asked = dict(pair.split("=") for pair in unescape(query).split("&"))
    assert (asked["verifier"], asked["cap"], asked["dataset"]) == (str(connection.pk), "500.00", str(run.dataset.pk))
    assert asked["mode"] == "llm"
    page = client.get(reverse("runs:new", args=[project.slug]) + "?" + unescape(query)).content.decode()
    assert re.search(r'name="mode"[^>]*value="llm"[^>]*checked', page)
    assert re.search(r'name="cap"[^>]*value="500.00"', page)
