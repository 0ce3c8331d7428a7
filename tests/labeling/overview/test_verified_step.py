"""What a project's home says of its language models."""

import pytest
from django.urls import reverse

from labeling.jobs.models import Job
from labeling.runs.models import Run
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user("ann")


@pytest.fixture
def run(user):
    return make_run(make_dataset(make_project(user), ["zero", "one", "two"]), hard={0, 1})


@pytest.fixture
def home(client, run, user):
    def get():
        client.force_login(user)
        return client.get(reverse("overview:project", kwargs={"slug": run.project.slug}))

    return get


def verified_step(response):
    found = [step for step in response.context["steps"] if step.label == "Verified"]
    return [(step.value, step.hint, step.state, step.href.rpartition("?")[2]) for step in found]


def test_project_home_shows_what_a_language_model_settled(home, run):
    Run.objects.filter(pk=run.pk).update(mode="llm", answer_use="fuse", verified=1, asking=1)
    found = verified_step(home())
    assert found == [("1", "1 row waits", "active", "source=fused")]


def test_project_home_says_nothing_of_a_language_model_where_none_is_asked(home, run):
    assert verified_step(home()) == []


def test_a_verification_is_among_what_happened_by_its_run(home, run):
    Job.objects.create(project=run.project, kind="verify", subject=run.pk, total=400, state="running")
    assert "Run 1: a language model on 400 texts" in home().content.decode()
