"""An audit belongs to a data set: every run that follows it is measured by it, not the newest one alone."""

import pytest

from labeling.jobs.models import Job
from labeling.labels.models import ItemReason, ItemState, ReviewItem
from labeling.quality.actions import draw_audit
from labeling.quality.models import Assessment
from labeling.runs.models import Run, RunState
from labeling.runs.queries import measured_runs
from tests.labeling.factories import make_project, make_run, make_user
from tests.labeling.generations import answer, finish, start
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.audits import answer_items, audit_items, make_framed
from tests.labeling.refinement.learning import answer_to

pytestmark = pytest.mark.django_db
PLAIN = {"aggregator": "majority", "target_error": None}


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def versions(project, tmp_path):
    """The third is always right, so that a race has one winner."""
    return make_pool(project, tmp_path, noise=[0.5, 0.4, 0.0])


@pytest.fixture
def dataset(project):
    """200 texts, 170 of them in the audit frame."""
    return make_framed(project, texts=200, copies=0, frame=170)


def run_over(dataset, versions, user, **policy):
    """A run that is done: its votes are in, and people have decided what was hard."""
    run = finish(start(dataset.project, dataset, versions, min_agree=2, **policy))
    answer(run, user)
    return finish(run)


def audit(dataset, user):
    """Draw a whole frame and answer it rightly."""
    class_ids = sorted(dataset.project.classes.values_list("id", flat=True))
    draw_audit(dataset=dataset, count=170, by=user)
    answer_items(audit_items(dataset), user, lambda item: class_ids[answer_to(item.sample.text)])
    work_off(("io", "consensus"))


def test_a_race_that_is_over_follows_an_audit_though_another_run_came_after(dataset, versions, user):
    race = run_over(dataset, versions, user, aggregator="race")
    later = run_over(dataset, versions, user)
    assert {race.state, later.state} == {RunState.DONE}
    audit(dataset, user)
    race.refresh_from_db()
    assert set(Assessment.objects.values_list("run", flat=True)) == {race.pk, later.pk}
    assert race.generations.get(number=race.generation).aggregation is not None


def test_a_run_that_is_over_while_another_works_is_not_measured(dataset, versions, user):
    """It is routed no more, and each measured run is another look that all certificates pay for."""
    run_over(dataset, versions, user, aggregator="race")
    later = finish(start(dataset.project, dataset, versions, min_agree=3))
    assert later.is_active
    audit(dataset, user)
    assert set(Assessment.objects.values_list("run", flat=True)) == {later.pk}


@pytest.mark.parametrize(
    ("policy", "state", "is_measured"),
    [
        ({"aggregator": "race"}, "done", True),
        ({"target_error": 5.0}, "done", True),
        ({}, "done", False),
        ({"aggregator": "race"}, "cancelled", False),
    ],
)
def test_older_runs_are_measured_where_they_may_follow(dataset, policy, state, is_measured):
    old, new = make_run(dataset, hard=()), make_run(dataset, hard=())
    Run.objects.filter(pk=old.pk).update(**PLAIN | policy | {"state": state})
    Run.objects.filter(pk=new.pk).update(**PLAIN, state="done")
    found = measured_runs(dataset.pk)
    assert [run.pk for run in found] == [new.pk, old.pk][: 1 + is_measured]


def test_an_answer_wakes_every_run_that_is_measured(dataset, user):
    """Also one on a text that was drawn at random before, and keeps that reason."""
    old, new = make_run(dataset, hard=()), make_run(dataset, hard=())
    Run.objects.update(aggregator="race", state="done")
    draw_audit(dataset=dataset, count=9, by=user)
    assert set(Job.objects.filter(kind="assess").values_list("subject", flat=True)) == {old.pk, new.pk}
    first, second = audit_items(dataset)[:2]
    ReviewItem.objects.filter(pk=second.pk).update(reason=ItemReason.RANDOM, is_audited=True)
    for item in (first, ReviewItem.objects.get(pk=second.pk)):
        Job.objects.update(is_dirty=False)
        answer_items([item], user)
        assert set(Job.objects.filter(kind="assess", is_dirty=True).values_list("subject", flat=True)) == {
            old.pk,
            new.pk,
        }
    assert ReviewItem.objects.filter(state=ItemState.DECIDED).count() == 2
