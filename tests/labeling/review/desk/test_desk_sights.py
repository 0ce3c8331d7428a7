"""Who has seen at the desk what others said gives no blind answer; and what a correction and its undo keep to."""

from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.accounts.models import User
from labeling.labels.actions import assign
from labeling.labels.actions.screens import drop_leases
from labeling.labels.models import ItemState, Lease, ReviewItem, Sight, Verdict
from labeling.review.actions import claim
from labeling.review.actions.flags import flag
from labeling.review.actions.returns import return_item
from labeling.review.actions.sending import Kind, Sent, do
from labeling.review.desk.actions import Ruling, correct, rule, take_back, take_up
from labeling.review.models import Flag
from labeling.web.errors import ActionError
from tests.labeling.review.desk.escalations import flag_text, item_of, make_team, person, split

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_team()


@pytest.fixture
def rae(project):
    return person(project, "rae")


def sent_back(project, rae, text):
    """The reviewer has looked at the text, and puts it back into the queue, where it is blind."""
    item = item_of(project, text)
    ReviewItem.objects.filter(pk=item.pk).update(is_blind=True)
    assert take_up(project=project, user_id=rae.pk, item_id=item.pk) == item
    return_item(project=project, item_id=item.pk, by_id=rae.pk)
    return item


def ids_of(held):
    return {one.item.pk for one in held}


def test_c47_a_blind_text_seen_at_the_desk_comes_to_others_only(project, rae):
    split(project)
    item = sent_back(project, rae, "split text")
    assert item.pk not in ids_of(claim(project=project, user_id=rae.pk, n=20))
    assert item.pk in ids_of(claim(project=project, user_id=person(project, "ann").pk, n=20))


def test_a_blind_text_that_nobody_else_can_answer_comes_back(project, rae):
    split(project)
    item = sent_back(project, rae, "split text")
    User.objects.exclude(pk=rae.pk).update(is_active=False)
    assert item.pk in ids_of(claim(project=project, user_id=rae.pk, n=20))
    sent = Sent(Kind.DECIDE, uuid4(), item.pk, class_id=project.classes.first().pk)
    do(project=project, user_id=rae.pk, sent=sent)
    assert Verdict.objects.get(client_id=sent.id).has_seen_votes is True


def test_c47_an_answer_on_it_is_no_blind_one(project, rae):
    split(project)
    item = sent_back(project, rae, "split text")
    assign(project=project, item_id=item.pk, to=rae.pk)
    assert item.pk in ids_of(claim(project=project, user_id=rae.pk, n=20))
    sent = Sent(Kind.DECIDE, uuid4(), item.pk, class_id=project.classes.first().pk)
    assert do(project=project, user_id=rae.pk, sent=sent).outcome == "stored"
    assert Verdict.objects.get(client_id=sent.id).has_seen_votes is True


def test_a_text_that_is_not_blind_comes_back_to_who_saw_it(project, rae):
    flag_text(project)
    item = item_of(project, "flagged text")
    take_up(project=project, user_id=rae.pk, item_id=item.pk)
    return_item(project=project, item_id=item.pk, by_id=rae.pk)
    ReviewItem.objects.filter(pk=item.pk).update(needed=1, is_blind=False)
    assert item.pk in ids_of(claim(project=project, user_id=rae.pk, n=20))
    assert list(Sight.objects.values_list("item", "user")) == [(item.pk, rae.pk)]


def ruling_of(project, text, name="neutral", **given):
    return Ruling(item_of(project, text).pk, project.classes.get(name=name).pk, **({"client_id": uuid4()} | given))


def test_an_undone_adjudication_leaves_flags_that_came_later_settled(project, rae):
    flag_text(project)
    before = Flag.objects.get()
    rule(project=project, user_id=rae.pk, ruling=ruling_of(project, "flagged text"))
    late = {"project": project, "item_id": before.item_id, "client_id": uuid4(), "note": "too late"}
    assert flag(user_id=person(project, "ann").pk, **late) is False
    take_back(project=project, user_id=rae.pk, client_id=uuid4())
    assert list(Flag.objects.filter(ended_at=None)) == [before]


def test_a_correction_sent_again_is_the_first_one(project, rae):
    split(project)
    rule(project=project, user_id=rae.pk, ruling=ruling_of(project, "split text"))
    ruling = ruling_of(project, "split text", "positive")
    assert correct(project=project, user_id=rae.pk, ruling=ruling).is_repeat is False
    take_back(project=project, user_id=rae.pk, client_id=uuid4())
    assert item_of(project, "split text").state == ItemState.OPEN
    assert correct(project=project, user_id=rae.pk, ruling=ruling).is_repeat is True
    with pytest.raises(ActionError, match="Only a decided text is corrected"):
        correct(project=project, user_id=rae.pk, ruling=ruling_of(project, "split text"))


def test_leases_are_locked_in_the_order_of_a_claim(project, rae, django_assert_num_queries):
    until = timezone.now()
    for item in ReviewItem.objects.order_by("-pk"):
        Lease.objects.create(item=item, user=rae, expires_at=until)
    count = Lease.objects.count()
    with django_assert_num_queries(4) as seen:
        assert drop_leases(Lease.objects.filter(user=rae)) == count
    locking = next(one["sql"] for one in seen.captured_queries if "SELECT" in one["sql"] and "lease" in one["sql"])
    assert 'ORDER BY "labels_lease"."item_id" ASC, "labels_lease"."slot" ASC' in locking
