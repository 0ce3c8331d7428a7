"""The wire: what a page sends and what comes back."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.labels.actions import settle_overlap
from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.models import Escalation, ItemState, Label, Lease, ReviewItem, Sight, Verdict
from labeling.projects.models import Membership, Role
from labeling.review.models import Comment, Flag, Skip
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.review.wire import action, answer, outcomes, post_letter, texts, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user("ann")


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def queue(project):
    """The items in the order of the queue."""
    make_run(make_dataset(project, ["fourth", "third", "second", "first"]))
    return list(ReviewItem.objects.order_by("priority"))


@pytest.fixture
def page(client, user):
    client.force_login(user)
    return client


def test_a_page_gets_as_many_cards_as_it_wants(page, project, queue):
    reply = write(page, project, want=3)
    assert texts(reply) == [one.pk for one in queue[:3]]
    assert [">first<" in reply["cards"][0]["html"], reply["lost"], reply["empty"]] == [True, [], None]
    assert reply["until"] == Lease.objects.order_by("expires_at").first().expires_at.isoformat()


def test_what_it_holds_already_is_not_sent_again(page, project, queue):
    have = texts(write(page, project, want=3))
    reply = write(page, project, want=3, have=have)
    assert (reply["cards"], reply["lost"], reply["head"], reply["last"]) == ([], [], None, None)


def test_answers_are_done_in_order_and_the_next_card_comes(page, project, queue):
    have = texts(write(page, project, want=3))
    reply = write(page, project, answer(queue[0]), answer(queue[1], "neutral"), have=have[2:], want=3)
    assert (outcomes(reply), texts(reply)) == (["stored", "stored"], [queue[3].pk])
    assert list(Verdict.objects.values_list("label_class__name", "elapsed_ms")) == [("positive", 900), ("neutral", 900)]
    assert "2" in reply["head"]
    assert "neutral" in reply["last"]


def test_a_page_that_counts_on_by_itself_gets_no_line_about_its_day(page, project, queue):
    reply = write(page, project, answer(queue[0]), want=0, head=False)
    assert (outcomes(reply), reply["head"]) == (["stored"], None)
    assert "positive" in reply["last"]
    assert 'data-today="2"' in write(page, project, answer(queue[1]), want=0, head=True)["head"]


def test_c13_a_letter_sent_again_is_done_once(page, project, queue):
    sent = [answer(queue[0]), action("skip", queue[1]), action("flag", queue[2], note="odd")]
    sent += [action("comment", queue[3], text="hm"), action("undo", of=sent[0]["id"])]
    assert outcomes(write(page, project, *sent)) == ["stored"] * 5
    again = write(page, project, *sent)
    assert (outcomes(again), [one["item"] for one in again["results"]]) == (
        ["repeat"] * 5,
        [queue[0].pk, queue[1].pk, queue[2].pk, queue[3].pk, queue[0].pk],
    )
    counts = [model.objects.count() for model in (Verdict, Skip, Flag, Comment)]
    assert counts == [2, 1, 1, 1]


@pytest.mark.parametrize("kind", ["skip", "flag", "comment", "undo"])
def test_a_mark_of_something_else_is_refused(page, project, queue, kind):
    first = answer(queue[0])
    write(page, project, first)
    reply = write(page, project, action(kind, queue[1]) | {"id": first["id"], "text": "x"})
    assert (outcomes(reply), reply["results"][0]["item"]) == (["refused"], None)


def test_a_mark_of_somebody_else_is_refused(page, project, queue, client):
    first = answer(queue[0])
    write(page, project, first)
    other = make_user()
    add_member(project, other)
    client.force_login(other)
    assert outcomes(write(client, project, first)) == ["refused"]


def test_undo_brings_the_text_back_first(page, project, queue):
    have = texts(write(page, project, want=3))
    write(page, project, answer(queue[0]), have=have[1:], want=3)
    reply = write(page, project, action("undo", of=None), have=[one.pk for one in queue[1:]], want=3)
    assert outcomes(reply) == ["stored"]
    assert [(card["item"], card.get("is_back")) for card in reply["cards"]] == [(queue[0].pk, True)]
    assert ReviewItem.objects.get(pk=queue[0].pk).state == ItemState.OPEN


def test_undo_goes_back_over_skips_flags_and_answers(page, project, queue):
    add_member(project, make_user(), Role.REVIEWER)
    done = [action("flag", queue[0], note="?"), action("skip", queue[1]), answer(queue[2])]
    write(page, project, *done)
    replies = [write(page, project, action("undo", of=None), want=1) for _ in range(4)]
    assert [outcomes(one) for one in replies] == [["stored"], ["stored"], ["stored"], ["refused"]]
    assert [texts(one)[0] for one in replies[:3]] == [queue[2].pk, queue[1].pk, queue[0].pk]
    assert not ReviewItem.objects.exclude(escalation="", state=ItemState.OPEN).exists()


def test_a_flag_takes_the_text_off_the_queue(page, project, queue, client):
    write(page, project, want=1)
    reply = write(page, project, action("flag", queue[0], note="which of two?"), want=1)
    assert texts(reply) == [queue[1].pk]
    assert ReviewItem.objects.get(pk=queue[0].pk).escalation == Escalation.FLAGGED
    assert Flag.objects.get().note == "which of two?"


def test_c08_a_late_answer_gets_both_answers(page, project, queue, client, user):
    other = make_user("bea")
    add_member(project, other)
    client.force_login(other)
    write(client, project, answer(queue[0], "negative"))
    client.force_login(user)
    sent = answer(queue[0])
    first, again = write(client, project, sent), write(client, project, sent)
    told = "bea had decided this text meanwhile: “negative”. Your answer, “positive”, is kept and changes nothing."
    assert [(one["outcome"], one["message"]) for one in first["results"] + again["results"]] == [
        ("stale", told),
        ("repeat", told),
    ]


def test_c14_changed_classes_are_sent(page, project, queue):
    mark = write(page, project)["classes"]["mark"]
    assert write(page, project, classes=mark)["classes"] is None
    project.classes.filter(name="neutral").update(name="mixed")
    changed = write(page, project, classes=mark)["classes"]
    assert (changed["mark"] == mark, "mixed" in changed["html"]) == (False, True)


def test_lost_items_are_named(page, project, queue):
    have = texts(write(page, project, want=2))
    Lease.objects.filter(item=queue[0]).delete()
    other = make_user()
    Lease.objects.create(item=queue[0], user=other, expires_at=Lease.objects.get().expires_at)
    reply = write(page, project, have=have, want=2)
    assert (reply["lost"], texts(reply)) == ([queue[0].pk], [queue[2].pk])


def test_an_empty_queue_says_why(page, project):
    reply = write(page, project)
    assert (reply["cards"], "Nothing to review yet" in reply["empty"]) == ([], True)


@pytest.mark.parametrize("want", [6, 10**9, 2**62])
def test_s22_how_many_it_wants_is_clamped(page, project, want):
    make_run(make_dataset(project, [f"text {number}" for number in range(9)]))
    assert len(texts(write(page, project, want=want))) == 5


def test_nobody_signed_in_is_told_so_in_json(client, project):
    response = post_letter(client, project)
    assert (response.status_code, response.json()) == (401, {"sign_in": reverse("accounts:sign-in")})


def test_a_letter_of_somebody_else_is_not_taken(page, project, queue, user):
    """Another person has signed in in the same browser: what a page of the first one sends stays that one's."""
    response = post_letter(page, project, answer(queue[0]), user=user.pk + 1)
    said = {"sign_in": reverse("accounts:sign-in"), "is_somebody_else": True}
    assert (response.status_code, response.json()) == (401, said)
    assert not Verdict.objects.exists()
    assert not Lease.objects.exists()
    assert outcomes(write(page, project, answer(queue[0]), user=user.pk)) == ["stored"]


def test_a_stranger_and_a_former_member_get_json(page, project, queue):
    Membership.objects.all().delete()
    response = post_letter(page, project, answer(queue[0]))
    assert (response.status_code, list(response.json())) == (404, ["error"])
    assert not Verdict.objects.exists()


GOOD = {"kind": "decide", "id": str(uuid4()), "item": 1, "class": 1, "seen": False, "elapsed_ms": None}
BAD = (
    GOOD | {"kind": "drop"},
    GOOD | {"kind": []},
    GOOD | {"id": 7},
    GOOD | {"id": "x"},
    GOOD | {"item": "1"},
    GOOD | {"item": True},
    GOOD | {"item": 2**70},
    GOOD | {"class": None},
    GOOD | {"elapsed_ms": -1},
    {"kind": "flag", "id": str(uuid4()), "item": 1, "note": 5},
    {"kind": "undo", "id": str(uuid4()), "of": "x"},
    None,
)


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_letter_that_cannot_be_read_stores_nothing(page, project, queue, bad):
    response = post_letter(page, project, answer(queue[0]), bad)
    assert (response.status_code, list(response.json()), Verdict.objects.count()) == (400, ["error"], 0)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"actions": 1}', b'{"have": ["1"]}', b'{"want": -1}'])
def test_a_body_that_is_no_letter_is_refused(page, project, body):
    url = reverse("review:send", kwargs={"slug": project.slug})
    response = page.post(url, body, content_type="application/json")
    assert (response.status_code, list(response.json())) == (400, ["error"])


def test_too_many_actions_and_too_many_bytes_are_refused(page, project, queue):
    many = [action("comment", queue[0], text="x") for _ in range(101)]
    assert post_letter(page, project, *many).status_code == 400
    assert post_letter(page, project, action("comment", queue[0], text="x" * 1_000_001)).status_code == 413
    assert not Comment.objects.exists()


def test_a_bad_remark_is_refused_alone(page, project, queue):
    remarks = [action("comment", queue[0], text=text) for text in ("x" * 2001, " ", "a\x00b \ud800")]
    assert outcomes(write(page, project, *remarks)) == ["refused", "refused", "stored"]
    assert Comment.objects.get().text == "ab ?"


def test_an_old_token_is_told_in_json(client, project, user):
    strict = type(client)(enforce_csrf_checks=True)
    strict.force_login(user)
    response = post_letter(strict, project)
    assert (response.status_code, response.json()["csrf"]) == (403, True)
    session = strict.get(reverse("accounts:session")).json()
    assert (session["user"], session["name"]) == (user.pk, "ann")
    assert post_letter(strict, project, headers={"X-CSRFToken": session["csrf"]}).status_code == 200


def test_the_session_of_nobody(client):
    session = client.get(reverse("accounts:session")).json()
    assert (session["user"], session["name"], bool(session["csrf"])) == (None, "", True)


def test_s19_items_of_other_projects_are_refused(page, project, queue, user):
    make_run(make_dataset(make_project(user), ["foreign"]))
    foreign = ReviewItem.objects.get(sample__text="foreign")
    sent = [action("skip", foreign), action("flag", foreign), action("comment", foreign, text="x")]
    sent += [answer(queue[0]) | {"item": foreign.pk}]
    assert outcomes(write(page, project, *sent, have=[foreign.pk])) == ["refused"] * 4
    counts = [model.objects.count() for model in (Verdict, Skip, Flag, Comment)]
    assert counts == [0, 0, 0, 0]


def test_release_frees_the_named_texts(page, project, queue):
    reply = write(page, project, want=3)
    url = reverse("review:release", kwargs={"slug": project.slug})
    assert page.post(url, {"items": texts(reply)[:2], "until": reply["until"]}).status_code == 204
    assert list(Lease.objects.values_list("item_id", flat=True)) == [queue[2].pk]


def test_json_reads_back_what_it_says(page, project, queue):
    response = post_letter(page, project)
    assert response.headers["Content-Type"] == "application/json"
    assert set(json.loads(response.content)) == {
        *("results", "cards", "lost", "until", "classes", "head", "last", "empty")
    }


@pytest.mark.parametrize(("is_blind", "kept"), [(True, False), (False, True)])
def test_votes_of_a_blind_text_were_seen_by_nobody_whatever_a_page_says(page, project, queue, is_blind, kept):
    ReviewItem.objects.filter(pk=queue[0].pk).update(is_blind=is_blind)
    write(page, project, answer(queue[0], seen=True))
    assert Verdict.objects.get().has_seen_votes is kept


def test_what_is_on_a_screen_when_it_becomes_blind_may_have_been_seen(page, project, queue):
    add_member(project, make_user())
    held = texts(write(page, project, want=1))
    project.overlap = 2
    project.save()
    settle_overlap(project=project)
    blind = dict(ReviewItem.objects.values_list("pk", "is_blind"))
    assert blind == {one.pk: one.pk not in held for one in queue}
    write(page, project, answer(queue[0], seen=True), answer(queue[1], seen=True))
    assert list(Verdict.objects.order_by("pk").values_list("has_seen_votes", flat=True)) == [True, False]


@pytest.mark.parametrize("kind", ["decide", "skip", "flag"])
def test_c13_an_undo_from_two_tabs_is_done_once_and_both_are_told_so(page, project, queue, kind):
    first = answer(queue[0]) if kind == "decide" else action(kind, queue[0], note="odd")
    write(page, project, first)
    undos = [action("undo", of=first["id"]) for _tab in range(2)]
    replies = [write(page, project, undo) for undo in undos]
    assert [outcomes(reply) for reply in replies] == [["stored"], ["stored"]]
    assert [reply["results"][0]["item"] for reply in replies] == [queue[0].pk] * 2
    assert Verdict.objects.filter(is_undo=True).count() == (kind == "decide")
    unknown = write(page, project, action("undo", of=str(uuid4())))
    assert outcomes(unknown) == ["refused"]


def test_an_undo_from_a_second_tab_leaves_what_was_answered_since(page, project, queue):
    first = answer(queue[0])
    write(page, project, first, action("undo", of=first["id"]), answer(queue[0], "neutral"))
    assert outcomes(write(page, project, action("undo", of=first["id"]))) == ["stored"]
    assert Verdict.objects.get(is_current=True).label_class.name == "neutral"


def sights():
    return set(Sight.objects.values_list("item", "user"))


@pytest.mark.parametrize("kind", ["skip", "flag"])
def test_c47_votes_seen_before_passing_a_text_on_are_kept_in_mind(page, project, queue, user, kind):
    seen, unseen, blind = queue[:3]
    ReviewItem.objects.filter(pk=blind.pk).update(is_blind=True)
    sent = [action(kind, seen, seen=True), action(kind, unseen, seen=False), action(kind, blind, seen=True)]
    assert outcomes(write(page, project, *sent)) == ["stored"] * 3
    assert sights() == {(seen.pk, user.pk)}


def test_c47_an_answer_to_a_text_whose_votes_were_seen_before_is_no_blind_one(page, project, queue):
    write(page, project, action("skip", queue[0], seen=True))
    write(page, project, answer(queue[0]), answer(queue[1]))
    assert dict(Verdict.objects.values_list("item_id", "has_seen_votes")) == {queue[0].pk: True, queue[1].pk: False}


def test_c47_a_sight_of_another_projects_text_is_none(page, project, queue):
    other = make_project(make_user())
    make_run(make_dataset(other, ["theirs"]))
    theirs = ReviewItem.objects.get(project=other)
    assert outcomes(write(page, project, action("skip", theirs, seen=True))) == ["refused"]
    assert sights() == set()


def test_a_changed_answer_beside_what_a_reviewer_settled_says_so(page, project, queue, user):
    write(page, project, answer(queue[0]))
    settled = project.classes.get(name="neutral")
    reviewer = add_member(project, make_user("rae"), Role.REVIEWER).user
    given = {"item_id": queue[0].pk, "user_id": reviewer.pk, "class_id": settled.pk, "client_id": uuid4()}
    adjudicate(project=project, corrects=True, **given)
    (result,) = write(page, project, answer(queue[0], "negative"))["results"]
    assert result["outcome"] == "stored"
    assert "A reviewer has settled this text" in result["message"]


def test_c08_what_waited_in_one_browser_does_not_replace_what_was_said_in_another_since(page, project, queue):
    """A laptop without a network holds an answer; the same person gives another by phone; the laptop comes back."""
    write(page, project, answer(queue[0], "neutral"))
    (result,) = write(page, project, answer(queue[0], "negative", ago_ms=60_000))["results"]
    assert result["outcome"] == "stale"
    assert (
        "You have answered this text elsewhere since: “neutral”. Your answer, “negative”, is kept" in result["message"]
    )
    assert Label.objects.get(is_current=True, sample=queue[0].sample).label_class.name == "neutral"


def test_c08_a_later_answer_replaces_an_earlier_one_however_it_came(page, project, queue):
    write(page, project, answer(queue[0], "neutral"))
    Verdict.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    assert outcomes(write(page, project, answer(queue[0], "negative", ago_ms=60_000))) == ["stored"]


def test_c08_an_answer_that_was_taken_back_before_it_arrived_stands_in_no_ones_way(page, project, queue):
    """Decided, undone and decided otherwise while the network was away, then sent at once."""
    first = answer(queue[0], "neutral", ago_ms=50_000)
    again = answer(queue[0], "negative", ago_ms=40_000)
    reply = write(page, project, first, action("undo", of=first["id"]), again)
    assert outcomes(reply) == ["stored"] * 3
    assert Label.objects.get(is_current=True, sample=queue[0].sample).label_class.name == "negative"


@pytest.mark.parametrize("ago", [-1, "1", 1.5, 2**63])
def test_an_age_that_is_none_is_refused(page, project, queue, ago):
    assert post_letter(page, project, answer(queue[0], ago_ms=ago)).status_code == 400
    assert outcomes(write(page, project, answer(queue[0], ago_ms=2**61))) == ["stored"]
