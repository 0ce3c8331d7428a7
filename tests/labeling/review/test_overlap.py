"""C46: several people answer one text, each of them once, and never more than it needs."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from labeling.labels.actions import decide, undo
from labeling.labels.models import Escalation, ItemState, Lease, ReviewItem, Verdict
from labeling.review.actions import claim, hold
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def people(project):
    found = [make_user() for _ in range(4)]
    for person in found:
        add_member(project, person)
    return found


def make_queue(project, texts, needed=2):
    make_run(make_dataset(project, texts))
    ReviewItem.objects.update(needed=needed, is_blind=True)


def claimed(project, user, n=1):
    return [held.item.sample.text for held in claim(project=project, user_id=user.pk, n=n)]


def choose(project, user, text, name="positive"):
    item = ReviewItem.objects.get(sample__text=text)
    chosen = project.classes.get(name=name)
    return decide(item_id=item.pk, project=project, user_id=user.pk, class_id=chosen.pk, client_id=uuid4())


def test_c46_as_many_people_as_it_needs_get_a_text(project, people):
    make_queue(project, ["next", "both"])
    assert [claimed(project, person) for person in people] == [["both"], ["both"], ["next"], ["next"]]
    assert sorted(Lease.objects.values_list("slot", flat=True)) == [0, 0, 1, 1]


def test_c46_nobody_gets_a_text_again_that_they_have_answered(project, people):
    make_queue(project, ["next", "both"])
    claimed(project, people[0])
    choose(project, people[0], "both")
    assert [claimed(project, person) for person in people[:3]] == [["next"], ["both"], ["next"]]


def test_c46_an_answer_and_a_screen_leave_no_place(project, people):
    make_queue(project, ["both"])
    choose(project, people[0], "both")
    assert [claimed(project, person) for person in people[1:]] == [["both"], [], []]


def test_a_place_whose_lease_ended_is_taken_over(project, people):
    make_queue(project, ["both"])
    for person in people[:2]:
        claimed(project, person)
    first = Lease.objects.order_by("slot").first()
    Lease.objects.filter(pk=first.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert claimed(project, people[2]) == ["both"]
    assert list(Lease.objects.order_by("slot").values_list("user", flat=True)) == [people[2].pk, people[1].pk]
    lost = hold(project=project, user_id=first.user_id, n=1, have=[first.item_id])
    assert (lost.lost, lost.fresh) == ([first.item_id], [])


def test_a_text_that_was_undone_may_be_answered_again(project, people):
    make_queue(project, ["both"])
    choose(project, people[0], "both")
    undo(project=project, user_id=people[0].pk, client_id=uuid4())
    Lease.objects.all().delete()
    assert claimed(project, people[0]) == ["both"]


def test_what_people_disagree_on_leaves_the_queue(project, people):
    make_queue(project, ["both"])
    choose(project, people[0], "both")
    choose(project, people[1], "both", "negative")
    assert ReviewItem.objects.get().escalation == Escalation.CONFLICT
    assert claimed(project, people[2]) == []


def _work(project, person):
    """Claim three at a time and decide them until nothing is left."""
    given = []
    try:
        while held := claim(project=project, user_id=person.pk, n=3):
            for one in held:
                assert not choose(project, person, one.item.sample.text).is_stale
                given.append(one.item.pk)
    finally:
        connection.close()
    return given


@pytest.mark.django_db(transaction=True)
def test_c06_four_people_at_once_give_each_text_two_answers(project, people):
    make_queue(project, [f"text {number}" for number in range(30)])
    with ThreadPoolExecutor(4) as pool:
        given = [one for items in pool.map(lambda person: _work(project, person), people) for one in items]
    assert Counter(Counter(given).values()) == {2: 30}
    assert Counter(Verdict.objects.values_list("is_stale", flat=True)) == {False: 60}
    assert set(ReviewItem.objects.values_list("state", flat=True)) == {ItemState.DECIDED}
