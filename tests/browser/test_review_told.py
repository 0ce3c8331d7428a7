"""Nothing that a person decided changes, waits or is lost unheard: what the page tells, here and on other pages."""

from uuid import uuid4

import pytest
from selenium.webdriver.common.keys import Keys

from labeling.labels.actions import decide
from labeling.labels.models import Lease, Sight, Verdict
from labeling.review.models import Comment
from tests.browser.reviewing import (
    answers,
    excuse,
    items_there,
    let_vote,
    open_review,
    press,
    reviewing,
    saved,
    shown,
    waiting,
)
from tests.labeling.factories import add_member, make_user

SENDING = "*/label/send"
LOSE_ONE_ANSWER = """
const real = window.fetch;
let isLost = false;
window.fetch = async (...asked) => {
  const answer = await real(...asked);
  if (isLost || !String(asked[0]).endsWith("/label/send")) return answer;
  isLost = true;
  throw new TypeError("the answer got lost");
};
"""
REFUSED_ON_THE_WAY = """
window.real = window.fetch;
window.fetch = async () => new Response("<h1>Blocked</h1>", {status: 403, headers: {"Content-Type": "text/html"}});
"""
LOOK_AGAIN = "dispatchEvent(new Event('online'))"


def let_another_have(project, item_id, name=""):
    """Another person takes the text over, and decides it for the class of that name."""
    other = add_member(project, make_user("another")).user
    Lease.objects.filter(item=item_id).update(user=other)
    if name:
        chosen = project.classes.get(name=name)
        decide(item_id=item_id, project=project, user_id=other.pk, class_id=chosen.pk, client_id=uuid4())


@pytest.fixture
def mute(reader):
    """A reader whose pages reach everything but the address that decisions are sent to, until `hears`."""
    reader.chrome.execute_cdp_cmd("Network.enable", {})
    reader.chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": [SENDING]})
    yield reader
    hears(reader)
    excuse(reader, "ERR_BLOCKED_BY_CLIENT", "Failed to load resource")


def hears(reader):
    reader.chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})


def test_c08_a_text_that_somebody_else_had_decided(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    let_another_have(project, item, "positive")
    press(reader, "1")
    reader.read("another had decided this text meanwhile: “positive”. Your answer, “negative”, is kept", "#toasts")
    saved(reader)
    assert answers() == {item: "positive"}


def test_c08_it_is_told_also_where_the_first_answer_got_lost(reader, staff):
    """The page asks again, and hears of it then."""
    project = reviewing(staff)
    item = open_review(reader, project)
    let_another_have(project, item, "positive")
    reader.chrome.execute_script(LOSE_ONE_ANSWER)
    press(reader, "1")
    reader.read("another had decided this text meanwhile", "#toasts")
    saved(reader)
    assert Verdict.objects.filter(user=staff, is_stale=True).count() == 1


def test_c08_what_waited_here_while_the_same_person_answered_elsewhere(mute, staff):
    """A laptop without a network, and a phone: the later of the two answers stands."""
    reader, project = mute, reviewing(staff)
    reader.open(f"/p/{project.slug}/label")
    item = press(reader, "1")
    reader.read("1 decision waiting", "#outbox")
    by_phone = {"class_id": project.classes.get(name="neutral").pk, "client_id": uuid4()}
    decide(item_id=item, project=project, user_id=staff.pk, **by_phone)
    hears(reader)
    reader.chrome.execute_script(LOOK_AGAIN)
    reader.read("You have answered this text elsewhere since: “neutral”", "#toasts")
    saved(reader)
    assert answers() == {item: "neutral"}


def test_c14_a_class_that_was_renamed_meanwhile(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    project.classes.filter(name="neutral").update(name="mixed $&")
    press(reader, "2")
    reader.read("“neutral” is called “mixed $&” now. Your answer counts as that", "#toasts")
    saved(reader)
    assert answers() == {item: "mixed $&"}


def test_a_text_that_goes_while_a_note_is_written_takes_no_letters_for_keys(reader, staff):
    """The note stays open and stays about its text; the text on the screen is neither decided nor skipped."""
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.key("c")
    reader.find("#comment-text").send_keys("Half a ")
    let_another_have(project, item)
    reader.chrome.execute_script(LOOK_AGAIN)
    reader.until(lambda: items_there(reader) not in ([], [item]))
    following = shown(reader)
    reader.chrome.switch_to.active_element.send_keys("sentence 1 2 3 s", Keys.ENTER)
    saved(reader)
    assert [(one.item_id, one.text) for one in Comment.objects.all()] == [(item, "Half a sentence 1 2 3 s")]
    assert (answers(), shown(reader)) == ({}, following)
    assert press(reader, "1") == following


def test_c47_votes_seen_before_a_reload_were_seen(reader, staff):
    project = reviewing(staff, texts=3)
    let_vote(project)
    item = open_review(reader, project)
    reader.key("v")
    open_review(reader, project)
    others = {press(reader, "1") for _text in range(3)} - {item}
    saved(reader)
    seen = dict(Verdict.objects.values_list("item_id", "has_seen_votes"))
    assert seen == {item: True} | dict.fromkeys(others, False)


def test_c47_votes_seen_before_a_skip_were_seen(reader, staff):
    project = reviewing(staff)
    let_vote(project)
    item = open_review(reader, project)
    reader.key("v")
    press(reader, "s")
    press(reader, "s")
    saved(reader)
    assert list(Sight.objects.values_list("item", "user")) == [(item, staff.pk)]


def test_a_refusal_on_the_way_is_no_answer_of_the_site(reader, staff):
    """A proxy's page says nothing about the person: the decision waits and is sent by itself."""
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.chrome.execute_script(REFUSED_ON_THE_WAY)
    press(reader, "2")
    reader.read("The server does not answer · 1 decision waiting", "#outbox")
    reader.chrome.execute_script("window.fetch = window.real")
    saved(reader)
    assert answers() == {item: "neutral"}


def test_a_tab_hears_what_became_of_what_another_one_sent(mute, staff):
    reader, project = mute, reviewing(staff)
    reader.open(f"/p/{project.slug}/label")
    first = reader.chrome.current_window_handle
    item = press(reader, "1")
    reader.read("The server does not answer · 1 decision waiting", "#outbox")
    reader.chrome.switch_to.new_window("tab")
    open_review(reader, project)
    saved(reader)
    reader.chrome.close()
    reader.chrome.switch_to.window(first)
    reader.until(lambda: reader.all(".last-saved:not(.is-waiting)"))
    assert answers() == {item: "negative"}


def test_c09_what_waits_is_told_on_every_other_page_and_before_signing_out(mute, staff):
    reader, project = mute, reviewing(staff)
    reader.open(f"/p/{project.slug}/label")
    item = press(reader, "1")
    reader.read("1 decision waiting", "#outbox")
    reader.open("/")
    reader.read(f"1 decision in “{project.name}” waits in this browser to be sent.", "#unsent")
    assert reader.flaws() == []
    reader.click(".menu > summary")
    reader.until(lambda: reader.all("[data-sign-out][data-confirm]"))
    reader.click("[data-sign-out]")
    reader.read("They stay here, and are sent when you sign in here again", "#confirm")
    reader.key(Keys.ESCAPE)
    hears(reader)
    reader.click("#unsent a")
    reader.until(lambda: waiting(reader) == 0)
    assert answers() == {item: "negative"}
    reader.open("/")
    assert not reader.chrome.find_element("css selector", "#unsent").is_displayed()


def test_who_was_asked_to_sign_in_again_and_waved_it_off_finds_a_button(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.chrome.delete_cookie("sessionid")
    press(reader, "1")
    reader.until(lambda: reader.all("#again[open]"))
    reader.key(Keys.ESCAPE)
    reader.until(lambda: not reader.all("#again[open]"))
    reader.press("Sign in")
    reader.until(lambda: reader.all("#again[open]"))
    reader.sign_in(staff)
    reader.click("#unsent a")
    saved(reader)
    assert answers() == {item: "negative"}
    excuse(reader, "401 (Unauthorized)")


def test_the_split_of_the_votes_stands_beside_why_a_text_is_here(reader, staff):
    project = reviewing(staff)
    let_vote(project)
    open_review(reader, project)
    assert reader.text(".card-why") == "The specialists disagree 1:1:1"
