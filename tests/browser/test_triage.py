"""The triage grid by the keyboard, by the mouse, and when the page is left; and how it looks."""

import pytest
from selenium.webdriver.common.keys import Keys

from labeling.labels.models import ItemReason, Lease, ReviewItem, Verdict
from tests.browser.person import DESK, PHONE
from tests.browser.reviewing import answers, reviewing
from tests.labeling.factories import add_member, make_user

LOOKS = [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]
TEXTS = [f"Text number {n} with “quotes”" + " and more words" * (n % 5 * 8) for n in range(30)]
BOXES = "#triage-form [name=item]"
FOCUSED = "return [...document.querySelectorAll(arguments[0])].indexOf(document.activeElement)"
COLUMNS = "return getComputedStyle(document.querySelector('.tiles')).gridTemplateColumns.split(' ').length"


@pytest.fixture
def project(staff):
    return reviewing(staff, TEXTS)


@pytest.fixture
def grid(reader, project):
    """Ten texts proposed as negative."""
    reader.open(f"/p/{project.slug}/label/triage?label_class={project.classes.first().pk}")
    reader.read("Confirm 10 as negative")
    return reader


def ids(grid):
    return [int(box.get_dom_attribute("value")) for box in grid.all(BOXES)]


def focused(grid):
    """Which text has the focus, -1 for none."""
    return grid.chrome.execute_script(FOCUSED, BOXES)


def ticked(grid):
    return [box.is_selected() for box in grid.all(BOXES)]


def test_arrows_space_and_enter_confirm_all_but_two(grid):
    shown, columns = ids(grid), grid.chrome.execute_script(COLUMNS)
    walked = []
    for key in (
        Keys.ARROW_RIGHT,
        Keys.ARROW_RIGHT,
        Keys.ARROW_DOWN,
        Keys.ARROW_LEFT,
        Keys.ARROW_UP,
        Keys.END,
        Keys.HOME,
    ):
        grid.key(key)
        walked.append(focused(grid))
    assert walked == [0, 1, 1 + columns, columns, 0, 9, 0]
    grid.key(" ")
    grid.key(Keys.ARROW_RIGHT)
    grid.key(" ")
    grid.read("Confirm 8 as negative")
    assert "stays in the queue" in grid.text(".tile")
    grid.key(Keys.ENTER)
    grid.read("Last: 8 texts as")
    assert answers() == dict.fromkeys(shown[2:], "negative")
    assert set(Verdict.objects.values_list("mode", flat=True)) == {"bulk"}
    assert ReviewItem.objects.filter(pk__in=shown[:2], state="open").count() == 2


def test_the_text_with_the_focus_is_never_behind_the_bar(grid):
    grid.look(PHONE)
    for _text in range(10):
        grid.key(Keys.ARROW_RIGHT)
        tile, bar = grid.all(".tile")[focused(grid)].rect, grid.find(".triage-bar").rect
        assert tile["y"] + tile["height"] <= bar["y"]


def test_enter_confirms_without_a_focus_and_u_takes_all_back(grid):
    shown = ids(grid)
    grid.key(Keys.ENTER)
    grid.read("Last: 10 texts as")
    grid.read("No text waits here as negative")
    grid.key("u")
    grid.read("10 texts are back.", "body")
    grid.read("Confirm 10 as negative")
    assert (ids(grid), answers()) == (shown, {})


def test_clicks_leave_out_and_the_button_says_so(grid):
    for label in grid.all(".tile-label"):
        grid.chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", label)
        label.click()
    assert ticked(grid) == [False] * 10
    grid.press("Leave all in the queue\n⏎")
    grid.read("No text waits here as negative")
    assert answers() == {}
    grid.click(".triage-class:nth-child(2)")
    grid.read("Confirm 10 as neutral")


def test_a_long_text_is_read_whole_without_losing_its_tick(grid):
    tile = next(one for one in grid.all(".tile") if one.find_elements("css selector", ".tile-rest"))
    whole = tile.find_element("css selector", ".tile-rest .tile-text")
    tile.find_element("css selector", "summary").click()
    grid.until(whole.is_displayed)
    assert whole.text in TEXTS
    assert all(ticked(grid))


def test_texts_stay_this_persons_while_the_page_is_open_and_are_free_once_it_is_left(grid, project):
    assert Lease.objects.count() == 10
    grid.open(f"/p/{project.slug}/samples")
    grid.until(lambda: Lease.objects.count() == 0)


def test_a_reload_keeps_the_texts(grid):
    shown = ids(grid)
    grid.chrome.refresh()
    grid.read("Confirm 10 as negative")
    assert (ids(grid), Lease.objects.count()) == (shown, 10)


def test_a_text_that_went_to_somebody_else_is_not_confirmed(grid):
    shown = ids(grid)
    other = add_member(ReviewItem.objects.get(pk=shown[0]).project, make_user()).user
    Lease.objects.filter(item=shown[0]).update(user=other)
    grid.chrome.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    grid.read("not yours any more")
    grid.read("Confirm 9 as negative")
    grid.key(Keys.ENTER)
    grid.read("Last: 9 texts as")
    assert shown[0] not in answers()


def test_a_harsh_text_is_blurred_until_somebody_looks(reader, project):
    project.is_harsh = True
    project.save()
    reader.open(f"/p/{project.slug}/label/triage")
    text = reader.find(".tile-text")
    assert text.value_of_css_property("filter") != "none"
    reader.key(Keys.ARROW_RIGHT)
    assert text.value_of_css_property("filter") == "none"


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_grid_is_fit_to_be_read(reader, project, size, scheme):
    reader.look(size, scheme)
    address, found = f"/p/{project.slug}/label/triage", []
    reader.open(address)
    reader.key(Keys.ARROW_RIGHT)
    reader.key(" ")
    reader.read("Confirm 9 as")
    found.append((reader.flaws(), reader.overflow()))
    reader.click(".triage-confirm")
    reader.read("Last: 9 texts as")
    reader.click("#triage .tile-rest summary, #triage .triage-class")
    found.append((reader.flaws(), reader.overflow()))
    ReviewItem.objects.filter(state="open").update(reason=ItemReason.AUDIT)
    reader.open(address)
    reader.read("closed while an audit waits")
    found.append((reader.flaws(), reader.overflow()))
    assert found == [([], 0)] * 3
