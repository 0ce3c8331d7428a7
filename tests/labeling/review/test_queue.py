"""Claiming, keeping, releasing and skipping texts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from labeling.labels.actions.verdicts import decide, undo
from labeling.labels.models import Lease, ReviewItem, Verdict
from labeling.review.actions import claim, hold, release, skip
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    project = make_project(user)
    make_run(make_dataset(project, ["sure", "less", "least"]))
    return project


def claimed(project, user, n=1):
    return [held.item.sample.text for held in claim(project=project, user_id=user.pk, n=n)]


def expire():
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def choose(project, user, item):
    class_id = project.classes.first().pk
    return decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())


def test_claim_takes_the_least_certain_first(project, user):
    assert claimed(project, user) == ["least"]


def test_claim_gives_the_held_text_again(project, user):
    assert claimed(project, user) == claimed(project, user) == ["least"]
    assert Lease.objects.count() == 1


def test_claim_of_several_is_clamped_to_what_is_there(project, user):
    assert claimed(project, user, 10**9) == ["least", "less", "sure"]
    assert claimed(project, make_user()) == []


def test_claim_gives_another_person_another_text(project, user):
    claimed(project, user)
    assert claimed(project, make_user()) == ["less"]


def test_claim_stays_inside_the_project(project, user):
    make_run(make_dataset(make_project(user), ["foreign"]))
    assert "foreign" not in claimed(project, user, 20)


def test_c04_an_expired_lease_is_taken_over_at_once(project, user):
    other = make_user()
    assert claimed(project, user, 3) == ["least", "less", "sure"]
    assert claimed(project, other) == []
    expire()
    assert claimed(project, other) == ["least"]


def test_c03_the_late_answer_after_a_takeover_is_stored_as_stale(project, user):
    other = make_user()
    item = claim(project=project, user_id=user.pk)[0].item
    expire()
    claimed(project, other)
    assert choose(project, user, item).is_stale
    assert not choose(project, other, item).is_stale
    assert Verdict.objects.filter(item=item).count() == 2


def test_c05_a_released_text_is_free_for_others(project, user):
    claimed(project, user)
    assert release(project=project, user_id=user.pk) == 1
    assert claimed(project, make_user()) == ["least"]


def test_release_leaves_a_lease_that_was_renewed_since(project, user):
    old = claim(project=project, user_id=user.pk)[0].until
    claim(project=project, user_id=user.pk)
    assert release(project=project, user_id=user.pk, until=old) == 0
    assert Lease.objects.count() == 1


def test_hold_renews_only_the_own_leases(project, user):
    item = claim(project=project, user_id=user.pk)[0].item
    expire()
    mine = hold(project=project, user_id=user.pk, n=1, have=[item.pk])
    assert (mine.kept, mine.fresh, mine.lost) == ([item.pk], [], [])
    assert Lease.objects.get().expires_at == mine.until
    other = hold(project=project, user_id=make_user().pk, n=0, have=[item.pk])
    assert (other.kept, other.fresh, other.lost, other.until) == ([], [], [item.pk], None)


def test_skip_brings_the_text_back_when_nothing_else_is_left(project, user):
    for expected in ("least", "less", "sure", "least", "less"):
        item = claim(project=project, user_id=user.pk)[0].item
        assert item.sample.text == expected
        skip(project=project, user_id=user.pk, item_id=item.pk)
    assert claimed(project, make_user()) == ["least"]


def test_skip_refuses_a_text_of_another_project(project, user):
    foreign = make_run(make_dataset(make_project(user), ["foreign"]))
    with pytest.raises(ActionError):
        skip(project=project, user_id=user.pk, item_id=foreign.items.get().pk)


def test_undone_texts_come_back_in_reverse_order(project, user):
    for _ in range(2):
        choose(project, user, claim(project=project, user_id=user.pk)[0].item)
    claimed(project, user)
    for expected in ("less", "least"):
        undo(project=project, user_id=user.pk, client_id=uuid4())
        assert claimed(project, user) == [expected]
    for expected in ("least", "less", "sure"):
        item = claim(project=project, user_id=user.pk)[0].item
        assert item.sample.text == expected
        choose(project, user, item)


def test_claim_needs_few_queries(project, user, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        claimed(project, user)


@pytest.mark.django_db(transaction=True)
def test_c03_twenty_people_claim_five_hundred_texts_and_none_twice(user):
    project = make_project(user)
    make_run(make_dataset(project, [f"text {i}" for i in range(500)]))
    people = [make_user() for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        taken = [one for items in pool.map(lambda person: _work(project, person), people) for one in items]
    assert len(taken) == len(set(taken)) == 500
    assert Verdict.objects.filter(is_current=True).count() == 500
    assert set(ReviewItem.objects.values_list("state", flat=True)) == {"decided"}
    assert project.runs.get().decided == 500


def _work(project, person):
    """Claim and decide until nothing is left; a fault of the database fails the test (C15)."""
    taken = []
    while one := _claim_and_decide(project, person):
        taken.append(one)
    return taken


def _claim_and_decide(project, person):
    """As a request does, it gives its connection back: more people work than the pool has connections."""
    try:
        held = claim(project=project, user_id=person.pk)
        if not held:
            return None
        assert not choose(project, person, held[0].item).is_stale
        return held[0].item.pk
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_c03_expired_leases_are_taken_over_once_each(user):
    project = make_project(user)
    make_run(make_dataset(project, [f"text {i}" for i in range(60)]))
    lost = make_user()
    held = claim(project=project, user_id=lost.pk, n=20)
    expire()
    people = [make_user() for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        taken = [one for items in pool.map(lambda person: _work(project, person), people) for one in items]
    assert len(taken) == len(set(taken)) == 60
    assert all(choose(project, lost, one.item).is_stale for one in held)
