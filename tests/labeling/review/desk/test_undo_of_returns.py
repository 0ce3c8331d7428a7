"""A reviewer takes a text back that was sent from the desk by mistake, as long as nobody has done anything about it."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.labels.models import ItemState, Lease, Verdict
from labeling.review.actions.queue import claim
from labeling.review.actions.skips import skip
from labeling.review.desk.actions import Ruling, rule, take_up
from labeling.review.desk.undoing import send_back, take_back_last
from labeling.review.models import Flag, Return, Skip
from labeling.web.errors import ActionError
from tests.labeling.review.desk.escalations import (
    answer,
    flag_text,
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


def back(project, item, to=None, reason="Look at the second half"):
    to_id = person(project, to).pk if to else None
    return send_back(project=project, item_id=item.pk, by_id=person(project, "rae").pk, reason=reason, to_id=to_id)


def undo(project, mark=None):
    return take_back_last(project=project, user_id=person(project, "rae").pk, client_id=mark or uuid4())


def lies(item):
    """How the text lies: state, why on the desk, whose it is, whose answers count."""
    item.refresh_from_db()
    count = Verdict.objects.filter(item=item, is_current=True).order_by("id")
    return item.state, item.escalation, item.assignee_id, list(count.values_list("user__username", flat=True))


@pytest.mark.parametrize("to", [None, "ann"])
def test_a_disputed_text_lies_on_the_desk_again_with_its_answers(project, to):
    item = split(project)
    before = lies(item)
    back(project, item, to)
    assert lies(item) != before
    assert undo(project).pk == item.pk
    assert lies(item) == before == (ItemState.OPEN, "conflict", None, ["ann", "bea"])
    assert item.answered_by == ",{},{},".format(*sorted(person(project, name).pk for name in ("ann", "bea")))
    assert take_up(project=project, user_id=person(project, "rae").pk).pk == item.pk
    assert "split text" not in queue_of(project, "ann")


def test_flags_and_skips_that_the_return_settled_are_open_again(project):
    item = flag_text(project)
    skip_text(project, "flagged text", ("bea",))
    back(project, item)
    assert (Flag.objects.filter(ended_at=None).count(), Skip.objects.filter(ended_at=None).count()) == (0, 0)
    undo(project)
    assert (Flag.objects.filter(ended_at=None).count(), Skip.objects.filter(ended_at=None).count()) == (1, 1)
    assert lies(item)[1] == "flagged"


def test_an_undo_sent_twice_is_one(project):
    item, mark = split(project), uuid4()
    back(project, item)
    assert undo(project, mark).pk == undo(project, mark).pk == item.pk
    assert Return.objects.get().undo_id == mark
    with pytest.raises(ActionError, match="no adjudication"):
        undo(project)


def test_what_was_done_last_is_undone_first(project):
    rae, first, second = person(project, "rae"), split(project), flag_text(project)
    class_id = project.classes.first().pk
    rule(project=project, user_id=rae.pk, ruling=Ruling(first.pk, class_id, uuid4()))
    back(project, second)
    assert [undo(project).pk, undo(project).pk] == [second.pk, first.pk]
    rule(project=project, user_id=rae.pk, ruling=Ruling(first.pk, class_id, uuid4()))
    assert undo(project).pk == first.pk


def test_a_text_that_somebody_answered_meanwhile_stays_where_it_is(project):
    item = split(project)
    back(project, item)
    answer(project, "split text", "ann", "neutral")
    with pytest.raises(ActionError, match="no adjudication"):
        undo(project)
    assert lies(item)[3] == ["ann"]


def test_a_text_on_somebodys_screen_is_not_taken_away(project):
    item = split(project)
    back(project, item, "ann")
    ann = person(project, "ann")
    assert claim(project=project, user_id=ann.pk)[0].item.pk == item.pk
    with pytest.raises(ActionError, match="on the screen"):
        undo(project)
    Lease.objects.update(expires_at=timezone.now())
    assert undo(project).pk == item.pk


def test_a_skip_meanwhile_does_not_stand_in_the_way(project):
    item = split(project)
    back(project, item)
    skip(project=project, user_id=person(project, "ann").pk, item_id=item.pk, client_id=uuid4())
    undo(project)
    assert lies(item)[1] == "conflict"


def test_nobody_undoes_what_another_reviewer_sent_back(project):
    back(project, split(project))
    with pytest.raises(ActionError, match="no adjudication"):
        take_back_last(project=project, user_id=person(project, "olga").pk, client_id=uuid4())


def test_over_http_the_reason_is_not_told_once_it_is_undone(client, project):
    client.force_login(person(project, "rae"))
    item, ann = split(project), person(project, "ann")
    address = {name: reverse(f"desk:{name}", kwargs={"slug": project.slug}) for name in ("screen", "send-back", "undo")}
    client.post(address["send-back"], {"item": item.pk, "to": ann.pk, "reason": "Read it again"})
    assert "disabled" not in client.get(address["screen"]).content.decode().split('data-key="u Backspace"')[1][:20]
    html = client.post(address["undo"], {"client_id": str(uuid4())}, follow=True).content.decode()
    assert ("split text" in html, "Read it again" in html) == (True, False)
    assert Return.objects.count() == 1  # it stays as history


def leave(client, project, item, until):
    url = reverse("desk:leave", kwargs={"slug": project.slug})
    return client.post(url, {"item": item.pk, "until": until}).status_code


def test_a_text_is_free_for_other_reviewers_once_its_page_is_left(client, project):
    item, rae = split(project), person(project, "rae")
    client.force_login(rae)
    client.get(reverse("desk:screen", kwargs={"slug": project.slug}))
    known = Lease.objects.get(item=item)
    assert leave(client, project, item, "nonsense") == 404
    assert leave(client, project, item, known.expires_at.replace(year=2001).isoformat()) == 204
    assert Lease.objects.filter(item=item).exists()  # renewed since by another page
    assert leave(client, project, item, known.expires_at.isoformat()) == 204
    assert not Lease.objects.filter(item=item).exists()


def test_a_heartbeat_tells_until_when_the_text_stays(client, project):
    item = split(project)
    client.force_login(person(project, "rae"))
    client.get(reverse("desk:screen", kwargs={"slug": project.slug}))
    told = client.post(reverse("desk:keep", kwargs={"slug": project.slug}), {"item": item.pk}).json()
    assert told == {"kept": True, "until": Lease.objects.get(item=item).expires_at.isoformat()}
