"""What people have begun stays in the queue, however sure a newer pool is."""

from uuid import UUID

import pytest

from labeling.labels.actions import assign, decide, escalate
from labeling.labels.models import Escalation, ItemState, ReviewItem
from labeling.projects.models import Project
from tests.labeling.asking import store_votes
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import add_member, make_dataset, make_project, make_user
from tests.labeling.generations import finish, next_generation, open_items, start
from tests.labeling.refinement.made_rounds import make_versions

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def run(user, settings):
    """Texts that two people answer each, some of them doubted; `better` versions that agree on all are at hand."""
    settings.CHUNK_ROWS = 20
    project = make_project(user)
    add_member(project, make_user())
    Project.objects.filter(pk=project.pk).update(overlap=2)
    dataset, versions = make_dataset(project, [f"text number {i}" for i in range(40)]), make_versions(project, 6)
    store_votes(dataset, versions[:3], noise=0.4)
    store_votes(dataset, versions[3:], noise=0.0)
    return finish(start(project, dataset, versions[:3], min_agree=3))


def begin(run, item, user, how):
    if how == "answered":
        class_id, mark = run.project.classes.first().pk, UUID(int=item.pk)
        decide(project=run.project, item_id=item.pk, user_id=user.pk, class_id=class_id, client_id=mark)
    elif how == "flagged":
        escalate(project=run.project, item_id=item.pk, why=Escalation.FLAGGED)
    else:
        assign(project=run.project, item_id=item.pk, to=user.pk)


@pytest.mark.parametrize("how", ["answered", "flagged", "assigned"])
def test_a_text_that_people_have_begun_stays_in_the_queue(run, user, how):
    first, *others = open_items(run)
    begin(run, first, user, how)
    assert len(others) > 3
    better = list(run.project.specialists.order_by("id"))[3:]
    next_generation(run, [one.versions.get() for one in better])
    finish(run)
    assert [item.pk for item in open_items(run)] == [first.pk]
    gone = ReviewItem.objects.filter(run=run, state=ItemState.WITHDRAWN)
    assert set(gone.values_list("pk", flat=True)) == {item.pk for item in others}
    assert_counters_equal_recount(run)
