"""Texts that several people answer: agreement labels them, a conflict waits for a reviewer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.accounts.models import User
from labeling.labels.actions import Stale, settle_overlap
from labeling.labels.models import ItemState, Label, Lease, ReviewItem, Verdict
from labeling.projects.models import Membership
from labeling.runs.models import Run, RunState
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.labels.answering import (
    choose,
    current,
    decided,
    item_of,
    make_people,
    set_overlap,
    standing,
    take_back,
)

pytestmark = pytest.mark.django_db
OPEN, DECIDED = (ItemState.OPEN, ""), (ItemState.DECIDED, "")
CONFLICT = (ItemState.OPEN, "conflict")


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def people(project):
    return make_people(project, 3)


@pytest.fixture
def run(project, people):
    set_overlap(project, overlap=2)
    return make_run(make_dataset(project, ["one", "two", "same", "same"]))


def hold(run, user, text, slot=0, minutes=1):
    until = timezone.now() + timedelta(minutes=minutes)
    return Lease.objects.create(item=item_of(run, text), user=user, slot=slot, expires_at=until)


def test_c46_one_of_two_answers_labels_nothing_and_counts_as_to_review(run, people):
    answer = choose(run, people[0], "same")
    assert (answer.is_stale, answer.copies, standing(run, "same")) == (False, 0, OPEN)
    assert (current(run, "same"), decided(run)) == ([], 0)


def test_c46_two_equal_answers_label_the_text_and_the_last_carries_the_labels(run, people):
    choose(run, people[0], "same")
    second = choose(run, people[1], "same")
    assert (second.copies, standing(run, "same"), decided(run)) == (2, DECIDED, 2)
    assert current(run, "same") == [("positive", "human")] * 2
    assert set(Label.objects.filter(is_current=True).values_list("verdict", flat=True)) == {second.verdict_id}


def test_two_different_answers_wait_for_a_reviewer(run, people):
    choose(run, people[0], "same", "positive")
    second = choose(run, people[1], "same", "neutral")
    assert (second.is_stale, second.copies, standing(run, "same")) == (False, 0, CONFLICT)
    assert (current(run, "same"), decided(run)) == ([], 0)


def test_an_overlapped_item_is_blind_and_one_answered_by_one_person_is_not(run, project):
    assert (item_of(run, "one").needed, item_of(run, "one").is_blind) == (2, True)
    set_overlap(project, overlap=1)
    other = make_run(make_dataset(project, ["alone"]))
    assert (item_of(other, "alone").needed, item_of(other, "alone").is_blind) == (1, False)


def test_no_more_people_are_asked_than_the_project_has(project, people):
    set_overlap(project, overlap=9)
    assert item_of(make_run(make_dataset(project, ["one"])), "one").needed == 4


def test_an_account_that_is_switched_off_is_not_waited_for(project, people):
    set_overlap(project, overlap=9)
    User.objects.filter(pk=people[0].pk).update(is_active=False)
    assert item_of(make_run(make_dataset(project, ["one"])), "one").needed == 3


def test_a_person_has_one_answer_of_two_however_often_it_is_sent(run, people):
    choose(run, people[0], "one", "positive")
    choose(run, people[0], "one", "neutral")
    assert (standing(run, "one"), decided(run)) == (OPEN, 0)
    choose(run, people[1], "one", "neutral")
    assert (standing(run, "one"), current(run, "one")) == (DECIDED, [("neutral", "human")])


def test_a_third_answer_is_stale(run, people):
    choose(run, people[0], "one")
    choose(run, people[1], "one")
    assert choose(run, people[2], "one", "neutral").why == Stale.DECIDED
    choose(run, people[0], "two")
    choose(run, people[1], "two", "neutral")
    assert choose(run, people[2], "two").why == Stale.DESK
    assert (standing(run, "two"), current(run, "one")) == (CONFLICT, [("positive", "human")])


def test_an_answer_is_stale_where_others_hold_every_place(run, people):
    choose(run, people[0], "one")
    hold(run, people[1], "one")
    assert choose(run, people[2], "one").why == Stale.ELSEWHERE
    assert choose(run, people[1], "one").copies == 1


def test_a_lease_that_ended_counts_while_there_is_room(run, people):
    hold(run, people[0], "one", minutes=-1)
    hold(run, people[1], "one", slot=1)
    assert choose(run, people[0], "one").why == Stale.NO
    assert Lease.objects.get().user == people[1]


def test_an_answer_takes_only_the_own_lease_off_the_item(run, people):
    hold(run, people[0], "one", slot=0)
    hold(run, people[1], "one", slot=1)
    choose(run, people[0], "one")
    assert item_of(run, "one").leases.get().user == people[1]


@pytest.mark.parametrize("first", [0, 1])
def test_undo_of_either_answer_reopens_a_decided_item_for_that_person(run, people, first):
    marks = [choose(run, one, "same").verdict_id for one in people[:2]]
    item = take_back(run, people[first])
    assert (standing(run, "same"), current(run, "same"), decided(run)) == (OPEN, [], 0)
    assert item.leases.get().user == people[first]
    kept = Verdict.objects.get(pk=marks[1 - first])
    assert (kept.is_current, Verdict.objects.get(pk=marks[first]).is_current) == (True, False)
    choose(run, people[first], "same")
    assert (standing(run, "same"), decided(run)) == (DECIDED, 2)


def test_undo_takes_back_the_answer_with_that_mark(run, people):
    marks = [choose(run, people[0], text, client_id=None).verdict_id for text in ("one", "two")]
    first = Verdict.objects.get(pk=marks[0])
    assert take_back(run, people[0], of=first.client_id).pk == first.item_id
    assert list(Verdict.objects.filter(pk__in=marks, is_current=True).values_list("pk", flat=True)) == marks[1:]


def test_undo_in_a_conflict_takes_the_item_off_the_desk(run, people):
    choose(run, people[0], "one", "positive")
    choose(run, people[1], "one", "neutral")
    item = take_back(run, people[0])
    assert (standing(run, "one"), item.leases.get().user) == (OPEN, people[0])
    assert choose(run, people[0], "one", "neutral").copies == 1


def test_a_changed_answer_is_judged_anew(run, people):
    choose(run, people[0], "same", "positive")
    choose(run, people[1], "same", "positive")
    changed = choose(run, people[0], "same", "neutral")
    assert (changed.is_stale, changed.copies, standing(run, "same")) == (False, 0, CONFLICT)
    assert (current(run, "same"), decided(run)) == ([], 0)
    assert choose(run, people[1], "same", "neutral").copies == 2
    assert (standing(run, "same"), decided(run)) == (DECIDED, 2)


def test_a_run_is_over_only_when_its_last_text_is_answered_by_enough(project, run, people):
    for text in ("one", "two", "same"):
        choose(run, people[0], text)
    assert Run.objects.get(pk=run.pk).state == RunState.REVIEWING
    for text in ("one", "two", "same"):
        choose(run, people[1], text)
    assert Run.objects.get(pk=run.pk).state == RunState.DONE
    take_back(run, people[0])
    assert Run.objects.get(pk=run.pk).state == RunState.REVIEWING


def test_a_lower_overlap_decides_what_is_answered_and_shows_votes_again(project, run, people):
    choose(run, people[0], "one", "neutral")
    set_overlap(project, overlap=1)
    assert settle_overlap(project=project) == 1
    assert (standing(run, "one"), current(run, "one"), decided(run)) == (DECIDED, [("neutral", "human")], 1)
    assert list(ReviewItem.objects.filter(state="open").values_list("needed", "is_blind")) == [(1, False)] * 2
    assert item_of(run, "one").is_blind


def test_a_higher_overlap_asks_more_people_and_leaves_decided_items_and_conflicts(project, run, people):
    for one in people[:2]:
        choose(run, one, "one")
    choose(run, people[0], "two", "positive")
    choose(run, people[1], "two", "neutral")
    set_overlap(project, overlap=3)
    assert settle_overlap(project=project) == 0
    assert [standing(run, text) for text in ("one", "two", "same")] == [DECIDED, CONFLICT, OPEN]
    assert item_of(run, "same").needed == 3


def test_members_who_leave_free_what_they_hold_and_lower_what_is_needed(project, run, people):
    choose(run, people[0], "one")
    hold(run, people[1], "two")
    ReviewItem.objects.filter(sample__text="two").update(assignee=people[1])
    Membership.objects.filter(project=project).exclude(user=people[0]).delete()
    assert settle_overlap(project=project) == 1
    assert (standing(run, "one"), Lease.objects.count()) == (DECIDED, 0)
    assert (item_of(run, "two").needed, item_of(run, "two").assignee) == (1, None)


def test_settling_the_same_overlap_changes_nothing(project, run, django_assert_num_queries):
    versions = list(ReviewItem.objects.values_list("version", flat=True))
    with django_assert_num_queries(22):
        assert settle_overlap(project=project) == 0
    assert list(ReviewItem.objects.values_list("version", flat=True)) == versions
