"""C12: a plain form sent after the session had ended leads to sign-in and back to its page, and says so."""

from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.accounts.actions import set_password
from labeling.labels.models import ReviewItem, Verdict
from labeling.projects.models import Role
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough secret"
TOLD = "Your session had ended: nothing of this was stored. Sign in and do it again."
SITE = "http://testserver"
BY_A_PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def project():
    return make_project(make_user("olga"))


@pytest.fixture
def item(project):
    run = make_run(make_dataset(project, ["first text", "second text"]))
    return ReviewItem.objects.get(run=run, sample__text="second text")


@pytest.fixture
def rae(project):
    rae = make_user("rae")
    set_password(user=rae, password=PASSWORD)
    add_member(project, rae, Role.REVIEWER)
    return rae


def address(project, name, **more):
    return reverse(name, kwargs={"slug": project.slug, **more})


def forms(project, item):
    """{name: (its page, where it is sent, what is sent)} of plain forms that a person fills in."""
    chosen = {"label_class": project.classes.first().pk, "client_id": str(uuid4())}
    correct = address(project, "desk:correct", item_id=item.pk)
    grid = address(project, "triage:grid") + f"?label_class={chosen['label_class']}"
    ticked = chosen | {"shown": [item.pk], "item": [item.pk]}
    screen, desk = address(project, "review:screen"), address(project, "desk:screen") + "?kind=flagged"
    return {
        "decide": (screen, address(project, "review:decide"), chosen | {"item": item.pk}),
        "triage": (grid, address(project, "triage:confirm"), ticked),
        "correction": (correct, correct, chosen),
        "desk": (desk, address(project, "desk:decide"), chosen | {"item": item.pk}),
    }


def after_sign_in(answer):
    """Where somebody comes to by the sign-in page of this address."""
    return parse_qs(urlsplit(answer.headers["Location"]).query)["next"]


@pytest.mark.parametrize("name", ["decide", "triage", "correction", "desk"])
def test_c12_a_form_leads_to_sign_in_and_back_to_its_page(client, project, item, rae, name):
    page, to, sent = forms(project, item)[name]
    answer = client.post(to, sent, headers=BY_A_PERSON | {"Referer": SITE + page})
    assert (answer.status_code, after_sign_in(answer)) == (302, [page])
    assert Verdict.objects.count() == 0
    assert TOLD in unescape(client.get(answer.headers["Location"]).content.decode())
    signed_in = client.post("/sign-in", {"username": "rae", "password": PASSWORD, "next": page})
    assert signed_in.headers["Location"] == page
    html = unescape(client.get(page, follow=True).content.decode())
    assert html.count(TOLD) == 1
    assert TOLD not in client.get(page, follow=True).content.decode()


def test_c12_it_is_still_told_after_a_wrong_password(client, project, item, rae):
    page, to, sent = forms(project, item)["decide"]
    client.post(to, sent, headers=BY_A_PERSON | {"Referer": SITE + page})
    for password, status in (("wrong", 422), (PASSWORD, 302)):
        assert client.post("/sign-in", {"username": "rae", "password": password}).status_code == status
    assert TOLD in client.get(page).content.decode()


ELSEWHERE = ["", "http://evil.example/p/x", "//evil.example/", "javascript:alert(1)", "ftp://testserver/x"]


@pytest.mark.parametrize("referer", ELSEWHERE)
def test_who_comes_from_elsewhere_comes_to_the_first_page(client, project, item, referer):
    _page, to, sent = forms(project, item)["decide"]
    headers = BY_A_PERSON | ({"Referer": referer} if referer else {})
    assert after_sign_in(client.post(to, sent, headers=headers)) == ["/"]


def test_a_page_that_looks_like_another_site_is_none_after_sign_in(client, project, item, rae):
    _page, to, sent = forms(project, item)["decide"]
    answer = client.post(to, sent, headers={"Referer": f"{SITE}//evil.example/"})
    (page,) = after_sign_in(answer)
    signed_in = client.post("/sign-in", {"username": "rae", "password": PASSWORD, "next": page})
    assert signed_in.headers["Location"] == "/"


def test_pages_and_parts_come_back_as_before_and_are_told_nothing(client, project, item):
    page, to, sent = forms(project, item)["desk"]
    answer = client.get(page, headers=BY_A_PERSON | {"Referer": f"{SITE}/account"})
    assert after_sign_in(answer) == [page]
    htmx = {"HX-Request": "true", "HX-Current-URL": SITE + page}
    answer = client.post(to, sent, headers=htmx)
    assert parse_qs(urlsplit(answer.headers["HX-Redirect"]).query)["next"] == [page]
    assert TOLD not in client.get("/sign-in").content.decode()


def test_what_a_page_sends_by_itself_is_told_nobody(client, project, item):
    """A heartbeat, and what a page says as it is left, are nobody's work."""
    keep = address(project, "desk:keep")
    answer = client.post(keep, {"item": item.pk}, headers={"Accept": "*/*", "Referer": f"{SITE}/account"})
    assert after_sign_in(answer) == [keep]
    assert TOLD not in client.get("/sign-in").content.decode()


def test_signing_out_is_no_session_that_ended(client, rae):
    client.force_login(rae)
    answer = client.post("/sign-out", headers=BY_A_PERSON | {"Referer": f"{SITE}/account"})
    assert answer.headers["Location"] == "/sign-in"
    assert TOLD not in client.get("/sign-in").content.decode()
