"""C47: who answers later sees nothing of earlier answers or votes: not in the page, the wire's JSON or the socket."""

import asyncio
import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Max
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.datasets.models import Sample, Upload
from labeling.jobs.models import Event
from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.models import Consensus, ItemReason, Lease, ReviewItem, Vote
from labeling.projects.models import Role, VotesShown
from labeling.review.models import Comment, Flag
from labeling.runs.models import PoolMember
from labeling.specialists.models import Source, Specialist, SpecialistVersion
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.jobs.test_socket import cookie_of, socket_to, talk
from tests.labeling.review.wire import action, answer, write

pytestmark = pytest.mark.django_db
LEAKS = re.compile(r"polar bear|Ursa|97%|disagree|uncertain|drawn|audit|blind|first-eyes|tell-tale", re.IGNORECASE)
FRAME = ("topic", "seq", "state", "job", "stage", "progress", "total")
"""All that a frame holds, and its state."""


@pytest.fixture
def project():
    return make_project(make_user("first-eyes"))


@pytest.fixture
def run(project):
    """Two texts on which the specialist Ursa voted with 97%."""
    run = make_run(make_dataset(project, ["one text", "another text"]))
    specialist = Specialist.objects.create(project=project, name="Ursa", source=Source.HUB, location="x")
    ids = list(project.classes.values_list("id", flat=True))
    version = SpecialistVersion.objects.create(
        specialist=specialist, number=1, weights_hash="x", model_labels=[], targets=[], class_ids=ids, max_length=128
    )
    PoolMember.objects.create(generation=run.generations.get(), version=version, position=0)
    for sample in run.dataset.samples.all():
        Vote.objects.create(sample=sample, version=version, label_class_id=ids[0], top_probability=0.97)
    return run


@pytest.fixture
def second(client, project):
    """The browser of an annotator who comes later."""
    person = make_user("second-eyes")
    add_member(project, person)
    client.force_login(person)
    return client


def page(client, project):
    """The screen, without the project's own keys and the name of who looks."""
    html = client.get(reverse("review:screen", kwargs={"slug": project.slug})).content.decode()
    return re.search(r'<section class="review.*?</section>', html, re.DOTALL)[0]


def test_votes_of_the_pool_stand_on_an_ordinary_card(second, project, run):
    html = write(second, project)["cards"][0]["html"]
    assert ("Ursa" in html, "97%" in html, "The specialists disagree" in html) == (True, True, True)
    assert re.search(r"data-votes[^>]* hidden", html)


def test_votes_of_an_older_pool_do_not(second, project, run):
    Consensus.objects.update(generation=1)
    assert "Ursa" not in write(second, project)["cards"][0]["html"]


@pytest.mark.parametrize(("how", "is_there", "is_hidden"), [("shown", True, False), ("never", False, False)])
def test_the_project_says_how_votes_are_shown(second, project, run, how, is_there, is_hidden):
    project.votes_shown = VotesShown(how)
    project.save()
    html = write(second, project)["cards"][0]["html"]
    assert ("Ursa" in html, bool(re.search(r"data-votes[^>]* hidden", html))) == (is_there, is_hidden)


@pytest.fixture
def answered(project, run, client):
    """Both texts need two people; the owner has answered and remarked on one of them."""
    ReviewItem.objects.update(needed=2, is_blind=True)
    item = ReviewItem.objects.get(sample__text="another text")
    owner = project.created_by
    client.force_login(owner)
    write(client, project, answer(item), action("comment", item, text="tell-tale"))
    client.logout()
    Lease.objects.all().delete()
    return item


def test_c47_the_page_tells_nothing_of_earlier_answers(answered, second, project):
    html = page(second, project)
    assert ("another text" in html, LEAKS.findall(html)) == (True, [])


def test_c47_the_wire_tells_nothing_of_earlier_answers(answered, second, project):
    reply = write(second, project, want=3)
    assert reply["cards"][0]["item"] == answered.pk
    assert LEAKS.findall(json.dumps(reply)) == []


def test_c47_a_late_answer_learns_nothing_of_the_others(answered, second, project, client):
    third = make_user("third")
    add_member(project, third)
    client.force_login(third)
    write(client, project, answer(answered))
    client.force_login(project.members.get(username="second-eyes"))
    reply = write(client, project, answer(answered, "negative"))
    told = reply["results"][0]["message"]
    assert told.startswith("Another person had this text or had decided it meanwhile. Your answer, “negative”, is kept")
    assert LEAKS.findall(json.dumps(reply)) == []
    assert "third" not in json.dumps(reply)


def client_of(project, name, role=Role.ANNOTATOR):
    """Somebody's browser."""
    person, client = make_user(name), Client()
    add_member(project, person, role)
    client.force_login(person)
    return client


def things_that_happen(project, item, other):
    """What people do with blind texts, one after the other, until a reviewer settles both."""
    ann, bea, rae = (client_of(project, f"{name}-eyes") for name in ("second", "third", "fourth"))
    first, chosen = answer(item), project.classes.get(name="neutral")
    ruling = {"user_id": project.created_by.pk, "class_id": chosen.pk, "finding": "guideline", "note": "tell-tale"}
    return [
        lambda: write(ann, project, first, action("comment", item, text="tell-tale")),
        lambda: write(ann, project, action("undo", of=first["id"])),
        lambda: write(ann, project, answer(item)),
        lambda: write(rae, project, answer(other), action("comment", other, text="tell-tale")),
        lambda: write(ann, project, action("skip", other)),
        lambda: write(bea, project, action("flag", other, note="tell-tale")),
        lambda: write(bea, project, answer(item, "negative")),
        lambda: adjudicate(project=project, item_id=item.pk, client_id=uuid4(), **ruling),
        lambda: adjudicate(project=project, item_id=other.pk, client_id=uuid4(), **ruling),
    ]


def newest_after(thing):
    """The number of the newest event once it has happened; the one before is made old, for they come once a second."""
    Lease.objects.all().delete()
    Event.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    thing()
    newest = Event.objects.aggregate(newest=Max("seq"))["newest"] or 0
    connection.close()
    return newest


@pytest.mark.django_db(transaction=True)
def test_c47_no_frame_of_the_socket_tells_of_a_blind_text(project, run):
    """All frames that an annotator's page gets while others answer, undo, remark, skip, flag and settle blind texts."""
    ReviewItem.objects.update(needed=2, is_blind=True, reason=ItemReason.AUDIT)
    things = things_that_happen(project, *ReviewItem.objects.order_by("id"))
    watching = add_member(project, make_user("watching")).user
    frames = []

    async def steps(socket):
        for thing in things:
            newest = await asyncio.to_thread(newest_after, thing)
            while newest > (json.loads(frames[-1])["seq"] if frames else 0):
                frames.append((await socket.receive_output(timeout=5))["text"])

    assert talk(socket_to(f"run:{run.pk}", cookie_of(watching)), steps) is None
    assert (len(frames), ReviewItem.objects.filter(state="decided").count()) == (2, 2)
    # PostgreSQL keeps the parts of a state in an order of its own.
    assert [sorted((*json.loads(frame), *json.loads(frame)["state"])) for frame in frames] == [sorted(FRAME)] * 2
    told = r"another text|one text|positive|negative|neutral|-eyes|guideline"
    assert [re.findall(told, frame) + LEAKS.findall(frame) for frame in frames] == [[]] * len(frames)


def test_while_an_audit_waits_all_cards_look_alike(second, project, run):
    audited, other = ReviewItem.objects.order_by("priority")
    ReviewItem.objects.filter(pk=audited.pk).update(reason=ItemReason.AUDIT, is_blind=True)
    cards = {card["item"]: card["html"] for card in write(second, project, want=2)["cards"]}
    texts = {one.pk: one.sample.text for one in ReviewItem.objects.select_related("sample")}
    # What may differ: the number, the text, its own cells.
    plain = {pk: re.sub(r'data-item="\d+"|\br\d\b', "", html).replace(texts[pk], "") for pk, html in cards.items()}
    assert plain[audited.pk] == plain[other.pk]
    assert LEAKS.findall(cards[other.pk]) == []


def test_a_kept_gold_label_is_on_no_card(second, project):
    """It came to be compared with: people's agreement with it would say nothing if they read it."""
    make_run(make_dataset(project, ["text"], columns=("id", "text", "truth")))
    Sample.objects.update(gold="polar bear", cells='["r0", null, "polar bear"]')
    Upload.objects.update(gold_column="truth", columns=["id", "text", "truth"])
    html = page(second, project)
    assert (">r0<" in html, "truth" in html, LEAKS.findall(html)) == (True, False, ["disagree"])


def test_a_flag_tells_the_next_annotator_nothing(second, project, run):
    about = {"item": ReviewItem.objects.first(), "user": project.created_by}
    Flag.objects.create(**about, client_id=uuid4(), note="tell-tale")
    Comment.objects.create(**about, client_id=uuid4(), text="tell-tale")
    add_member(project, make_user(), Role.REVIEWER)
    assert "tell-tale" not in json.dumps(write(second, project, want=2))
