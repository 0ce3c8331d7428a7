"""What reviewers settle: it decides the item alone, and can be changed and undone."""

from uuid import uuid4

import pytest

from labeling.labels.actions import Stale, deescalate, escalate, reopen
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
CONFLICT, FLAGGED = (ItemState.OPEN, "conflict"), (ItemState.OPEN, "flagged")


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def people(project):
    return make_people(project, 2)


@pytest.fixture
def reviewers(project):
    return make_people(project, 2, Role.REVIEWER)


@pytest.fixture
def run(project, people, reviewers):
    set_overlap(project, overlap=2)
    return make_run(make_dataset(project, ["one", "two", "same", "same"]))


@pytest.fixture
def disputed(run, people):
    choose(run, people[0], "same", "positive")
    choose(run, people[1], "same", "neutral")
    return item_of(run, "same")


def test_c49_a_reviewer_settles_a_conflict_alone(run, reviewers, disputed):
    answer = settle(run, reviewers[0], "same", "negative", finding="guideline", note="The guideline is silent.")
    assert (answer.is_stale, answer.copies, standing(run, "same")) == (False, 2, DECIDED)
    assert (current(run, "same"), decided(run)) == ([("negative", "adjudicated")] * 2, 2)
    verdict = Verdict.objects.get(pk=answer.verdict_id)
    assert (verdict.mode, verdict.escalation, verdict.finding) == ("adjudicated", "conflict", "guideline")
    assert verdict.note == "The guideline is silent."
    assert disputed.verdicts.filter(is_current=True).count() == 3


def test_one_of_the_two_may_settle_it_as_a_reviewer(run, people, disputed):
    settle(run, people[0], "same", "neutral")
    own = disputed.verdicts.filter(user=people[0], is_current=True).order_by("pk")
    assert list(own.values_list("label_class__name", "mode")) == [("positive", "single"), ("neutral", "adjudicated")]
    assert current(run, "same") == [("neutral", "adjudicated")] * 2


def test_an_adjudication_sent_twice_is_one(run, reviewers, disputed):
    mark = uuid4()
    first = settle(run, reviewers[0], "same", client_id=mark)
    again = settle(run, reviewers[0], "same", client_id=mark)
    assert (again.verdict_id, again.is_repeat, again.copies) == (first.verdict_id, True, 2)
    assert Verdict.objects.filter(mode="adjudicated").count() == 1


def test_the_second_of_two_reviewers_is_told_and_kept(run, reviewers, disputed):
    settle(run, reviewers[0], "same", "negative")
    late = settle(run, reviewers[1], "same", "positive")
    assert (late.is_stale, late.why) == (True, Stale.DECIDED)
    assert current(run, "same") == [("negative", "adjudicated")] * 2


def test_a_reviewer_may_change_the_own_adjudication(run, reviewers, disputed):
    settle(run, reviewers[0], "same", "negative")
    changed = settle(run, reviewers[0], "same", "positive")
    assert (changed.copies, current(run, "same"), decided(run)) == (2, [("positive", "adjudicated")] * 2, 2)
    assert Verdict.objects.get(pk=changed.verdict_id).escalation == "conflict"
    item = take_back(run, reviewers[0])
    assert ((item.state, item.escalation), current(run, "same"), decided(run)) == (CONFLICT, [], 0)


def test_undo_of_an_adjudication_puts_the_item_back_on_the_desk_it_came_from(run, reviewers):
    escalate(project=run.project, item_id=item_of(run, "one").pk, why=Escalation.FLAGGED)
    settle(run, reviewers[0], "one")
    assert (standing(run, "one"), decided(run)) == (DECIDED, 1)
    take_back(run, reviewers[0])
    assert (standing(run, "one"), decided(run), current(run, "one")) == (FLAGGED, 0, [])
    assert not Lease.objects.exists()
    assert settle(run, reviewers[1], "one", "neutral").copies == 1


def test_an_annotators_undo_leaves_what_a_reviewer_settled(run, people, reviewers, disputed):
    settle(run, reviewers[0], "same", "negative")
    take_back(run, people[0])
    assert (standing(run, "same"), current(run, "same")) == (DECIDED, [("negative", "adjudicated")] * 2)
    assert choose(run, people[1], "same", "positive").copies == 0
    assert current(run, "same") == [("negative", "adjudicated")] * 2
    take_back(run, reviewers[0])
    assert (standing(run, "same"), decided(run)) == (OPEN, 0)


def test_what_is_not_on_the_desk_takes_a_stale_adjudication(run, reviewers):
    assert settle(run, reviewers[0], "one").why == Stale.DESK
    assert standing(run, "one") == OPEN


def test_c49_a_reviewer_corrects_a_decided_text_and_undo_restores_the_peoples_answer(run, people, reviewers):
    for one in people:
        choose(run, one, "same", "positive")
    assert settle(run, reviewers[0], "same", "negative", corrects=True).copies == 2
    assert (current(run, "same"), decided(run)) == ([("negative", "adjudicated")] * 2, 2)
    take_back(run, reviewers[0])
    assert (current(run, "same"), decided(run)) == ([("positive", "human")] * 2, 2)
    assert standing(run, "same") == DECIDED


def test_a_retired_class_settles_nothing(run, reviewers, disputed):
    run.project.classes.filter(name="negative").update(is_retired=True)
    assert settle(run, reviewers[0], "same", "negative").why == Stale.RETIRED
    assert standing(run, "same") == CONFLICT


def test_an_unknown_finding_is_refused(run, reviewers, disputed):
    with pytest.raises(ActionError, match="reasons"):
        settle(run, reviewers[0], "same", finding="weather")
    assert Verdict.objects.filter(mode="adjudicated").count() == 0


def test_a_flag_keeps_the_item_from_being_decided_until_it_is_taken_back(run, people):
    choose(run, people[0], "one")
    item = item_of(run, "one")
    Lease.objects.create(item=item, user=people[1], slot=1, expires_at=item.sample.dataset.created_at)
    escalate(project=run.project, item_id=item.pk, why=Escalation.FLAGGED)
    assert (choose(run, people[1], "one").is_stale, standing(run, "one"), decided(run)) == (False, FLAGGED, 0)
    deescalate(project=run.project, item_id=item.pk, why=Escalation.FLAGGED, user_id=people[0].pk)
    assert (standing(run, "one"), decided(run)) == (DECIDED, 1)


def test_a_flag_taken_back_gives_the_item_back_to_the_person(run, people):
    item = item_of(run, "one")
    escalate(project=run.project, item_id=item.pk, why=Escalation.FLAGGED)
    escalate(project=run.project, item_id=item.pk, why=Escalation.SKIPPED)
    assert standing(run, "one") == FLAGGED
    deescalate(project=run.project, item_id=item.pk, why=Escalation.SKIPPED, user_id=people[0].pk)
    assert (standing(run, "one"), item.leases.count()) == (FLAGGED, 0)
    deescalate(project=run.project, item_id=item.pk, why=Escalation.FLAGGED, user_id=people[0].pk)
    assert (standing(run, "one"), item.leases.get().user) == (OPEN, people[0])


def test_a_decided_item_cannot_be_flagged(run, people):
    for one in people:
        choose(run, one, "one")
    with pytest.raises(ActionError, match="does not wait"):
        escalate(project=run.project, item_id=item_of(run, "one").pk, why=Escalation.FLAGGED)


def test_a_settled_item_put_back_is_answered_anew(run, people, reviewers, disputed):
    settle(run, reviewers[0], "same", "negative")
    reopen(project=run.project, item_id=disputed.pk)
    assert (standing(run, "same"), current(run, "same"), decided(run)) == (OPEN, [], 0)
    for one in people:
        choose(run, one, "same", "positive")
    assert (standing(run, "same"), current(run, "same")) == (DECIDED, [("positive", "human")] * 2)
