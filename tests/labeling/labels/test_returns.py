"""Items that go back to the queue, or to one person alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.labels.actions import Stale, assign, escalate, reopen
from labeling.labels.actions.items import withdraw_items
from labeling.labels.models import Escalation, ItemState, Lease, Verdict
from labeling.projects.models import Role
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.labels.answering import (
    choose,
    current,
    decided,
    item_of,
    make_people,
    set_overlap,
    settle,
    standing,
    take_back,
)

pytestmark = pytest.mark.django_db
OPEN, DECIDED = (ItemState.OPEN, ""), (ItemState.DECIDED, "")


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def people(project):
    return make_people(project, 3)


@pytest.fixture
def run(project, people):
    return make_run(make_dataset(project, ["one", "two", "same", "same"]))


def overlapped(project):
    set_overlap(project, overlap=2)
    return make_run(make_dataset(project, ["first", "second"]))


def send_back(run, text, to=None):
    return reopen(project=run.project, item_id=item_of(run, text).pk, to=to and to.pk)


def counted(run, text):
    """Who has an answer that counts."""
    verdicts = Verdict.objects.filter(item=item_of(run, text), is_current=True, is_undo=False)
    return set(verdicts.values_list("user_id", flat=True))


def test_c17_a_decided_text_goes_back_to_its_annotator_alone(run, people):
    choose(run, people[0], "same")
    item = send_back(run, "same", people[0])
    assert (item.state, item.assignee, current(run, "same"), decided(run)) == (ItemState.OPEN, people[0], [], 0)
    assert choose(run, people[1], "same").why == Stale.ASSIGNED
    assert choose(run, people[0], "same", "neutral").copies == 2
    item.refresh_from_db()
    assert (item.state, item.assignee, decided(run)) == (ItemState.DECIDED, None, 2)


def test_sent_back_to_one_of_two_the_other_answer_counts_on(project, people):
    run = overlapped(project)
    for one in people[:2]:
        choose(run, one, "first")
    send_back(run, "first", people[0])
    assert (standing(run, "first"), counted(run, "first")) == (OPEN, {people[1].pk})
    choose(run, people[0], "first", "neutral")
    assert standing(run, "first") == (ItemState.OPEN, "conflict")
    send_back(run, "first", people[0])
    assert choose(run, people[0], "first", "positive").copies == 1


def test_sent_to_somebody_new_no_answer_is_in_the_way(project, people):
    run = overlapped(project)
    for one in people[:2]:
        choose(run, one, "first")
    item = send_back(run, "first", people[2])
    assert (counted(run, "first"), item.assignee) == (set(), people[2])


def test_an_answer_by_the_assignee_frees_the_item_for_the_next_person(project, people):
    run = overlapped(project)
    assign(project=project, item_id=item_of(run, "first").pk, to=people[0].pk)
    assert choose(run, people[1], "first").why == Stale.ASSIGNED
    choose(run, people[0], "first")
    assert item_of(run, "first").assignee is None
    assert choose(run, people[1], "first").copies == 1


def test_a_conflict_put_back_is_asked_anew_and_a_flagged_text_keeps_its_answers(project, people):
    run = overlapped(project)
    choose(run, people[0], "first", "positive")
    choose(run, people[1], "first", "neutral")
    choose(run, people[0], "second")
    escalate(project=project, item_id=item_of(run, "second").pk, why=Escalation.FLAGGED)
    send_back(run, "first")
    send_back(run, "second")
    assert (standing(run, "first"), counted(run, "first")) == (OPEN, set())
    assert (standing(run, "second"), counted(run, "second")) == (OPEN, {people[0].pk})


def test_a_text_that_waits_anyhow_or_was_withdrawn_cannot_go_back(run, people):
    with pytest.raises(ActionError, match="Only a decided"):
        send_back(run, "one")
    withdraw_items(run=run)
    with pytest.raises(ActionError, match="Only a decided"):
        send_back(run, "one", people[0])


def test_a_text_goes_to_members_only(run, people):
    choose(run, people[0], "one")
    stranger = make_user()
    with pytest.raises(ActionError, match="no member"):
        send_back(run, "one", stranger)
    with pytest.raises(ActionError, match="no member"):
        assign(project=run.project, item_id=item_of(run, "two").pk, to=stranger.pk)
    assert (standing(run, "one"), decided(run)) == (DECIDED, 1)


def test_a_manager_assigns_an_open_text_and_clears_it_again(run, people):
    item = item_of(run, "one")
    until = timezone.now() + timedelta(minutes=1)
    Lease.objects.create(item=item, user=people[0], expires_at=until)
    assign(project=run.project, item_id=item.pk, to=people[1].pk)
    assert (item_of(run, "one").assignee, Lease.objects.count()) == (people[1], 0)
    assert choose(run, people[0], "one").why == Stale.ASSIGNED
    assign(project=run.project, item_id=item.pk, to=None)
    assert choose(run, people[0], "one").copies == 1


def test_a_text_is_not_assigned_to_somebody_who_answered_it(project, people):
    run = overlapped(project)
    choose(run, people[0], "first")
    with pytest.raises(ActionError, match="answered the text already"):
        assign(project=project, item_id=item_of(run, "first").pk, to=people[0].pk)


def test_a_decided_text_is_not_assigned(run, people):
    choose(run, people[0], "one")
    with pytest.raises(ActionError, match="does not wait"):
        assign(project=run.project, item_id=item_of(run, "one").pk, to=people[1].pk)


def test_c49_a_reviewer_can_put_back_what_another_reviewer_settled(project, people):
    run = overlapped(project)
    reviewer = make_people(project, 1, Role.REVIEWER)[0]
    choose(run, people[0], "first", "positive")
    choose(run, people[1], "first", "neutral")
    settle(run, reviewer, "first", "negative")
    send_back(run, "first", people[0])
    assert (standing(run, "first"), counted(run, "first"), current(run, "first")) == (OPEN, {people[1].pk}, [])
    with pytest.raises(ActionError, match="nothing to undo"):
        take_back(run, reviewer)
