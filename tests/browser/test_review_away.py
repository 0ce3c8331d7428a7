"""Decisions outlive a network, a session, a server and a tab that are away: each arrives, and once (C09, C12)."""

from django.contrib.sessions.models import Session
from selenium.webdriver.common.keys import Keys

from labeling.accounts.actions import set_password
from labeling.labels.models import Lease, Verdict
from labeling.projects.models import LabelClass
from tests.browser.reviewing import (
    answers,
    bad_network,
    excuse,
    items_there,
    open_review,
    press,
    reviewing,
    saved,
    shown,
    waiting,
)
from tests.labeling.factories import add_member, make_user

PASSWORD = "a long word for the test 7"
NO_HELP = """
delete Navigator.prototype.locks;
delete window.BroadcastChannel;
IDBFactory.prototype.open = () => { throw new Error("forbidden") };
"""


def in_order():
    """The items of all decisions that were stored, in their order."""
    return list(Verdict.objects.order_by("id").values_list("item_id", flat=True))


def test_c09_a_network_that_is_away(reader, staff):
    """What is decided meanwhile waits, as long as it takes; the texts that the page holds can be worked on."""
    project = reviewing(staff)
    open_review(reader, project)
    with bad_network(reader, offline=True):
        said = {press(reader, "1"): "negative", press(reader, "2"): "neutral", press(reader, "3"): "positive"}
        reader.read("Offline · 3 decisions waiting", "#outbox")
        reader.key("1")  # there is no text on the screen
        assert (waiting(reader), Verdict.objects.count()) == (3, 0)
    saved(reader)
    assert answers() == said
    assert in_order() == list(said)
    reader.until(lambda: not reader.chrome.find_element("css selector", "#outbox").is_displayed())
    assert shown(reader) not in said
    excuse(reader, "ERR_INTERNET_DISCONNECTED")


def test_c09_an_undo_without_a_network(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    with bad_network(reader, offline=True):
        press(reader, "1")
        reader.key("u")
        reader.until(lambda: items_there(reader) == [item])
        press(reader, "3")
    saved(reader)
    assert answers() == {item: "positive"}
    excuse(reader, "ERR_INTERNET_DISCONNECTED")


def test_c09_a_server_that_does_not_answer(reader, staff):
    """As while it restarts: the address is there, and nobody answers."""
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.chrome.execute_cdp_cmd("Network.enable", {})
    reader.chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/label/send"]})
    press(reader, "2")
    reader.read("The server does not answer · 1 decision waiting", "#outbox")
    reader.chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    saved(reader)
    assert answers() == {item: "neutral"}
    excuse(reader, "ERR_BLOCKED_BY_CLIENT", "Failed to load resource")


def test_c12_a_session_that_ended(reader, staff):
    """Signing in again in place: the text stays on the screen, and the decision arrives."""
    set_password(user=staff, password=PASSWORD)
    reader.sign_in(staff)
    project = reviewing(staff)
    item = open_review(reader, project)
    Session.objects.all().delete()
    press(reader, "1")
    reader.until(lambda: reader.all("#again[open]"))
    following = shown(reader)
    assert "Sign in again: nothing is lost · 1 decision waiting" in reader.text("#outbox")
    reader.find("#again-password").send_keys("wrong", Keys.ENTER)
    reader.read("not right", "#again")
    reader.fill("#again-password", PASSWORD)
    reader.key(Keys.ENTER)
    saved(reader)
    assert answers() == {item: "negative"}
    assert shown(reader) == following
    assert press(reader, "3") == following
    saved(reader)
    assert answers() == {item: "negative", following: "positive"}
    excuse(reader, "401 (Unauthorized)", "422 (Unprocessable", "403 (Forbidden)")


def test_c12_somebody_else_signs_in_beside_a_waiting_page(reader, staff):
    """Decisions of one person never become another's, however often the page tries; they wait for their own."""
    project = reviewing(staff)
    other = add_member(project, make_user("other")).user
    item = open_review(reader, project)
    page = reader.chrome.current_window_handle
    reader.chrome.switch_to.new_window("tab")
    reader.sign_in(other)
    theirs = reader.chrome.current_window_handle
    reader.chrome.switch_to.window(page)
    press(reader, "1")
    second = press(reader, "2")
    reader.read("Somebody else is signed in here now", "#outbox")
    press(reader, "3")
    reader.chrome.execute_script("dispatchEvent(new Event('online'))")
    reader.until(lambda: "3 decisions waiting" in reader.text("#outbox"))
    reader.chrome.switch_to.window(theirs)
    reader.chrome.delete_all_cookies()
    reader.sign_in(staff)
    reader.chrome.switch_to.window(page)
    reader.chrome.execute_script("dispatchEvent(new Event('online'))")
    saved(reader)
    assert dict(Verdict.objects.values_list("item_id", "user__username"))[item] == staff.username
    assert (answers()[second], Verdict.objects.filter(user=other).count()) == ("neutral", 0)
    assert Verdict.objects.count() == 3
    excuse(reader, "401 (Unauthorized)", "403 (Forbidden)")


def test_c12_a_reload_while_decisions_wait(reader, staff):
    """The next page of the same person sends what the last one could not, and does not ask for it again."""
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.chrome.execute_cdp_cmd("Network.enable", {})
    reader.chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/label/send"]})
    press(reader, "2")
    reader.read("1 decision waiting", "#outbox")
    reader.chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    open_review(reader, project)
    saved(reader)
    reader.until(lambda: shown(reader) != item)
    assert answers() == {item: "neutral"}
    excuse(reader, "ERR_BLOCKED_BY_CLIENT", "Failed to load resource")


def test_no_key_is_lost_to_a_slow_server(reader, staff):
    project = reviewing(staff, texts=8)
    open_review(reader, project)
    with bad_network(reader, latency=1_000):
        said = [press(reader, "123"[number % 3]) for number in range(8)]
    saved(reader)
    names = ("negative", "neutral", "positive")
    assert answers() == {item: names[number % 3] for number, item in enumerate(said)}
    assert in_order() == said


def test_two_tabs_share_what_is_done(reader, staff):
    """What one tab decides leaves the other; both can go on, and nothing is decided twice."""
    project = reviewing(staff, texts=4)
    open_review(reader, project)
    first = reader.chrome.current_window_handle
    reader.chrome.switch_to.new_window("tab")
    open_review(reader, project)
    said = {press(reader, "1"): "negative", press(reader, "2"): "neutral"}
    saved(reader)
    reader.chrome.close()
    reader.chrome.switch_to.window(first)
    reader.until(lambda: items_there(reader) and shown(reader) not in said)
    said |= {press(reader, "3"): "positive", press(reader, "3"): "positive"}
    saved(reader)
    reader.read("All reviewed")
    assert answers() == said
    assert Verdict.objects.count() == 4


def test_leaving_frees_the_texts(reader, staff):
    project = reviewing(staff)
    open_review(reader, project)
    assert Lease.objects.count() == 3
    reader.open(f"/p/{project.slug}/")
    reader.until(lambda: not Lease.objects.exists())


def test_nothing_to_undo_says_so_and_stays(reader, staff):
    project = reviewing(staff, texts=1)
    item = open_review(reader, project)
    press(reader, "1")
    reader.read("All reviewed")
    reader.key("u")
    reader.until(lambda: items_there(reader) == [item])
    reader.key("u")
    reader.until(lambda: reader.text("#toasts") != " ")
    assert shown(reader) == item
    assert press(reader, "2") == item
    saved(reader)
    assert answers() == {item: "neutral"}


def test_a_browser_that_forbids_storage(reader, staff):
    """No locks (plain HTTP), no channel, no database: the page still decides, and each decision once."""
    project = reviewing(staff)
    made = reader.chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NO_HELP})
    try:
        reader.open(f"/p/{project.slug}/label")
        done = [press(reader, "1") for _text in range(3)]
        reader.until(lambda: Verdict.objects.count() == 3)
        reader.key("u")
        reader.until(lambda: items_there(reader) == [done[-1]])
        reader.until(lambda: len(answers()) == 2)
    finally:
        reader.chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)
    assert answers() == dict.fromkeys(done[:2], "negative")


def test_c14_new_classes_come_to_the_page(reader, staff):
    project = reviewing(staff)
    first = open_review(reader, project)
    LabelClass.objects.create(project=project, name="mixed", key="4", slot=3, position=3)
    press(reader, "1")
    reader.read("mixed", "#classes")
    second = press(reader, "4")
    saved(reader)
    assert answers() == {first: "negative", second: "mixed"}


def test_c14_a_class_that_was_retired_meanwhile(reader, staff):
    """The answer is kept as too late; the text comes back to be decided with the classes of now."""
    project = reviewing(staff, texts=1)
    item = open_review(reader, project)
    project.classes.filter(name="neutral").update(is_retired=True)
    press(reader, "2")
    reader.until(lambda: items_there(reader) == [item])
    reader.until(lambda: "neutral" not in reader.text("#classes"))
    assert answers() == {}
    press(reader, "3")
    saved(reader)
    assert answers() == {item: "positive"}
    assert Verdict.objects.filter(is_stale=True).count() == 1


LEAVE_AT_ONCE = """
// The disk is slower than the hand: nothing is sent before it is stored.
IDBObjectStore.prototype.add = () => ({addEventListener() {}});
const [key, away] = arguments;
document.body.dispatchEvent(new KeyboardEvent("keydown", {key, code: `Digit${key}`, bubbles: true}));
location.href = away;
"""


def test_what_is_decided_in_the_moment_of_leaving_is_sent_with_the_page(reader, staff):
    """No other page of the project is opened afterwards: nothing but the page that goes can have sent it."""
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.chrome.execute_script(LEAVE_AT_ONCE, "2", f"{reader.address}/account/keys")
    reader.until(lambda: answers() == {item: "neutral"})
    assert reader.path == "/account/keys"
    reader.until(lambda: not Lease.objects.exists())


COMMENT = """
const [size, count] = arguments;
const form = document.querySelector("[data-do=comment]");
const text = form.elements.text;
text.removeAttribute("maxlength");
for (let number = 0; number < count; number += 1) {
  text.value = ("x".repeat(99) + " ").repeat(size / 100);  // one word would take seconds to lay out
  form.requestSubmit();
}
"""


def test_c09_more_than_a_letter_takes_goes_in_several(reader, staff):
    """Together they are too much for the server; each is answered, the decision behind them too."""
    project = reviewing(staff)
    item = open_review(reader, project)
    with bad_network(reader, offline=True):
        reader.chrome.execute_script(COMMENT, 30_000, 60)
        press(reader, "1")
        reader.read("Offline · 61 decisions waiting", "#outbox")
    saved(reader)
    assert answers() == {item: "negative"}
    excuse(reader, "ERR_INTERNET_DISCONNECTED")


def test_c09_what_is_too_large_for_any_letter_stays_here_and_keeps_nothing_back(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.chrome.execute_script(COMMENT, 1_200_000, 1)
    reader.read("It was not sent, and stays in this browser.", ".toast")
    press(reader, "2")
    reader.until(lambda: answers() == {item: "neutral"})
    reader.until(lambda: waiting(reader) == 1)  # kept


KEPT_IN_MEMORY = """
const add = IDBObjectStore.prototype.add;
let count = 0;
IDBObjectStore.prototype.add = function (...given) {
  count += 1;
  if (count === 2) throw new DOMException("no room", "QuotaExceededError");
  return add.apply(this, given);
};
"""


def test_c09_what_the_browser_could_not_store_keeps_its_place(reader, staff):
    project = reviewing(staff)
    open_review(reader, project)
    reader.chrome.execute_script(KEPT_IN_MEMORY)
    with bad_network(reader, offline=True):
        said = [press(reader, key) for key in "123"]
        reader.read("Offline · 3 decisions waiting", "#outbox")
    saved(reader)
    reader.until(lambda: len(in_order()) == 3)
    assert in_order() == said
    excuse(reader, "ERR_INTERNET_DISCONNECTED")
