"""A reviewer at the desk by the keyboard, a manager at the queue's page, and how both look."""

import pytest
from django.contrib.sessions.models import Session
from selenium.webdriver.common.keys import Keys

from labeling.accounts.actions import set_password
from labeling.labels.actions.screens import DESK_SLOT
from labeling.labels.models import Escalation, ItemState, Lease, Verdict, VerdictMode
from labeling.projects.models import GuidelineVersion, LabelClass, Role
from labeling.review.actions.queue import claim
from labeling.review.models import Return
from tests.browser.person import DESK, PHONE
from tests.labeling.factories import add_member
from tests.labeling.review.desk.escalations import answer, flag_text, item_of, make_team, person, skip_text, split

PASSWORD = "a long word for the test 7"
LOOKS = [(DESK, "light"), (DESK, "dark"), (PHONE, "light")]


@pytest.fixture
def project(staff):
    """Three texts on the desk: disputed, flagged, skipped by all."""
    project = make_team()
    add_member(project, staff, Role.MANAGER)
    GuidelineVersion.objects.create(project=project, text="# In doubt\n\n- neutral")
    split(project)
    flag_text(project)
    skip_text(project)
    return project


@pytest.fixture
def desk(reader, project):
    reader.open(f"/p/{project.slug}/adjudicate?kind=")
    return reader


def _shown(desk):
    return desk.text("#text")


def _now(desk):
    """The text, or nothing where the desk is empty."""
    return desk.chrome.execute_script("return document.getElementById('text')?.innerText ?? ''")


def _last(project):
    return Verdict.objects.filter(item__project=project, mode=VerdictMode.ADJUDICATED).latest("id")


def test_a_class_key_decides_with_its_finding_and_note(desk, project):
    text = _shown(desk)
    desk.key(".")
    desk.key(" ")
    desk.key("c")
    desk.key("Sarcasm 1")  # in the note a digit is a digit
    assert item_of(project, text).state == ItemState.OPEN
    desk.find("#finding-0").click()
    desk.key("2")
    desk.until(lambda: _now(desk) != text)
    verdict = _last(project)
    assert (verdict.item.sample.text, verdict.label_class.name) == (text, "neutral")
    assert (verdict.finding, verdict.note, verdict.elapsed_ms > 0) == ("ambiguous", "Sarcasm 1", True)


def test_c12_a_note_and_its_finding_outlive_the_session(reader, staff, project):
    """They are kept until they were stored."""
    set_password(user=staff, password=PASSWORD)
    reader.sign_in(staff)
    reader.open(f"/p/{project.slug}/adjudicate?kind=")
    text = _shown(reader)
    reader.find("#finding-1").click()
    reader.fill("#note", "Two sentences, two feelings")
    Session.objects.all().delete()
    reader.find(".class-buttons button").click()
    reader.until(lambda: "/sign-in?next=/p/" in reader.path)
    assert Verdict.objects.filter(mode=VerdictMode.ADJUDICATED).count() == 0
    reader.fill("#id_username", staff.username)
    reader.find("#id_password").send_keys(PASSWORD, Keys.ENTER)
    reader.until(lambda: _now(reader) == text)
    assert reader.find("#note").get_property("value") == "Two sentences, two feelings"
    assert reader.find("#finding-1").is_selected()
    reader.find(".class-buttons button").click()
    reader.until(lambda: _now(reader) != text)
    verdict = _last(project)
    assert (verdict.note, verdict.finding) == ("Two sentences, two feelings", "guideline")
    assert [one for one in reader.chrome.execute_script("return Object.keys(sessionStorage)") if "draft" in one] == []
    reader.key("u")
    reader.until(lambda: _now(reader) == text)
    assert reader.find("#note").get_property("value") == ""


def test_c12_what_is_said_of_a_correction_outlives_the_session(reader, staff):
    """It is kept until the correction was stored, and is not said again of the next one."""
    set_password(user=staff, password=PASSWORD)
    project = make_team()
    add_member(project, staff, Role.REVIEWER)
    for name in ("ann", "bea"):
        answer(project, "plain text", name, "positive")
    reader.sign_in(staff)
    page = f"/p/{project.slug}/adjudicate/correct/{item_of(project, 'plain text').pk}"
    reader.open(page)
    reader.find("#finding-2").click()
    reader.fill("#note", "It is irony")
    Session.objects.all().delete()
    reader.find(".class-buttons button").click()
    reader.until(lambda: "/sign-in?next=/p/" in reader.path)
    reader.fill("#id_username", staff.username)
    reader.find("#id_password").send_keys(PASSWORD, Keys.ENTER)
    reader.until(lambda: reader.path == page)
    assert reader.find("#note").get_property("value") == "It is irony"
    reader.find(".class-buttons button").click()
    reader.until(lambda: "/samples/" in reader.path)
    verdict = _last(project)
    assert (verdict.note, verdict.finding) == ("It is irony", "mistake")
    reader.open(page)
    assert reader.find("#note").get_property("value") == ""


def test_what_is_begun_stays_while_the_votes_are_looked_at(desk, project):
    desk.fill("#note", "Begun")
    desk.key(Keys.TAB)
    desk.key("v")
    desk.until(lambda: desk.all(".desk-votes"))
    assert desk.find("#note").get_property("value") == "Begun"


def test_three_texts_three_keys_then_nothing_and_undo(desk, project):
    seen = []
    for key in "123":
        seen.append(_shown(desk))
        desk.key(key)
        desk.until(lambda: _now(desk) not in seen)
    desk.read("The desk is empty")
    assert sorted(seen) == ["flagged text", "skipped text", "split text"]
    desk.key("u")
    desk.until(lambda: _now(desk) == seen[-1])
    assert item_of(project, seen[-1]).state == ItemState.OPEN


def test_later_goes_round(desk):
    seen = []
    for _ in range(3):
        seen.append(_shown(desk))
        desk.key("s")
        desk.until(lambda: _now(desk) != seen[-1])
    assert (len(set(seen)), _shown(desk)) == (3, seen[0])


def test_a_harsh_text_is_blurred_until_it_has_the_focus(reader, project):
    project.is_harsh = True
    project.save()
    reader.open(f"/p/{project.slug}/adjudicate")
    text = reader.find("#text")
    assert text.value_of_css_property("filter") != "none"
    reader.chrome.execute_script("arguments[0].focus()", text)
    assert text.value_of_css_property("filter") == "none"


def test_sending_back_by_the_keyboard(desk, project):
    desk.open(f"/p/{project.slug}/adjudicate?kind={Escalation.CONFLICT}")
    desk.key("f")
    desk.choose("#to", "ann")
    desk.click("#back form button")
    assert desk.find("#reason").get_property("validity")["valueMissing"]
    desk.fill("#reason", "Read it to the end")
    desk.click("#back form button")
    desk.read("None of this kind")
    back = Return.objects.get()
    assert (back.to.username, back.reason) == ("ann", "Read it to the end")


def test_a_text_sent_back_by_mistake_comes_back_by_one_key(desk, project):
    desk.open(f"/p/{project.slug}/adjudicate?kind={Escalation.CONFLICT}")
    desk.key("f")
    desk.click("#back form button")
    desk.read("None of this kind")
    assert item_of(project, "split text").escalation == ""
    desk.key("u")
    desk.until(lambda: _now(desk) == "split text")
    assert item_of(project, "split text").escalation == Escalation.CONFLICT


def test_a_class_is_found_by_its_name_at_the_desk(reader, project):
    for number in range(12):
        LabelClass.objects.create(project=project, name=f"class {chr(97 + number)}", slot=number, position=10 + number)
    reader.open(f"/p/{project.slug}/adjudicate")
    for _time in range(2):  # the second text came without a new page
        text = _shown(reader)
        reader.key("/")
        reader.find("#finder-text").send_keys("ss k")
        assert reader.text("#finder-list") == "class k"
        reader.key(Keys.ENTER)
        reader.until(lambda text=text: _now(reader) != text)
        assert _last(project).label_class.name == "class k"


def test_a_page_that_is_left_frees_its_text_for_other_reviewers(desk, project):
    desk.find("#text")
    assert Lease.objects.filter(slot=DESK_SLOT).count() == 1
    desk.open("/account/keys")
    desk.until(lambda: not Lease.objects.filter(slot=DESK_SLOT).exists())


def test_a_manager_frees_and_gives_back(reader, project):
    claim(project=project, user_id=person(project, "bea").pk)
    reader.open(f"/p/{project.slug}/queue?show=flagged")
    reader.read("bea")
    reader.press("Free")
    reader.read("Nobody has a text on the screen")
    reader.click(".desk-list .desk-line")
    reader.fill("#reason", "Discussed")
    reader.press("Back to the queue")
    reader.read("Nobody has flagged a text that still waits")
    assert item_of(project, "flagged text").escalation == ""


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_desk_and_the_queue_are_fit_to_be_read(reader, project, size, scheme):
    reader.look(size, scheme)
    found = {}
    for path in ("adjudicate", "queue?show=skipped", "queue?show=assigned"):
        reader.open(f"/p/{project.slug}/{path}")
        reader.find("#desk, #queue")
        found[path] = (reader.flaws(), reader.overflow())
    assert set(map(str, found.values())) == {str(([], 0))}
