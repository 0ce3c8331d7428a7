"""The review screen as a page: plain forms without JavaScript, who may come in, what is never in it."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from labeling.labels.models import ItemState, Lease, ReviewItem, Verdict
from labeling.projects.models import Role
from labeling.review.models import Comment
from labeling.runs.models import PoolGeneration
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user("ann")


@pytest.fixture
def project(user):
    return make_project(user, guideline="# Be kind\n\n<script>alert(1)</script>")


@pytest.fixture
def run(project):
    return make_run(make_dataset(project, ["first text", "second text", "third text"]))


@pytest.fixture
def page(client, user):
    client.force_login(user)
    return client


def url(project, name="screen", **more):
    return reverse(f"review:{name}", kwargs={"slug": project.slug, **more})


def item_of(run, text):
    return ReviewItem.objects.get(run=run, sample__text=text)


def answer(run, text, name="positive", **more):
    chosen = run.project.classes.get(name=name)
    return {"item": item_of(run, text).pk, "label_class": chosen.pk, "client_id": str(uuid4()), **more}


def shown(html):
    """The text on the screen."""
    found = re.search(r'class="sample-text"[^>]*>([^<]*)<', html)
    return found[1] if found else None


def test_screen_shows_the_least_certain_text_with_its_classes(page, project, run):
    html = page.get(url(project)).content.decode()
    assert shown(html) == "third text"
    assert re.findall(r'data-key="(\d)"', html) == ["1", "2", "3"]
    assert "<h1>Be kind</h1>" in html
    assert "<script>alert" not in html


def test_decide_plain_redirects_to_the_next_text(page, project, run):
    response = page.post(url(project, "decide"), answer(run, "third text", elapsed_ms=1200), follow=True)
    assert response.redirect_chain == [(url(project), 303)]
    assert shown(response.content.decode()) == "second text"
    assert item_of(run, "third text").state == ItemState.DECIDED
    assert Verdict.objects.get().elapsed_ms == 1200


@pytest.mark.parametrize(
    ("how", "needed", "has_seen"), [("shown", 1, True), ("hidden", 1, False), ("never", 1, False), ("shown", 2, False)]
)
def test_votes_that_stand_open_without_a_script_were_seen(page, project, run, how, needed, has_seen):
    """An audit must not measure by an answer that was given beside the votes."""
    project.votes_shown = how
    project.save()
    ReviewItem.objects.update(needed=needed)
    page.post(url(project, "decide"), answer(run, "third text"))
    assert Verdict.objects.get().has_seen_votes is has_seen


def test_people_see_how_much_left_their_queue(page, project, run):
    PoolGeneration.objects.create(run=run, number=1, taken_off=720)
    old = timezone.now() - timedelta(days=2)
    PoolGeneration.objects.create(run=run, number=2, taken_off=9, created_at=old)
    assert "720 rows taken off your queue (about 1 h)" in page.get(url(project)).content.decode()


@pytest.mark.parametrize("size", [1, 3])
def test_screen_takes_as_many_queries_for_one_text_as_for_three(page, project, size, django_assert_num_queries):
    make_run(make_dataset(project, [f"text {i}" for i in range(size)]))
    page.get(url(project))
    with django_assert_num_queries(20):
        page.get(url(project))


def form(run, about, **more):
    return {"item": item_of(run, about).pk, "client_id": str(uuid4()), **more}


def test_all_forms_work_without_javascript(page, project, run):
    page.get(url(project))
    add_member(project, make_user(), Role.REVIEWER)
    html = page.post(url(project, "skip"), form(run, "third text"), follow=True).content.decode()
    assert shown(html) == "second text"
    html = page.post(url(project, "comment"), form(run, "second text", text="Which?"), follow=True).content.decode()
    assert shown(html) == "second text"
    html = page.post(url(project, "flag"), form(run, "second text", note="Both"), follow=True).content.decode()
    assert shown(html) == "first text"
    page.post(url(project, "decide"), answer(run, "first text"))
    for text in ("first text", "second text", "third text"):
        html = page.post(url(project, "undo"), {"client_id": str(uuid4())}, follow=True).content.decode()
        assert shown(html) == text
    assert [one.text for one in Comment.objects.all()] == ["Which?"]


def test_c16_undo_goes_back_ten_texts(page, project):
    run = make_run(make_dataset(project, [f"text {i:02}" for i in range(12)]))
    for i in range(11, 0, -1):
        page.post(url(project, "decide"), answer(run, f"text {i:02}"))
    for i in range(1, 11):
        html = page.post(url(project, "undo"), {"client_id": str(uuid4())}, follow=True).content.decode()
        assert shown(html) == f"text {i:02}"


def test_undo_with_nothing_to_undo_says_so(page, project, run):
    html = page.post(url(project, "undo"), {"client_id": str(uuid4())}, follow=True).content.decode()
    assert "nothing to undo" in html


def test_a_sent_form_sent_again_changes_nothing(page, project, run):
    sent = answer(run, "third text")
    page.post(url(project, "decide"), sent)
    page.post(url(project, "decide"), sent)
    assert Verdict.objects.count() == 1


def test_c08_a_late_answer_is_told_what_happened(page, project, run, client):
    other = make_user("bea")
    add_member(project, other)
    page.get(url(project))
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sent = answer(run, "third text")
    client.force_login(other)
    client.post(url(project, "decide"), answer(run, "third text", "negative"))
    client.force_login(project.created_by)
    html = client.post(url(project, "decide"), sent, follow=True).content.decode()
    assert "Your answer came too late" in html
    assert "bea had decided it meanwhile" in html
    assert shown(html) == "second text"


def test_c14_an_answer_with_a_retired_class_is_kept_and_the_text_stays(page, project, run):
    page.get(url(project))
    sent = answer(run, "third text")
    project.classes.filter(name="positive").update(is_retired=True)
    html = page.post(url(project, "decide"), sent, follow=True).content.decode()
    assert "The class “positive” is not in use any more" in html
    assert (shown(html), Verdict.objects.get().is_stale) == ("third text", True)


@pytest.mark.parametrize(
    "change", [{"item": ""}, {"item": "x"}, {"label_class": "-1"}, {"client_id": "7"}, {"item": 2**70}]
)
def test_a_form_that_cannot_be_read_is_refused(page, project, run, change):
    response = page.post(url(project, "decide"), answer(run, "third text") | change)
    assert (response.status_code, Verdict.objects.count()) == (422, 0)


def test_an_empty_queue_says_why(page, project, client):
    assert "Start a run first" in page.get(url(project)).content.decode()
    run = make_run(make_dataset(project, ["only"]))
    html = page.post(url(project, "decide"), answer(run, "only"), follow=True).content.decode()
    assert "All reviewed" in html


def test_c04_texts_on_other_screens_are_named_with_their_time(page, project, run, client):
    other = make_user("bea")
    add_member(project, other)
    until = timezone.now() + timedelta(minutes=5)
    for item in run.items.all():
        Lease.objects.create(item=item, user=other, expires_at=until)
    html = page.get(url(project)).content.decode()
    assert "bea: 3 texts on screen" in html
    assert f"comes free at {timezone.localtime(until):%H:%M}" in html
    page.post(url(project, "free", user_id=other.pk))
    assert shown(page.get(url(project)).content.decode()) == "third text"


@pytest.mark.parametrize("payload", ["<img src=x onerror=alert(1)>", "</p><script>alert(1)</script>", "{{ 7|add:7 }}"])
def test_s06_texts_classes_and_columns_are_shown_as_text(page, user, payload):
    project = make_project(user, classes=(payload, "other"), name=payload)
    make_run(make_dataset(project, [payload], columns=(payload, "text")))
    html = page.get(url(project)).content.decode()
    assert escape(payload) in html
    assert "<img src=x" not in html
    assert "<script>alert" not in html


ROLES = [("stranger", 404), (Role.ANNOTATOR, 200), (Role.MANAGER, 200)]


@pytest.mark.parametrize(("role", "status"), ROLES)
def test_members_alone_reach_the_screen(client, project, run, role, status):
    person = make_user()
    if role != "stranger":
        add_member(project, person, role)
    client.force_login(person)
    assert client.get(url(project)).status_code == status


def test_the_anonymous_are_sent_to_sign_in(client, project, run):
    response = client.get(url(project))
    assert (response.status_code, response.url.startswith("/sign-in")) == (302, True)
    assert client.post(url(project, "decide"), answer(run, "third text")).status_code == 302
    assert not Verdict.objects.exists()


@pytest.mark.parametrize("name", ["decide", "skip", "flag", "comment"])
def test_s19_an_item_of_another_project_is_not_found(page, project, run, user, name):
    foreign = make_run(make_dataset(make_project(user), ["foreign"]))
    sent = answer(run, "third text") | {"item": foreign.items.get().pk, "text": "x"}
    assert page.post(url(project, name), sent).status_code == 404
    assert not Verdict.objects.exists()


def test_who_has_answered_all_is_told_that_others_have_not(page, project, run):
    ReviewItem.objects.update(needed=2, is_blind=True)
    for text in ("first text", "second text", "third text"):
        page.post(url(project, "decide"), answer(run, text))
    html = page.get(url(project)).content.decode()
    assert "You have answered every text that is yours to answer; others answer theirs." in html


def test_texts_on_the_desk_are_no_screen_s(page, project, run, client):
    other = make_user("bea")
    add_member(project, other, Role.REVIEWER)
    ReviewItem.objects.update(escalation="flagged")
    Lease.objects.create(item=run.items.first(), slot=1000, user=other, expires_at="2100-01-01T00:00Z")
    html = page.get(url(project)).content.decode()
    assert ("Some texts wait for a reviewer." in html, "bea" in html) == (True, False)
