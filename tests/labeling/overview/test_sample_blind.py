"""C47 on the samples pages: nothing of a text that somebody still answers without knowing it."""

from uuid import uuid4

import pytest

from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ItemReason, ReviewItem, Verdict
from labeling.review.actions.returns import return_item
from labeling.review.models import Comment, Flag, Skip
from tests.labeling.asked import make_answer, make_connection, make_verified
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.overview.happenings import (
    TEXTS,
    add_specialist,
    choose,
    class_of,
    item_of,
    sample_url,
    shown,
    url,
    words_of,
)
from tests.labeling.quality.made_assessments import make_audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user("ann")


@pytest.fixture
def bob():
    return make_user("bob")


@pytest.fixture
def project(user, bob):
    project = make_project(user, name="Shop", classes=("awful", "middling", "splendid"))
    add_member(project, bob)
    return project


@pytest.fixture
def page(client, user):
    client.force_login(user)
    return client


@pytest.fixture
def shared(project, bob):
    """A text that two people answer; one has, and everybody remarked something. It was decided once before."""
    run = make_run(make_dataset(project, TEXTS))
    add_specialist(run, "tiny", {"zero": "middling"})
    connection = make_connection(project)
    make_verified(run, connection)
    make_answer(run, run.dataset.samples.get(text="zero"), connection, class_of(run, "middling"))
    item = item_of(run, "zero")
    choose(run, bob, "zero", "splendid")
    return_item(project=project, item_id=item.pk, by_id=bob.pk, reason="reason-of-bob")
    ReviewItem.objects.filter(pk=item.pk).update(needed=2)
    choose(run, bob, "zero", "splendid")
    common = {"item": item, "user": bob}
    Skip.objects.create(client_id=uuid4(), **common)
    Comment.objects.create(client_id=uuid4(), text="remark-of-bob", **common)
    Flag.objects.create(client_id=uuid4(), note="note-of-bob", **common)
    return run


SECRETS = (
    "splendid",
    "middling",
    "tiny",
    "It came late.",
    "reason-of-bob",
    "remark-of-bob",
    "note-of-bob",
    "skipped it",
)


def told(html):
    """Which of the secrets stand in the page."""
    return [secret for secret in SECRETS if secret in html]


def test_c47_a_text_that_several_people_answer_tells_nothing_before_it_is_decided(page, shared, user):
    before = words_of(page.get(sample_url(shared, "zero")))
    assert told(before) == []
    assert "Several people answer this text, each without knowing of the others." in before
    choose(shared, user, "zero", "splendid")
    assert told(words_of(page.get(sample_url(shared, "zero")))) == list(SECRETS)


def test_c47_the_list_tells_nothing_of_it_either(page, shared, bob):
    project = shared.project
    ReviewItem.objects.exclude(sample__text="zero").update(state="withdrawn")
    tiny = project.specialists.get().pk
    rows = {row.text: row for row in page.get(url(project), {"specialist": tiny}).context["rows"]}
    assert "zero" not in rows
    (row,) = page.get(url(project), {"text": "zero"}).context["rows"]
    assert (row.label, row.vote, row.standing) == (None, None, "Skipped")
    for asked in (
        {"annotator": bob.pk},
        {"disagreement": "people"},
        {"disagreement": "specialists"},
        {"disagreement": "verifier"},
        {"specialist": tiny, "vote": class_of(shared, "middling").pk},
    ):
        assert "zero" not in shown(page.get(url(project), asked)), asked


@pytest.fixture
def audited(project):
    """All texts accepted by the specialists, one of them drawn for an audit: that with the smallest hash."""
    run = make_run(make_dataset(project, TEXTS), hard=set())
    drawn = make_audit(run.dataset, drawn=1).rows.get().sample
    return run, drawn


def test_c47_while_an_audit_waits_no_text_of_its_frame_tells_what_machines_said(page, audited):
    run, drawn = audited
    story = page.get(url(run.project, "sample", sample_id=drawn.pk)).context["story"]
    assert (story.label, story.items, [one.kind for one in story.moments]) == (None, [], ["import"])
    rows = {row.pk: row for row in page.get(url(run.project)).context["rows"]}
    assert (rows[drawn.pk].label, rows[drawn.pk].is_kept_back, rows[drawn.pk].standing) == (None, True, "")
    others = [row for pk, row in rows.items() if pk != drawn.pk]
    assert [row.is_kept_back for row in others] == [False] * 5


def test_c47_no_filter_finds_the_label_of_a_text_that_an_audit_asks_about(page, audited):
    run, drawn = audited
    name = drawn.consensus.get().label_class.name
    asked = {"label_class": class_of(run, name).pk}
    assert drawn.text not in shown(page.get(url(run.project), asked))
    for item in ReviewItem.objects.filter(reason=ItemReason.AUDIT):
        for person in run.project.members.all():
            choose_item(run, item, person, name)
    assert drawn.text in shown(page.get(url(run.project), asked))


def choose_item(run, item, person, name):
    decide(
        item_id=item.pk,
        project=run.project,
        user_id=person.pk,
        class_id=class_of(run, name).pk,
        client_id=uuid4(),
    )
    assert Verdict.objects.filter(item=item, user=person).exists()


def test_c47_while_an_audit_waits_no_open_text_shows_its_votes(page, project):
    run = make_run(make_dataset(project, TEXTS), hard={0, 3})
    add_specialist(run, "tiny", {"zero": "middling", "three": "middling"})
    sample = run.dataset.samples.filter(text__in=("zero", "three")).order_by("text_hash").last()
    address = url(project, "sample", sample_id=sample.pk)
    assert page.get(address).context["story"].veil.hides_machines is False
    make_audit(run.dataset, drawn=1)
    story = page.get(address).context["story"]
    assert (story.veil.hides_machines, [one.reason for one in story.items]) == (True, ["In the queue"])
    assert "tiny" not in words_of(page.get(address))
