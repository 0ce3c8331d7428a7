"""All kinds of texts on the review screen: long, right-to-left, harsh; on a phone and enlarged."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.person import PHONE
from tests.browser.reviewing import CARD, answers, items_there, open_review, press, reviewing, saved, shown

MEGABYTE = "An old song of the sea, sung by nobody in particular. " * 19_000
ARABIC = "خدمة ممتازة لكن التوصيل تأخر ثلاثة أيام"
TEXT = f"{CARD} .sample-text"
PAINTED = """
const done = arguments[arguments.length - 1];
const begun = performance.now();
document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "1", code: "Digit1", bubbles: true, cancelable: true}));
requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
"""


WIDE = """
return [...document.querySelectorAll("main *")].filter((one) =>
  one.checkVisibility() && one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5
).map((one) => one.outerHTML.slice(0, 120))
"""


def wide_parts(person):
    """What stands out of the window, where the page is wider than it."""
    return person.chrome.execute_script(WIDE) if person.overflow() else []


@pytest.mark.slow
def test_c44_a_text_of_a_megabyte(reader, staff):
    """It is there, whole, as the next text, within a second of the key; the keys work on."""
    project = reviewing(staff, texts=["last", MEGABYTE, "first"])
    open_review(reader, project)
    assert reader.chrome.execute_async_script(PAINTED) < 1_000
    assert reader.chrome.execute_script("return document.querySelector(arguments[0]).textContent", TEXT) == MEGABYTE
    press(reader, "2")
    assert reader.find(TEXT).text == "last"
    saved(reader)
    assert sorted(answers().values()) == ["negative", "neutral"]


def test_white_space_and_direction_are_the_texts_own(reader, staff):
    project = reviewing(staff, texts=["  two  spaces\n\tand a tab", ARABIC])
    open_review(reader, project)
    look = "const one = document.querySelector(arguments[0]); return [getComputedStyle(one).direction, one.textContent]"
    assert reader.chrome.execute_script(look, TEXT) == ["rtl", ARABIC]
    press(reader, "1")
    assert reader.chrome.execute_script(look, TEXT) == ["ltr", "  two  spaces\n\tand a tab"]


def test_the_buttons_keep_their_places(reader, staff):
    project = reviewing(staff, texts=["short", "A long text. " * 400, "Two\nlines"])
    open_review(reader, project)
    places = []
    for _text in range(3):
        places.append(reader.find(".class-button").rect)
        if len(places) < 3:
            press(reader, "1")
    assert places[0] == places[1] == places[2]


def test_a_harsh_text_is_blurred_until_somebody_looks(reader, staff):
    project = reviewing(staff, is_harsh=True)
    item = open_review(reader, project)
    blur = "return getComputedStyle(document.querySelector(arguments[0])).filter"
    assert reader.chrome.execute_script(blur, TEXT) == "blur(8px)"
    reader.key("1")
    reader.until(lambda: "Enter" in reader.chrome.execute_script("return said.textContent"))
    assert shown(reader) == item
    reader.key(Keys.ENTER)
    assert reader.chrome.execute_script(blur, TEXT) == "none"
    assert press(reader, "1") == item
    saved(reader)
    assert answers() == {item: "negative"}
    reader.until(lambda: reader.chrome.execute_script(blur, TEXT) == "blur(8px)")


def test_a_break_is_suggested_after_many_harsh_texts(reader, staff):
    project = reviewing(staff, texts=26, is_harsh=True)
    open_review(reader, project)
    for _text in range(25):
        item = shown(reader)
        reader.key(Keys.ENTER)
        reader.key("2")
        reader.until(lambda item=item: items_there(reader) not in ([item], []))
    reader.read("25 such texts in a row", "#toasts")


def test_no_part_is_out_of_reach_on_a_phone(reader, staff):
    project = reviewing(staff, texts=["A long text. " * 400, "short"])
    reader.look(PHONE)
    item = open_review(reader, project)
    assert wide_parts(reader) == []
    reader.find("[data-keyed=comment]").click()
    form = reader.find(".note[open] .note-form").rect
    assert (form["x"] >= 0, form["x"] + form["width"] <= PHONE[0]) == (True, True)
    reader.find("#progress").click()
    low = reader.find("[data-keyed=skip]").rect
    assert low["y"] + low["height"] <= PHONE[1]
    reader.find(".class-button[data-key='2']").click()
    reader.until(lambda: items_there(reader) not in ([item], []))
    saved(reader)
    assert answers() == {item: "neutral"}


def test_at_200_percent_nothing_is_cut(reader, staff):
    """A window of half the width is what 200% zoom makes of this one."""
    project = reviewing(staff)
    reader.look((640, 400))
    open_review(reader, project)
    assert wide_parts(reader) == []
    assert reader.flaws() == []


MOVING = """
const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
return [...document.querySelectorAll("body *")].some((one) => {
  const look = getComputedStyle(one);
  return lasts(look.transitionDuration) || lasts(look.animationDuration);
});
"""


@pytest.mark.parametrize(("wish", "moves"), [("no-preference", True), ("reduce", False)])
def test_who_wants_no_motion_sees_none(reader, staff, wish, moves):
    project = reviewing(staff)
    media = {"features": [{"name": "prefers-reduced-motion", "value": wish}]}
    reader.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    open_review(reader, project)
    press(reader, "1")
    assert reader.chrome.execute_script(MOVING) is moves
