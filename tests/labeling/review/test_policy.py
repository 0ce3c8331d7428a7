"""The settings page's section on how people review, and what the queue does then."""

from uuid import uuid4

import pytest

from labeling.labels.actions import decide
from labeling.labels.models import ItemState, Lease, ReviewItem
from labeling.projects.actions import add_member as join
from labeling.projects.actions import change_role, edit_review, remove_member
from labeling.projects.models import Membership, ReviewOrder, Role, VotesShown
from labeling.review.policy import save_policy
from labeling.web.errors import ActionError
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db
PAGE = "/p/shop/settings"
POLICY = {
    "review_order": ReviewOrder.MIX,
    "overlap": 2,
    "audit_overlap": 3,
    "votes_shown": VotesShown.NEVER,
    "is_harsh": True,
}


@pytest.fixture
def owner(client):
    made = make_user("olga")
    client.force_login(made)
    return made


@pytest.fixture
def project(owner):
    return make_project(owner, slug="shop")


def kept(project):
    project.refresh_from_db()
    return {name: getattr(project, name) for name in POLICY}


def save(project, **changed):
    return save_policy(project=project, **POLICY | changed)


def needed(project):
    return list(ReviewItem.objects.filter(project=project).order_by("id").values_list("needed", flat=True))


def answer(project, user, item):
    class_id = project.classes.first().pk
    decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())


def test_a_manager_says_how_people_review(client, project):
    form = POLICY | {"is_harsh": "on"}
    response = client.post(f"{PAGE}/review", form)
    assert (response.status_code, response.headers["Location"]) == (303, PAGE)
    assert kept(project) == POLICY
    shown = client.get(PAGE).content.decode()
    assert 'value="mix" selected' in shown
    assert "1 person is in this project" in shown


@pytest.mark.parametrize(
    "sent", [{"overlap": "0"}, {"overlap": "11"}, {"audit_overlap": ""}, {"review_order": "best"}, {"votes_shown": "x"}]
)
def test_a_policy_out_of_bounds_is_refused(client, project, sent):
    before = kept(project)
    response = client.post(f"{PAGE}/review", POLICY | sent)
    assert response.status_code == 422
    assert "field-error" in response.content.decode()
    assert kept(project) == before


@pytest.mark.parametrize("field", ["overlap", "audit_overlap"])
def test_the_action_keeps_the_bounds_too(project, field):
    with pytest.raises(ActionError, match="One to 10 people") as refused:
        edit_review(project=project, **POLICY | {field: 11})
    assert refused.value.field == field


def test_open_items_follow_the_overlap_as_far_as_there_are_people(project):
    add_member(project, make_user())
    make_run(make_dataset(project, ["one", "two"]))
    assert needed(project) == [1, 1]
    save(project, overlap=5)
    assert needed(project) == [2, 2]


def test_items_with_answers_enough_are_decided_and_the_page_says_so(client, project, owner):
    add_member(project, make_user())
    make_run(make_dataset(project, ["one", "two"]))
    save(project, overlap=2)
    item = ReviewItem.objects.order_by("id").first()
    answer(project, owner, item)
    item.refresh_from_db()
    assert item.state == ItemState.OPEN
    response = client.post(f"{PAGE}/review", POLICY | {"overlap": "1"}, follow=True)
    assert "1 text had answers enough and is decided." in response.content.decode()
    item.refresh_from_db()
    assert item.state == ItemState.DECIDED


def test_the_queue_follows_who_comes_and_goes(project, django_capture_on_commit_callbacks):
    save(project, overlap=2)
    make_run(make_dataset(project, ["one"]))
    with django_capture_on_commit_callbacks(execute=True):
        member = join(project=project, user=make_user("mara"), role=Role.ANNOTATOR)
    assert needed(project) == [2]
    with django_capture_on_commit_callbacks(execute=True):
        remove_member(membership=member, by=Role.OWNER)
    assert needed(project) == [1]


def test_who_leaves_holds_nothing_any_more(project, django_capture_on_commit_callbacks):
    make_run(make_dataset(project, ["one", "two"]))
    mara = make_user("mara")
    add_member(project, mara)
    first, second = ReviewItem.objects.order_by("id")
    Lease.objects.create(item=first, user=mara, expires_at="2999-01-01T00:00Z")
    ReviewItem.objects.filter(pk=second.pk).update(assignee=mara)
    with django_capture_on_commit_callbacks(execute=True):
        remove_member(membership=Membership.objects.get(user=mara), by=Role.OWNER)
    second.refresh_from_db()
    assert (Lease.objects.count(), second.assignee) == (0, None)


def test_nothing_follows_a_change_that_was_refused(project, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting, pytest.raises(ActionError):
        change_role(membership=project.memberships.get(), role=Role.ANNOTATOR, by=Role.OWNER)
    assert waiting == []
