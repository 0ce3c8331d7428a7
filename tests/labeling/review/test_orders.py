"""In which order texts come: the project's order, whose item it is, audits among the others, skipped ones last."""

import random
from collections import Counter

import pytest

from labeling.accounts.models import User
from labeling.labels.actions.audit import open_audit_items
from labeling.labels.models import Escalation, ItemReason, ItemState, Lease, ReviewItem
from labeling.projects.models import ReviewOrder, Role
from labeling.review.actions import claim, skip
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


def order_by(project, order):
    project.review_order = order
    project.save()


def claimed(project, user, n=1):
    return [held.item.sample.text for held in claim(project=project, user_id=user.pk, n=n)]


def claim_first(project, user):
    """The item that the queue gives to somebody who holds nothing."""
    Lease.objects.all().delete()
    return claim(project=project, user_id=user.pk)[0].item


def test_oldest_first_is_the_order_of_the_data(project, user):
    make_run(make_dataset(project, ["a", "b", "c"]))
    order_by(project, ReviewOrder.OLDEST)
    assert claimed(project, user, 3) == ["a", "b", "c"]


def test_random_goes_round_the_hashes_from_a_random_point(project, user):
    make_run(make_dataset(project, [f"text {number}" for number in range(8)]))
    order_by(project, ReviewOrder.RANDOM)
    ring = list(ReviewItem.objects.order_by("text_hash").values_list("sample__text", flat=True))
    found = claimed(project, user, 8)
    start = ring.index(found[0])
    assert found == ring[start:] + ring[:start]


def test_random_draws_every_text(project, user):
    make_run(make_dataset(project, [f"text {number}" for number in range(5)]))
    order_by(project, ReviewOrder.RANDOM)
    drawn = Counter(claim_first(project, user).sample.text for _ in range(60))
    assert set(drawn) == {f"text {number}" for number in range(5)}


def test_the_mix_draws_its_parts(project, user):
    """Of a hundred claims about 60 get the least certain text, 10 the surest conflict, 30 any."""
    make_run(make_dataset(project, ["conflict", *(f"text {number}" for number in range(8)), "least"]))
    ReviewItem.objects.filter(sample__text="conflict").update(reason=ItemReason.CONFLICT)
    order_by(project, ReviewOrder.MIX)
    drawn = Counter(claim_first(project, user).sample.text for _ in range(100))
    others = sum(count for text, count in drawn.items() if text.startswith("text"))
    random.seed(0)
    parts = Counter(_part() for _ in range(100))
    assert (drawn["least"] >= parts["least"], drawn["conflict"] >= parts["conflict"]) == (True, True)
    assert 0 < others <= parts["any"]


def _part():
    """One draw as the queue makes it, with the point that a random claim takes."""
    draw = random.random()
    if draw < 0.6:
        return "least"
    if draw < 0.9:
        random.getrandbits(128)
        return "any"
    return "conflict"


def test_the_mix_without_conflicts_goes_on_with_the_least_certain(project, user):
    make_run(make_dataset(project, ["sure", "least"]))
    order_by(project, ReviewOrder.MIX)
    random.seed(next(seed for seed in range(100) if random.Random(seed).random() >= 0.9))
    assert claimed(project, user, 2) == ["least", "sure"]


def place_of_audits(project, user):
    """The mean place, 0 to 1, of the audit's texts among all, as one person gets them."""
    reasons = []
    while held := claim(project=project, user_id=user.pk):
        reasons.append(held[0].item.reason)
        ReviewItem.objects.filter(pk=held[0].item.pk).update(state=ItemState.DECIDED)
        Lease.objects.all().delete()
    places = [place for place, reason in enumerate(reasons) if reason == ItemReason.AUDIT]
    assert (len(reasons), len(places)) == (80, 20)
    return sum(places) / len(places) / len(reasons)


@pytest.mark.parametrize("order", ReviewOrder)
def test_an_audit_s_texts_stand_among_the_others_in_every_order(project, user, order):
    dataset = make_dataset(project, [f"text {number}" for number in range(120)])
    make_run(dataset, hard=set(range(0, 120, 2)))
    rest = dataset.samples.exclude(text_hash__in=ReviewItem.objects.values("text_hash"))
    open_audit_items(dataset=dataset, hashes=list(rest.order_by("text_hash").values_list("text_hash", flat=True)[:20]))
    order_by(project, order)
    assert 0.3 < place_of_audits(project, user) < 0.7


def test_what_was_sent_back_to_a_person_comes_first_and_to_nobody_else(project, user):
    make_run(make_dataset(project, ["sure", "less", "least"]))
    other = make_user()
    add_member(project, other)
    ReviewItem.objects.filter(sample__text="sure").update(assignee=other)
    assert claimed(project, user, 3) == ["least", "less"]
    Lease.objects.all().delete()
    assert claimed(project, other, 3) == ["sure", "least", "less"]


def test_what_waits_for_a_reviewer_is_on_no_screen(project, user):
    make_run(make_dataset(project, ["sure", "less", "least"]))
    ReviewItem.objects.filter(sample__text="less").update(escalation=Escalation.CONFLICT)
    assert claimed(project, user, 3) == ["least", "sure"]


@pytest.fixture
def team(project):
    people = [make_user(), make_user()]
    for person in people:
        add_member(project, person)
    return people


def skip_it(project, user, text):
    skip(project=project, user_id=user.pk, item_id=ReviewItem.objects.get(sample__text=text).pk)


def test_c17_a_text_that_all_annotators_skip_goes_to_a_reviewer(project, team):
    make_run(make_dataset(project, ["one", "two"]))
    skip_it(project, team[0], "two")
    assert ReviewItem.objects.get(sample__text="two").escalation == ""
    skip_it(project, team[1], "two")
    assert ReviewItem.objects.get(sample__text="two").escalation == Escalation.SKIPPED
    assert claimed(project, team[0], 2) == ["one"]


def test_who_is_switched_off_need_not_skip(project, team):
    make_run(make_dataset(project, ["one"]))
    User.objects.filter(pk=team[1].pk).update(is_active=False)
    skip_it(project, team[0], "one")
    assert ReviewItem.objects.get().escalation == Escalation.SKIPPED


def test_where_nobody_else_may_review_it_comes_back_last(project, user):
    make_run(make_dataset(project, ["one", "two"]))
    skip_it(project, user, "two")
    assert claimed(project, user, 2) == ["one", "two"]


def test_without_annotators_all_members_must_skip(project, user):
    reviewer = make_user()
    add_member(project, reviewer, Role.REVIEWER)
    make_run(make_dataset(project, ["one"]))
    skip_it(project, user, "one")
    assert ReviewItem.objects.get().escalation == ""
    skip_it(project, reviewer, "one")
    assert ReviewItem.objects.get().escalation == Escalation.SKIPPED


def test_an_assignee_who_skips_leaves_it_to_a_reviewer(project, team):
    make_run(make_dataset(project, ["one"]))
    ReviewItem.objects.update(assignee=team[0])
    skip_it(project, team[0], "one")
    assert ReviewItem.objects.get().escalation == Escalation.SKIPPED
