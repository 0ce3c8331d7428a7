"""Answers of people who knew what others had said: an audit asks for another one. Who knew nothing answers blind."""

from uuid import uuid4

import pytest

from labeling.labels.actions.screens import note_sight
from labeling.labels.models import ItemState, Label, ReviewItem, Sight, Verdict
from labeling.quality.actions import draw_audit
from labeling.quality.queries import audit_progress
from labeling.review.actions import claim
from labeling.review.actions.comments import add_comment
from labeling.review.actions.flags import flag
from labeling.review.desk.actions import take_up
from labeling.review.desk.undoing import send_back
from tests.labeling.factories import add_member, make_project, make_run, make_user
from tests.labeling.labels.answering import set_overlap
from tests.labeling.quality.audits import answer_items, audit_items, make_framed

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_user()


@pytest.fixture
def project(owner):
    project = make_project(owner)
    set_overlap(project, 1, audit=1)
    return project


@pytest.fixture
def item(project):
    """One of ten texts of an audit, on the desk because the owner flagged it."""
    draw(make_framed(project), 10)
    item = ReviewItem.objects.select_related("project", "dataset").order_by("id").first()
    flag(project=project, user_id=project.created_by_id, item_id=item.pk, client_id=uuid4(), note="hm")
    return item


def draw(dataset, count):
    return draw_audit(dataset=dataset, count=count, by=None)


def progress(dataset):
    found = audit_progress(dataset)
    return found.drawn, found.answered, found.waiting


def look(item, user):
    assert take_up(project=item.project, user_id=user.pk, item_id=item.pk) == item


def offered(project, user):
    return {held.item.pk for held in claim(project=project, user_id=user.pk, n=50)}


def test_a_desk_on_which_nobody_else_said_a_word_tells_nothing(project, owner, item):
    look(item, owner)
    send_back(project=project, item_id=item.pk, by_id=owner.pk)
    assert item.pk in offered(project, owner)
    answer_items([item], owner)
    assert (Verdict.objects.get().has_seen_votes, Sight.objects.count()) == (False, 0)
    assert progress(item.dataset) == (10, 1, 9)


def test_what_somebody_says_while_the_text_lies_there_is_known(project, owner, item):
    ann = add_member(project, make_user()).user
    look(item, owner)
    add_comment(project=project, user_id=ann.pk, item_id=item.pk, client_id=uuid4(), text="surely positive")
    assert not Sight.objects.exists()
    look(item, owner)
    assert list(Sight.objects.values_list("item", "user")) == [(item.pk, owner.pk)]


def test_a_text_of_a_run_tells_why_it_waits_and_is_known_at_once(project, owner, item):
    make_run(item.dataset)
    look(item, owner)
    assert Sight.objects.count() == 1


def test_an_answer_of_who_knew_is_asked_for_anew_with_the_next_draw(project, owner, item):
    """A text has one item without a run, and this one is decided: it comes back to others than the one who knew."""
    dataset = item.dataset
    ReviewItem.objects.filter(pk=item.pk).update(escalation="")
    note_sight(owner.pk, [item.pk])
    answer_items([item], owner)
    assert (progress(dataset), audit_items(dataset, ItemState.DECIDED)) == ((10, 0, 9), [item])
    ann = add_member(project, make_user()).user
    draw(dataset, 3)
    assert (progress(dataset), Label.objects.filter(is_current=True).count()) == ((12, 0, 12), 0)
    assert item.pk not in offered(project, owner)
    assert item.pk in offered(project, ann)
    answer_items([item], ann)
    assert progress(dataset) == (12, 1, 11)
