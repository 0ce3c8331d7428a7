"""What a project's home and its samples tell of an audit, and what they keep to themselves."""

from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ReviewItem
from labeling.runs.models import Run
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.quality.made_assessments import frame, make_assessment, make_audit, make_figures

pytestmark = pytest.mark.django_db
TEXTS = ["zero", "one", "two", "three", "four", "five"]


@pytest.fixture
def user():
    return make_user("ann")


@pytest.fixture
def project(user):
    return make_project(user, name="Shop")


@pytest.fixture
def run(project):
    return make_run(make_dataset(project, TEXTS), hard={0, 3})


@pytest.fixture
def page(client, user):
    client.force_login(user)
    return client


def url(project, name="samples", **more):
    return reverse(f"overview:{name}", kwargs={"slug": project.slug, **more})


def shown(response):
    return [row.text for row in response.context["rows"]]


def needs(response):
    return [(need.text, need.verb) for need in response.context["needs"]]


def quality_step(page, project):
    step = page.get(url(project, "project")).context["steps"][5]
    return step.value, step.hint, step.state


def test_project_home_shows_what_the_audit_said(page, project, run, user):
    make_audit(run.dataset, drawn=1)
    assert quality_step(page, project) == ("–", "1 text drawn", "active")
    make_assessment(run, figures=make_figures(run, answered=1))
    assert quality_step(page, project) == ("90.2% ± 3.4", "audit 1", "done")


def test_a_manager_is_asked_for_an_audit_where_nobody_measured(page, project, run):
    frame(run.dataset)
    wanted = ("Nobody has measured how right the labels of run 1 are.", "Draw an audit")
    assert wanted in needs(page.get(url(project, "project")))
    make_audit(run.dataset, drawn=1)
    assert wanted not in needs(page.get(url(project, "project")))


def test_a_manager_hears_of_a_better_way_until_it_is_in_use(page, project, run):
    make_assessment(run)
    wanted = ("The audit of run 1 found a better way to combine the votes: Logistic stacker.", "Look")
    assert wanted in needs(page.get(url(project, "project")))
    Run.objects.filter(pk=run.pk).update(generation=1)
    assert wanted not in needs(page.get(url(project, "project")))


def sample_page(page, project, sample):
    return " ".join(page.get(url(project, "sample", sample_id=sample.pk)).content.decode().split())


def test_a_sample_is_told_as_an_audit_s_only_once_it_is_answered(page, project, run, user):
    sample = make_audit(run.dataset, drawn=1).rows.get().sample
    before = sample_page(page, project, sample)
    assert ("Drawn for the audit" in before, "<dt>Audit</dt>" in before) == (False, False)
    for item in ReviewItem.objects.filter(text_hash=sample.text_hash, state="open"):
        class_id = project.classes.first().pk
        decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())
    after = sample_page(page, project, sample)
    assert "<dd>Drawn by audit 1, with a probability of 16.7%. " in after
    assert "Drawn for the audit" in after


def test_while_an_audit_waits_no_open_text_says_why_it_waits(page, project, run):
    sample = run.dataset.samples.filter(text__in=("zero", "three")).order_by("text_hash").last()
    assert "The specialists disagree" in sample_page(page, project, sample)
    make_audit(run.dataset, drawn=1)  # the one text with the smallest hash
    assert "The specialists disagree" not in sample_page(page, project, sample)


def test_the_samples_list_does_not_tell_what_an_audit_drew(page, project):
    run = make_run(make_dataset(project, TEXTS), hard=set())
    make_audit(run.dataset, drawn=1)
    assert shown(page.get(url(project) + "?state=review")) == []
    assert [row.standing for row in page.get(url(project)).context["rows"]] == [""] * 6
