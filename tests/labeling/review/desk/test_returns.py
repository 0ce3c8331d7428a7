"""C17, C18, C49: texts come back to the queue by somebody's hand, with a reason, to everybody or one person."""

from uuid import uuid4

import pytest

from labeling.labels.models import Escalation, ItemState, Label, Lease, ReviewItem, Verdict
from labeling.review.actions.queue import claim
from labeling.review.actions.returns import assign_items, give_items, return_item, return_items
from labeling.review.models import Flag, Return, Skip
from labeling.web.errors import ActionError
from tests.labeling.factories import make_project, make_user
from tests.labeling.review.desk.escalations import (
    answer,
    flag_text,
    item_of,
    make_team,
    person,
    queue_of,
    skip_text,
    split,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_team()


def returned(project, text, to=None, reason=""):
    by, to_id = person(project, "rae"), to and person(project, to).pk
    return return_item(project=project, item_id=item_of(project, text).pk, by_id=by.pk, reason=reason, to_id=to_id)


def pks(project, *texts):
    return [item_of(project, text).pk for text in texts]


def test_c18_a_decided_text_goes_back_to_one_person_with_a_reason(project):
    for name in ("ann", "bea"):
        answer(project, "plain text", name, "positive")
    returned(project, "plain text", to="ann", reason="Read the second sentence")
    item = item_of(project, "plain text")
    assert (
        item.state,
        item.assignee.username,
        Label.objects.filter(verdict__isnull=False, is_current=True).count(),
    ) == (
        ItemState.OPEN,
        "ann",
        0,
    )
    back = Return.objects.get()
    assert (back.by.username, back.to.username, back.reason) == ("rae", "ann", "Read the second sentence")
    assert queue_of(project, "ann")[0] == "plain text"
    assert "plain text" not in queue_of(project, "bea")
    assert answer(project, "plain text", "ann", "positive").copies == 1


def test_a_disputed_text_goes_back_to_one_of_those_who_answered(project):
    split(project)
    returned(project, "split text", to="ann", reason="Look again")
    assert queue_of(project, "ann")[0] == "split text"
    answer(project, "split text", "ann", "positive")
    item = item_of(project, "split text")
    assert (item.state, item.escalation, item.assignee) == (ItemState.DECIDED, "", None)


def test_who_still_disagrees_sends_it_to_the_desk_again(project):
    split(project)
    returned(project, "split text", to="ann", reason="Look again")
    answer(project, "split text", "ann", "negative")
    assert item_of(project, "split text").escalation == Escalation.CONFLICT


def test_a_disputed_text_goes_back_to_everybody(project):
    split(project)
    returned(project, "split text")
    assert "split text" in queue_of(project, "ann")
    assert "split text" in queue_of(project, "bea")


def test_returning_settles_flags_and_skips(project):
    flag_text(project)
    skip_text(project)
    for text in ("flagged text", "skipped text"):
        returned(project, text)
        assert item_of(project, text).escalation == ""
    open_marks = (Flag.objects.filter(ended_at=None).count(), Skip.objects.filter(ended_at=None).count())
    assert (open_marks, Return.objects.count()) == ((0, 0), 2)


def test_c17_a_text_that_one_person_skipped_comes_back_to_this_person(project):
    skip_text(project, "plain text", ("ann",))
    before = queue_of(project, "ann")
    returned(project, "plain text", reason="Try")
    assert (before[-1], queue_of(project, "ann")[0]) == ("plain text", "plain text")


def test_what_waits_already_is_refused(project):
    with pytest.raises(ActionError, match="waits in the queue already"):
        returned(project, "plain text")
    assert not Return.objects.exists()


def test_nobody_outside_the_project_is_sent_a_text(project):
    split(project)
    stranger = make_user()
    with pytest.raises(ActionError, match="no member"):
        return_item(
            project=project,
            item_id=item_of(project, "split text").pk,
            by_id=person(project, "rae").pk,
            to_id=stranger.pk,
        )
    assert item_of(project, "split text").escalation == Escalation.CONFLICT


def test_a_text_of_another_project_is_not_found(project):
    split(project)
    elsewhere = make_project(make_user())
    with pytest.raises(ActionError, match="not in the project"):
        return_item(project=elsewhere, item_id=item_of(project, "split text").pk, by_id=elsewhere.created_by_id)


def test_c17_many_come_back_and_one_that_cannot_does_not_keep_the_others(project):
    split(project)
    skip_text(project)
    by = person(project, "rae").pk
    chosen = pks(project, "split text", "skipped text", "plain text")
    bulk = return_items(project=project, item_ids=[*chosen, *chosen], by_id=by, reason="Sorted out")
    assert (bulk.done, bulk.left, bulk.why) == (2, 1, "The text waits in the queue already.")
    assert list(Return.objects.values_list("reason", flat=True)) == ["Sorted out", "Sorted out"]


def test_an_assigned_text_is_this_persons_alone_until_it_is_cleared(project):
    claim(project=project, user_id=person(project, "bea").pk)
    held = Lease.objects.get().item
    assert assign_items(project=project, item_ids=[held.pk], to_id=person(project, "ann").pk).done == 1
    assert not Lease.objects.exists()
    assert held.sample.text not in queue_of(project, "bea")
    assert queue_of(project, "ann")[0] == held.sample.text
    assign_items(project=project, item_ids=[held.pk], to_id=None)
    assert ReviewItem.objects.get(pk=held.pk).assignee is None


def test_a_text_on_the_desk_is_not_assigned(project):
    split(project)
    bulk = assign_items(project=project, item_ids=pks(project, "split text"), to_id=person(project, "ann").pk)
    assert (bulk.done, item_of(project, "split text").assignee) == (0, None)
    assert "waits for a reviewer" in bulk.why


def test_giving_takes_texts_off_the_desk_and_out_of_the_queue(project):
    split(project)
    chosen, by = pks(project, "split text", "plain text"), person(project, "rae").pk
    bulk = give_items(project=project, item_ids=chosen, by_id=by, to_id=person(project, "ann").pk)
    assert (bulk.done, bulk.left) == (2, 0)
    assert set(queue_of(project, "ann")[:2]) == {"split text", "plain text"}
    assert Return.objects.get().item.sample.text == "split text"


def test_giving_with_a_reason_tells_the_reason(project):
    ann = person(project, "ann").pk
    by = person(project, "rae").pk
    give_items(project=project, item_ids=pks(project, "plain text"), by_id=by, to_id=ann, reason="You know this")
    assert Return.objects.get().reason == "You know this"


def test_verdicts_stay_as_history(project):
    split(project)
    returned(project, "split text")
    assert Verdict.objects.filter(is_current=False, is_undo=False).count() == 2


def test_a_text_that_was_given_back_can_be_answered_anew(project):
    split(project)
    returned(project, "split text")
    for name in ("ann", "bea"):
        answer(project, "split text", name, "neutral", client_id=uuid4())
    assert item_of(project, "split text").state == ItemState.DECIDED
