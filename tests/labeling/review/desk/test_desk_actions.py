"""The desk's own writes: whose text it is, what an adjudication settles, what its undo brings back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from annotator_core.types import LabelSource
from labeling.labels.actions.screens import DESK_SLOT
from labeling.labels.models import Escalation, ItemState, Label, Lease, Verdict, VerdictMode
from labeling.review.desk.actions import Ruling, keep, rule, take_back, take_up
from labeling.review.models import Flag, Skip
from labeling.web.errors import ActionError
from tests.labeling.factories import make_project
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


@pytest.fixture
def rae(project):
    return person(project, "rae")


def taken(project, user, **look):
    item = take_up(project=project, user_id=user.pk, **look)
    return item and item.sample.text


def ruled(project, user, text, class_name="neutral", **more):
    chosen = project.classes.get(name=class_name)
    ruling = Ruling(item_of(project, text).pk, chosen.pk, **({"client_id": uuid4()} | more))
    return rule(project=project, user_id=user.pk, ruling=ruling)


def taken_back(project, user):
    return take_back(project=project, user_id=user.pk, client_id=uuid4())


def labels_of(project):
    current = Label.objects.filter(sample__dataset__project=project, is_current=True)
    return list(current.values_list("sample__text", "label_class__name", "source"))


def test_only_escalated_texts_come_to_the_desk(project, rae):
    assert taken(project, rae) is None
    answer(project, "plain text", "ann", "negative")
    split(project)
    flag_text(project)
    skip_text(project)
    seen = [taken(project, rae)]
    for _ in range(3):
        seen.append(taken(project, rae, after=item_of(project, seen[-1]).pk))
    assert sorted(seen[:3]) == ["flagged text", "skipped text", "split text"]
    assert seen[3] == seen[0]


def test_a_kind_can_be_chosen(project, rae):
    split(project)
    flag_text(project)
    assert taken(project, rae, kind=Escalation.FLAGGED) == "flagged text"
    assert taken(project, rae, kind=Escalation.CONFLICT) == "split text"
    assert Lease.objects.get().item.sample.text == "split text"
    assert taken(project, rae, kind=Escalation.SKIPPED) is None
    assert not Lease.objects.exists()


def test_a_text_can_be_asked_for(project, rae):
    for text in ("plain text", "flagged text"):
        flag_text(project, text)
    for text in ("plain text", "flagged text"):
        assert taken(project, rae, item_id=item_of(project, text).pk) == text


def test_two_reviewers_get_two_texts(project, rae):
    olga = person(project, "olga")
    split(project)
    flag_text(project)
    assert {taken(project, rae), taken(project, olga)} == {"split text", "flagged text"}
    assert taken(project, rae) == taken(project, rae)
    assert Lease.objects.filter(slot=DESK_SLOT).count() == 2


def test_a_text_is_free_again_when_its_lease_ends(project, rae):
    olga = person(project, "olga")
    split(project)
    taken(project, rae)
    assert taken(project, olga) is None
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert taken(project, olga) == "split text"
    assert not keep(project=project, user_id=rae.pk, item_id=item_of(project, "split text").pk)
    assert keep(project=project, user_id=olga.pk, item_id=item_of(project, "split text").pk)


def test_the_desk_stays_inside_the_project(project, rae):
    split(project)
    elsewhere = make_project(rae)
    assert taken(elsewhere, rae) is None
    assert taken(elsewhere, rae, item_id=item_of(project, "split text").pk) is None


def test_what_lies_on_the_desk_comes_to_no_annotator(project, rae):
    for text in ("split text", "skipped text", "plain text"):
        flag_text(project, text)
    taken(project, rae)
    assert queue_of(project, "bea") == ["flagged text"]


def test_adjudicating_decides_alone_and_settles_flags(project, rae):
    answer(project, "flagged text", "bea", "positive")
    flag_text(project)
    decision = ruled(project, rae, "flagged text", "neutral", finding="ambiguous", note="Both", elapsed_ms=9000)
    item = item_of(project, "flagged text")
    assert (decision.is_stale, item.state, item.escalation) == (False, ItemState.DECIDED, "")
    assert labels_of(project) == [("flagged text", "neutral", LabelSource.ADJUDICATED)]
    verdict = Verdict.objects.get(mode=VerdictMode.ADJUDICATED)
    assert (verdict.finding, verdict.note, verdict.elapsed_ms) == ("ambiguous", "Both", 9000)
    assert not Flag.objects.filter(ended_at=None).exists()
    assert taken(project, rae) is None


def test_a_repeated_adjudication_is_one(project, rae):
    split(project)
    mark = uuid4()
    assert not ruled(project, rae, "split text", client_id=mark).is_repeat
    assert ruled(project, rae, "split text", client_id=mark).is_repeat
    assert Verdict.objects.filter(mode=VerdictMode.ADJUDICATED).count() == 1


def test_the_second_reviewer_comes_too_late(project, rae):
    split(project)
    ruled(project, person(project, "olga"), "split text", "positive")
    assert ruled(project, rae, "split text", "negative").is_stale
    assert labels_of(project) == [("split text", "positive", LabelSource.ADJUDICATED)]


@pytest.mark.parametrize(
    ("bring", "why"),
    [(split, Escalation.CONFLICT), (flag_text, Escalation.FLAGGED), (skip_text, Escalation.SKIPPED)],
)
def test_undo_brings_the_text_back_to_the_desk_for_the_same_reason(project, rae, bring, why):
    text = bring(project).sample.text
    ruled(project, rae, text)
    item = taken_back(project, rae)
    item.refresh_from_db()
    assert (item.state, item.escalation, labels_of(project)) == (ItemState.OPEN, why, [])
    assert Flag.objects.filter(ended_at=None).count() == (why == Escalation.FLAGGED)
    assert Skip.objects.filter(ended_at=None).count() == 2 * (why == Escalation.SKIPPED)
    assert taken(project, rae) == text
    assert list(Lease.objects.filter(item=item).values_list("user__username", "slot")) == [("rae", DESK_SLOT)]


def test_undo_goes_back_one_by_one_and_then_says_so(project, rae):
    split(project)
    flag_text(project)
    ruled(project, rae, "split text")
    ruled(project, rae, "flagged text")
    assert [taken_back(project, rae).sample.text for _ in range(2)] == ["flagged text", "split text"]
    with pytest.raises(ActionError, match="no adjudication to undo"):
        taken_back(project, rae)


def test_a_repeated_undo_is_one(project, rae):
    split(project)
    flag_text(project)
    ruled(project, rae, "split text")
    ruled(project, rae, "flagged text")
    mark = uuid4()
    for _ in range(2):
        assert take_back(project=project, user_id=rae.pk, client_id=mark).sample.text == "flagged text"


def test_undo_leaves_the_own_answers_as_annotator_alone(project, rae):
    split(project)
    ruled(project, rae, "split text")
    answer(project, "plain text", "rae", "negative")
    assert taken_back(project, rae).sample.text == "split text"
    assert Verdict.objects.filter(user=rae, is_current=True, is_undo=False).get().item.sample.text == "plain text"


@pytest.mark.only_postgres
@pytest.mark.django_db(transaction=True)
def test_reviewers_at_the_same_moment_get_different_texts():
    project = make_team()
    split(project)
    flag_text(project)
    people = [person(project, name) for name in ("rae", "olga")]

    def take(user):
        try:
            return taken(project, user)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(take, people)) == {"split text", "flagged text"}
