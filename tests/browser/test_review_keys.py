"""The review screen by its keys: decide, go back, skip, flag, comment, look around."""

import pytest
from selenium.webdriver.common.keys import Keys

from labeling.labels.models import ReviewItem, Verdict
from labeling.review.models import Comment, Flag, Preferences, Skip
from labeling.review.queries import cards
from tests.browser.reviewing import (
    CARD,
    answers,
    bad_network,
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

NAMES = {"1": "negative", "2": "neutral", "3": "positive"}
EVERYTHING = """
const done = arguments[arguments.length - 1];
const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
(async () => {
  for (const key of arguments[0]) {
    const code = /[0-9]/.test(key) ? `Digit${key}` : `Key${key.toUpperCase()}`;
    document.body.dispatchEvent(new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true}));
    await painted();
  }
  done();
})();
"""


def press_all(person, keys):
    """Press a key with each picture that the browser paints: faster than anybody can."""
    person.chrome.execute_async_script(EVERYTHING, list(keys))


def test_c02_one_key_decides_and_shows_the_next_text(reader, staff):
    project = reviewing(staff)
    open_review(reader, project)
    said = {press(reader, key): NAMES[key] for key in "123"}
    saved(reader)
    assert answers() == said
    assert Verdict.objects.count() == 3
    assert all(ms is not None for ms in Verdict.objects.values_list("elapsed_ms", flat=True))
    assert shown(reader) not in said
    reader.until(lambda: "3 today" in reader.text("#progress"))


def test_c01_the_next_text_is_there_without_the_server(reader, staff):
    """Three texts are held: two keys in one breath change the screen twice before the server has answered the first."""
    project = reviewing(staff)
    first = open_review(reader, project)
    with bad_network(reader, latency=3_000):
        press_all(reader, "1")
        second = shown(reader)
        press_all(reader, "2")
        assert len({first, second, shown(reader)}) == 3
        assert waiting(reader) == 2
    saved(reader)
    assert answers() == {first: "negative", second: "neutral"}


@pytest.mark.slow
def test_c11_the_last_of_200_changes_counts(reader, staff):
    project = reviewing(staff, texts=2)
    item = open_review(reader, project)
    keys = ["123"[n % 3] for n in range(200)]
    for start in range(0, 200, 20):
        for key in keys[start : start + 19]:
            press(reader, key)
            reader.key("u")
            reader.until(lambda: shown(reader) == item)
        press(reader, keys[start + 19])
        saved(reader)
        assert answers() == {item: NAMES[keys[start + 19]]}
        reader.key("u")
        reader.until(lambda: shown(reader) == item)
    saved(reader)
    assert answers() == {}
    assert Verdict.objects.filter(is_undo=False).count() == 200


def test_c16_undo_brings_back_text_after_text(reader, staff):
    project = reviewing(staff, texts=14)
    open_review(reader, project)
    done = [press(reader, "1") for _text in range(12)]
    for item in reversed(done):
        reader.key("u")
        reader.until(lambda item=item: items_there(reader) == [item])
    saved(reader)
    assert answers() == {}


def test_c16_undo_works_across_a_reload(reader, staff):
    project = reviewing(staff)
    open_review(reader, project)
    done = [press(reader, "1") for _text in range(2)]
    press(reader, "s")
    saved(reader)
    skipped = Skip.objects.get().item_id
    open_review(reader, project)
    for item in (skipped, *reversed(done)):
        reader.key(Keys.BACKSPACE)
        reader.until(lambda item=item: items_there(reader) == [item])
        saved(reader)
    assert answers() == {}
    assert not Skip.objects.filter(ended_at=None).exists()
    assert press(reader, "3") == done[0]
    saved(reader)
    assert answers() == {done[0]: "positive"}


def test_flag_with_a_word(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.key("f")
    reader.find("#flag-note").send_keys("Two languages 1 2 3", Keys.ENTER)
    reader.until(lambda: items_there(reader) not in ([item], []))
    saved(reader)
    assert [(one.item_id, one.note) for one in Flag.objects.all()] == [(item, "Two languages 1 2 3")]
    assert answers() == {}
    reader.key("u")
    reader.until(lambda: items_there(reader) == [item])
    saved(reader)
    assert not Flag.objects.filter(ended_at=None).exists()
    assert ReviewItem.objects.get(pk=item).escalation == ""


def test_a_comment_stays_with_its_text(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.key("c")
    reader.find("#comment-text").send_keys("One line", Keys.SHIFT, Keys.ENTER, Keys.NULL, "and another", Keys.ENTER)
    saved(reader)
    assert [(one.item_id, one.text) for one in Comment.objects.all()] == [(item, "One line\nand another")]
    assert shown(reader) == item
    assert press(reader, "1") == item


def test_escape_closes_a_note_and_keys_work_again(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.key("f")
    reader.find("#flag-note").send_keys("no", Keys.ESCAPE)
    assert press(reader, "1") == item
    saved(reader)
    assert (Flag.objects.count(), answers()) == (0, {item: "negative"})


def test_votes_are_shown_on_demand_and_that_is_told(reader, staff):
    project = reviewing(staff)
    let_vote(project)
    first = open_review(reader, project)
    assert not reader.chrome.find_element("css selector", "[data-votes]").is_displayed()
    reader.key("v")
    assert "50%" in reader.text("[data-votes]")
    press(reader, "1")
    second = press(reader, "1")
    saved(reader)
    seen = dict(Verdict.objects.values_list("item_id", "has_seen_votes"))
    assert seen == {first: True, second: False}


@pytest.mark.parametrize(("kept", "told", "is_seen"), [(0, "50%", True), (256, "kept back", False)])
def test_votes_are_asked_for_while_a_text_of_the_frame_waits(reader, staff, monkeypatch, kept, told, is_seen):
    monkeypatch.setattr(cards, "KEPT_BACK", kept)
    project = reviewing(staff)
    let_vote(project)
    ReviewItem.objects.filter(pk=ReviewItem.objects.earliest("priority", "id").pk).update(priority=9, is_blind=True)
    first = open_review(reader, project)
    assert [one.get_dom_attribute("data-votes-at") for one in reader.all("[data-votes]")] != [None]
    reader.key("v")
    reader.read(told, "[data-votes]")
    press(reader, "1")
    saved(reader)
    assert dict(Verdict.objects.values_list("item_id", "has_seen_votes")) == {first: is_seen}


def test_votes_that_cannot_be_had_are_asked_for_again(reader, staff, monkeypatch):
    monkeypatch.setattr(cards, "KEPT_BACK", 0)
    project = reviewing(staff)
    let_vote(project)
    ReviewItem.objects.filter(pk=ReviewItem.objects.earliest("priority", "id").pk).update(priority=9, is_blind=True)
    open_review(reader, project)
    with bad_network(reader, offline=True):
        reader.until(lambda: reader.key("v") or reader.all(".toast"))  # pressed again, it is asked again
        reader.read("cannot be had", ".toast")
    reader.key("v")
    reader.read("50%", "[data-votes]")
    excuse(reader, "ERR_INTERNET_DISCONNECTED")


def test_votes_that_are_always_shown_were_seen(reader, staff):
    project = reviewing(staff, votes_shown="shown")
    let_vote(project)
    open_review(reader, project)
    press(reader, "1")
    press(reader, "1")
    saved(reader)
    assert list(Verdict.objects.values_list("has_seen_votes", flat=True)) == [True, True]


def test_votes_that_are_always_shown_come_by_themselves_while_a_text_of_the_frame_waits(reader, staff, monkeypatch):
    monkeypatch.setattr(cards, "KEPT_BACK", 0)
    project = reviewing(staff, votes_shown="shown")
    let_vote(project)
    framed = ReviewItem.objects.earliest("priority", "id").pk
    ReviewItem.objects.filter(pk=framed).update(is_blind=True)
    assert open_review(reader, project) == framed
    reader.read("kept back", "[data-votes]")
    press(reader, "1")
    reader.read("50%", "[data-votes]")
    second = press(reader, "1")
    saved(reader)
    assert dict(Verdict.objects.values_list("item_id", "has_seen_votes")) == {framed: False, second: True}


def test_the_list_of_keys_and_the_guideline(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.key("?")
    assert "positive" in reader.text("#keys")
    reader.key("1")  # in a dialog keys rest
    reader.key(Keys.ESCAPE)
    reader.key("g")
    reader.read("In doubt", "#guideline")
    assert press(reader, "2") == item
    saved(reader)
    assert answers() == {item: "neutral"}


def test_c21_enter_decides_where_auto_advance_is_off(reader, staff):
    Preferences.objects.create(user=staff, is_auto_advancing=False)
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.key("1")
    reader.key("3")
    assert shown(reader) == item
    assert press(reader, Keys.ENTER) == item
    reader.click(".class-button[data-key='2']")
    second = press(reader, Keys.ENTER)
    reader.key("?")
    reader.click("[data-auto-advance]")
    reader.key(Keys.ESCAPE)
    third = press(reader, "1")
    saved(reader)
    assert answers() == {item: "positive", second: "neutral", third: "negative"}
    reader.until(lambda: Preferences.objects.get().is_auto_advancing)


def test_c21_a_person_has_keys_of_their_own(reader, staff):
    Preferences.objects.create(user=staff, keys={"skip": "x", "undo": "ArrowLeft"})
    project = reviewing(staff)
    item = open_review(reader, project)
    assert reader.text("[data-keyed=skip] .kbd") == "x"
    press(reader, "x")
    reader.key(Keys.ARROW_LEFT)
    reader.until(lambda: items_there(reader) == [item])
    reader.key("s")
    saved(reader)
    assert shown(reader) == item


def test_c22_more_classes_than_digits(reader, staff):
    names = [f"kind {number:02}" for number in range(1, 21)]
    project = reviewing(staff, texts=4, classes=names)
    for position, key in enumerate("123456789abdehijklmn"):
        project.classes.filter(position=position).update(key=key if position < 15 else "")
    open_review(reader, project)
    by_letter = press(reader, "d")
    reader.key("/")
    reader.find("#finder-text").send_keys("ind 19", Keys.ENTER)
    reader.until(lambda: items_there(reader) not in ([], [by_letter]) and len(answers()) == 2)
    said = answers()
    assert said.pop(by_letter) == "kind 12"
    assert list(said.values()) == ["kind 19"]


def test_c20_keys_stay_with_their_classes(reader, staff):
    """A class that left keeps its key from moving to another one."""
    project = reviewing(staff)
    project.classes.filter(name="neutral").update(is_retired=True)
    item = open_review(reader, project)
    reader.key("2")
    assert press(reader, "3") == item
    saved(reader)
    assert answers() == {item: "positive"}


def strike(reader, key, code, *, shift=False, composing=False):
    """A press as a keyboard of another country makes it: the sign that it writes, and the key's place."""
    script = (
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], code: arguments[1],"
        " shiftKey: arguments[2], bubbles: true, cancelable: true, isComposing: arguments[3]}))"
    )
    reader.chrome.execute_script(script, key, code, shift, composing)


def test_keys_of_another_keyboard(reader, staff):
    """On AZERTY a digit's key writes a sign; on a Cyrillic keyboard the key of s writes a letter of its own."""
    project = reviewing(staff)
    item = open_review(reader, project)
    strike(reader, "é", "Digit2", composing=True)
    assert shown(reader) == item
    strike(reader, "é", "Digit2")
    skipped = reader.until(lambda: next((one for one in items_there(reader) if one != item), None))
    strike(reader, "ы", "KeyS")
    reader.until(lambda: items_there(reader) != [skipped])
    saved(reader)
    assert answers() == {item: "neutral"}
    assert Skip.objects.count() == 1


def test_c22_the_sign_that_a_key_writes_counts_before_its_place(reader, staff):
    """On a German keyboard "/" is Shift and 7: it finds a class, and decides for none; nor do other shifted digits."""
    project = reviewing(staff, classes=tuple(f"kind {number:02}" for number in range(12)))
    item = open_review(reader, project)
    strike(reader, "=", "Digit0", shift=True)
    strike(reader, "ArrowDown", "Numpad2")
    strike(reader, "/", "Digit7", shift=True)
    reader.until(lambda: reader.all("#finder[open]"))
    reader.key(Keys.ESCAPE)
    reader.until(lambda: not reader.all("#finder[open]"))
    assert shown(reader) == item
    strike(reader, "7", "Digit7", shift=True)  # AZERTY: there Shift writes the digit
    reader.until(lambda: items_there(reader) not in ([], [item]))
    saved(reader)
    assert answers() == {item: "kind 06"}


def test_c21_an_own_key_is_the_sign_also_where_a_digit_has_its_place(reader, staff):
    """On AZERTY "(" stands where 5 does: whoever took it for skipping skips."""
    Preferences.objects.create(user=staff, keys={"skip": "("})
    project = reviewing(staff, classes=tuple(f"kind {number}" for number in range(6)))
    item = open_review(reader, project)
    strike(reader, "(", "Digit5")
    reader.until(lambda: items_there(reader) not in ([], [item]))
    saved(reader)
    assert (answers(), list(Skip.objects.values_list("item_id", flat=True))) == ({}, [item])


def test_the_focus_stays_where_it_was(reader, staff):
    project = reviewing(staff)
    item = open_review(reader, project)
    reader.click(".class-button[data-key='2']")
    reader.until(lambda: items_there(reader) not in ([], [item]))
    assert reader.chrome.switch_to.active_element.get_dom_attribute("data-key") == "2"
    reader.find(f"{CARD} .sample-text").click()
    press(reader, "1")
    assert "sample-text" in reader.chrome.switch_to.active_element.get_dom_attribute("class")
    reader.until(lambda: reader.chrome.execute_script("return said.textContent").strip() == "Saved. Next text.")
