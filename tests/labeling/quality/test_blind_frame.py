"""Texts of the audit frame that nobody drew: on the screen, in its data and its events they are like any other's."""

import json
import re
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.jobs.models import Event
from labeling.labels.models import ItemReason, Lease, ReviewItem, Verdict, Vote
from labeling.labels.queries import blind_waits
from labeling.projects.models import Project, VotesShown
from labeling.review.queries import cards
from labeling.runs.models import PoolMember
from labeling.specialists.models import Source, Specialist, SpecialistVersion
from tests.labeling.factories import add_member, make_project, make_run, make_user
from tests.labeling.quality.audits import make_framed
from tests.labeling.review.wire import action, answer, write

pytestmark = pytest.mark.django_db
TOLD = re.compile(r"Ursa|97%|disagree|not sure|models:|kept back", re.IGNORECASE)


@pytest.fixture
def project():
    return make_project(make_user("owner"))


@pytest.fixture
def run(project):
    """Two hundred hard texts, forty of them in the frame, each with a vote of Ursa's."""
    run = make_run(make_framed(project, texts=200, copies=0))
    specialist = Specialist.objects.create(project=project, name="Ursa", source=Source.HUB, location="x")
    ids = list(project.classes.values_list("id", flat=True))
    version = SpecialistVersion.objects.create(
        specialist=specialist, number=1, weights_hash="x", model_labels=[], targets=[], class_ids=ids, max_length=128
    )
    PoolMember.objects.create(generation=run.generations.get(), version=version, position=0)
    samples = run.dataset.samples.all()
    Vote.objects.bulk_create(
        Vote(sample=one, version=version, label_class_id=ids[0], top_probability=0.97) for one in samples
    )
    return run


@pytest.fixture
def items(run):
    """A text of the frame and one that is not."""
    mine = ReviewItem.objects.filter(run=run).select_related("sample").order_by("id")
    until = run.dataset.frame_until
    return mine.filter(text_hash__lte=until).first(), mine.filter(text_hash__gt=until).first()


@pytest.fixture
def annotator(client, project):
    user = make_user("ann")
    add_member(project, user)
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def open_handed(monkeypatch):
    """No text keeps its votes back by lot, but where a test says so."""
    monkeypatch.setattr(cards, "KEPT_BACK", 0)


def put_first(item):
    Lease.objects.all().delete()
    ReviewItem.objects.update(priority=0)
    ReviewItem.objects.filter(pk=item.pk).update(priority=-1)


def screen(client, project, item):
    put_first(item)
    html = client.get(reverse("review:screen", kwargs={"slug": project.slug})).content.decode()
    return without_own(re.search(r'<section class="review.*?</section>', html, re.DOTALL)[0], item)


def letter(client, project, item):
    put_first(item)
    return without_own(json.dumps(write(client, project)), item)


def without_own(words, item):
    """The page or letter without what differs between any two texts."""
    assert item.sample.text in words
    words = words.replace(item.sample.text, "*").replace(f">{item.sample.external_id}<", ">*<")
    words = re.sub(rf'(data-item=\\?"|"item": |name="item" value="|/votes/){item.pk}\b', "*", words)
    words = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[^\"]+", "*", words)
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "*", words)


def ask(client, project, item):
    """What `v` brings."""
    put_first(item)
    write(client, project)
    return client.get(reverse("review:votes", kwargs={"slug": project.slug, "item_id": item.pk}))


@pytest.mark.parametrize("how", VotesShown)
@pytest.mark.parametrize("look", [screen, letter])
def test_a_text_of_the_frame_looks_like_any_other_before_any_draw(annotator, project, items, look, how):
    Project.objects.update(votes_shown=how)
    framed, other = (look(annotator, project, item) for item in items)
    assert framed == other
    assert (TOLD.findall(framed), "data-votes-at" in framed) == ([], how != VotesShown.NEVER)


def test_what_happens_to_a_text_of_the_frame_is_told_as_of_any_other(annotator, project, items):
    told = []
    for item in items:
        put_first(item)
        write(annotator, project)
        Event.objects.all().delete()
        write(annotator, project, action("comment", item, text="a word"), answer(item))
        told.append([(event.topic, sorted(event.state)) for event in Event.objects.order_by("seq")])
    assert told[0] == told[1]
    assert not re.search(r"audit|blind|frame|hash", json.dumps(list(Event.objects.values_list("state", flat=True))))


def test_votes_are_told_when_asked_for_and_those_of_the_frame_never(annotator, project, items):
    framed, other = (ask(annotator, project, item).content.decode() for item in items)
    assert TOLD.findall(framed) == ["kept back"]
    assert TOLD.findall(other) == ["disagree", "Ursa", "97%"]


def test_some_texts_drawn_at_random_keep_theirs_back_like_the_frame(annotator, project, run, items, monkeypatch):
    framed = ask(annotator, project, items[0]).content
    monkeypatch.setattr(cards, "KEPT_BACK", 256)
    assert ask(annotator, project, items[1]).content == framed
    ReviewItem.objects.filter(is_blind=True).update(state="decided")
    assert ask(annotator, project, items[1]).content != framed


def test_the_lot_falls_on_one_text_in_five_and_on_the_same_each_time(settings, monkeypatch):
    monkeypatch.undo()
    waiting = [ReviewItem(pk=pk) for pk in range(2_000)]
    for item in waiting:
        item.is_frame_open = True
    drawn = []
    for settings.SECRET_KEY in ("one", "one", "another"):
        drawn.append({item.pk for item in waiting if cards.is_drawn_to_hide(item)})
    assert (drawn[0] == drawn[1], drawn[0] == drawn[2]) == (True, False)
    assert all(0.17 < len(one) / len(waiting) < 0.23 for one in drawn)


def test_votes_of_a_text_on_nobody_s_or_another_s_screen_are_not_told(annotator, project, items):
    put_first(items[1])
    url = reverse("review:votes", kwargs={"slug": project.slug, "item_id": items[1].pk})
    assert annotator.get(url).status_code == 404
    Lease.objects.create(item=items[1], user=project.created_by, expires_at="2100-01-01T00:00Z")
    assert annotator.get(url).status_code == 404


@pytest.mark.parametrize("change", [{"reason": ItemReason.AUDIT}, {"is_audited": True}])
def test_while_an_audit_waits_no_votes_are_told(annotator, project, items, change):
    ReviewItem.objects.filter(pk=items[0].pk).update(**change)
    assert TOLD.findall(ask(annotator, project, items[1]).content.decode()) == ["kept back"]


def test_where_votes_are_never_shown_none_are_told(annotator, project, items):
    Project.objects.update(votes_shown=VotesShown.NEVER)
    assert TOLD.findall(ask(annotator, project, items[1]).content.decode()) == ["kept back"]


def test_once_the_frame_is_done_cards_hold_reason_and_votes_again(annotator, project, run, items):
    told = []
    for change in ({"state": "open"}, {"escalation": "flagged"}, {"state": "decided"}):
        ReviewItem.objects.filter(is_blind=True).update(**change)
        told.append(TOLD.findall(letter(annotator, project, items[1])))
    assert told == [[], ["Ursa", "97%", "disagree"], ["Ursa", "97%", "disagree"]]


def line(client, project, item):
    """What is told of an answer to the text."""
    put_first(item)
    write(client, project)
    return write(client, project, answer(item), want=0)["last"].replace(item.sample.text, "*")


@pytest.mark.parametrize("change", [{}, {"reason": ItemReason.AUDIT}, {"is_audited": True}])
def test_the_line_about_an_answer_names_no_text_of_the_frame(annotator, project, items, change):
    """An undo brings the text back, and its next answer counts as blind: the other lines must be as silent."""
    waiting = ReviewItem.objects.filter(is_blind=True).exclude(pk=items[0].pk)
    ReviewItem.objects.filter(pk=waiting.first().pk).update(**change)
    framed, other = (line(annotator, project, item) for item in items)
    assert (framed == other, TOLD.findall(framed)) == (True, [])
    waiting.update(state="decided")
    free = ReviewItem.objects.filter(state="open").select_related("sample").first()
    assert TOLD.findall(line(annotator, project, free)) == ["models:"]


def test_a_run_without_a_frame_keeps_nothing_back(annotator, project, items):
    """What `has_frame` off makes: nothing is blind."""
    ReviewItem.objects.update(is_blind=False)
    assert TOLD.findall(letter(annotator, project, items[0])) == ["Ursa", "97%", "disagree"]


def test_votes_that_did_not_stand_beside_the_form_were_not_seen(annotator, project, items):
    """Without scripts: where they are shown at once, but not while texts of the frame wait."""
    Project.objects.update(votes_shown=VotesShown.SHOWN)
    url = reverse("review:decide", kwargs={"slug": project.slug})
    seen = []
    for item in ReviewItem.objects.filter(is_blind=False)[:2]:
        put_first(item)
        write(annotator, project)
        form = {"item": item.pk, "label_class": project.classes.first().pk, "client_id": str(uuid4())}
        assert annotator.post(url, form).status_code == 303
        seen.append(Verdict.objects.get(item=item).has_seen_votes)
        ReviewItem.objects.filter(is_blind=True).update(state="decided")
    assert seen == [False, True]


@pytest.mark.only_sqlite
def test_whether_a_text_of_the_frame_waits_is_looked_up(project, run):
    plan = Project.objects.filter(blind_waits(project.pk), pk=project.pk).explain()
    assert ("item_blind" in plan, "SCAN" in plan.replace("SCAN CONSTANT ROW", "")) == (True, False)
