"""What pages show only while somebody works on them, in both themes: axe finds nothing in any of it."""

import pytest
from django.contrib.sessions.models import Session
from selenium.webdriver.common.keys import Keys

from labeling.accounts.actions import set_password
from labeling.labels.actions.returns import escalate
from labeling.labels.models import Escalation, ReviewItem
from tests.browser.person import DESK
from tests.browser.reviewing import bad_network, excuse, let_vote, open_review, press, reviewing

NAMES = [f"kind {number:02}" for number in range(1, 21)]
PASSWORD = "a long word for the test 7"
TOAST = """
const toasts = [{ level: arguments[0], text: `${arguments[0]}: try again, or reload the page.` }];
document.dispatchEvent(new CustomEvent("toasts", { detail: { toasts } }));
"""


@pytest.fixture
def project(staff):
    """More classes than digits, votes on every text, and a text on the desk."""
    project = reviewing(staff, texts=60, classes=NAMES)
    for position, key in enumerate("123456789abdehijklmn"):
        project.classes.filter(position=position).update(key=key if position < 15 else "")
    let_vote(project)
    escalate(project=project, item_id=ReviewItem.objects.latest("id").pk, why=Escalation.FLAGGED)
    return project


@pytest.fixture(params=["light", "dark"])
def states(request, reader):
    """{name: what axe found}; each test looks at what it has brought about."""
    reader.look(DESK, request.param)
    found = {}

    def note(name):
        found[name] = reader.flaws()

    reader.note = note
    return found


def fine(*names):
    return {name: [] for name in names}


def test_dialogs_of_the_review_screen(reader, states, project):
    open_review(reader, project)
    reader.key("?")
    reader.find("#keys")
    reader.note("keys")
    reader.key(Keys.ESCAPE)
    reader.key("/")
    reader.find("#finder-text").send_keys("kind 1")
    reader.until(lambda: len(reader.all("#finder-list li")) == 10)
    reader.note("finder")
    reader.find("#finder-text").send_keys("zebra")
    reader.find("#finder-none")
    reader.note("finder with no class")
    assert states == fine("keys", "finder", "finder with no class")


def test_parts_of_the_review_screen_that_open(reader, states, project):
    open_review(reader, project)
    for key, css in {"f": "#flag-note", "c": "#comment-text"}.items():
        reader.key(key)
        reader.find(css)
        reader.note(css)
        reader.find(css).send_keys(Keys.ESCAPE)
    for key, css in {"g": "#guideline .guide-text", "v": "[data-votes]"}.items():
        reader.key(key)
        reader.find(css)
        reader.note(css)
    for level in ("error", "warning", "success", "info"):
        reader.chrome.execute_script(TOAST, level)
    reader.find(".toast-error")
    reader.note("toasts")
    assert states == fine("#flag-note", "#comment-text", "#guideline .guide-text", "[data-votes]", "toasts")


def test_a_text_under_its_veil(reader, states, project):
    project.is_harsh = True
    project.save()
    open_review(reader, project)
    reader.find(".veil")
    reader.note("veil")
    reader.key("1")
    reader.find(".veil.is-asking")
    reader.note("asking veil")
    assert states == fine("veil", "asking veil")


def test_what_waits_without_a_network(reader, states, project):
    open_review(reader, project)
    with bad_network(reader, offline=True):
        press(reader, "1")
        reader.read("Offline · 1 decision waiting", "#outbox")
        reader.note("offline")
    excuse(reader, "ERR_INTERNET_DISCONNECTED")
    assert states == fine("offline")


def test_signing_in_again(reader, states, project, staff):
    set_password(user=staff, password=PASSWORD)
    reader.sign_in(staff)
    open_review(reader, project)
    Session.objects.all().delete()
    press(reader, "1")
    reader.find("#again-password")
    reader.note("sign in again")
    reader.find("#again-password").send_keys("wrong", Keys.ENTER)
    reader.read("not right", "#again")
    reader.note("a wrong password")
    excuse(reader, "401 (Unauthorized)", "422 (Unprocessable")
    assert states == fine("sign in again", "a wrong password")


def test_the_desk_with_everything_open(reader, states, project):
    reader.open(f"/p/{project.slug}/adjudicate")
    reader.key(".")
    reader.key("g")
    reader.key("f")
    reader.find("#back select")
    reader.note("desk")
    reader.key(Keys.TAB)
    reader.chrome.execute_script("document.activeElement.blur()")
    reader.key("?")
    reader.find("#keys")
    reader.note("keys")
    reader.key(Keys.ESCAPE)
    reader.key("/")
    reader.find("#finder-text")
    reader.note("finder")
    assert states == fine("desk", "keys", "finder")


def test_the_grid_with_its_last_confirmation_and_its_keys(reader, states, project):
    reader.open(f"/p/{project.slug}/label/triage")
    reader.key(Keys.ENTER)
    reader.find(".triage-last")
    reader.note("confirmed")
    reader.key("?")
    reader.find("#keys")
    reader.note("keys")
    assert states == fine("confirmed", "keys")


def test_a_question_before_something_happens(reader, states, project):
    reader.open(f"/p/{project.slug}/settings")
    reader.click(".class-summary")
    reader.click("[data-confirm]")
    reader.find("#confirm")
    reader.note("confirm")
    assert states == fine("confirm")
