"""Whose texts are whose while pages are looked at, left alone, or empty (C04, C05)."""

import pytest

from labeling.labels.models import Lease
from tests.browser.reviewing import items_there, open_review, reviewing
from tests.labeling.factories import make_dataset, make_project, make_run

# A minute of the page's clock passes in a second and a half.
QUICK = "const now = performance.now.bind(performance); performance.now = () => 40 * now();"
HIDE = "Object.defineProperty(document, 'hidden', {value: true})"
CLOCK = "return performance.now()"
THREE_MINUTES_MS = 180_000


@pytest.fixture
def hasty(reader):
    """A page whose clock runs fast."""
    made = reader.chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICK})
    yield reader
    reader.chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)


def first_end():
    return Lease.objects.earliest("expires_at").expires_at


def held_items():
    return set(Lease.objects.values_list("item_id", flat=True))


def test_c05_texts_stay_a_person_s_while_the_page_is_looked_at(hasty, staff):
    open_review(hasty, reviewing(staff))
    before, held = first_end(), held_items()
    hasty.until(lambda: first_end() > before)
    assert held <= held_items()


def test_c05_a_page_that_nobody_looks_at_renews_nothing(hasty, staff):
    open_review(hasty, reviewing(staff))
    hasty.chrome.execute_script(HIDE)
    before, began = first_end(), hasty.chrome.execute_script(CLOCK)
    hasty.until(lambda: hasty.chrome.execute_script(CLOCK) > began + THREE_MINUTES_MS)
    assert first_end() == before


def test_c04_an_empty_screen_looks_for_texts_by_itself(hasty, staff):
    project = make_project(staff)
    hasty.open(f"/p/{project.slug}/label")
    hasty.read("Nothing to review yet")
    make_run(make_dataset(project, ["a text that came later"]))
    hasty.until(lambda: items_there(hasty) != [])
    assert "a text that came later" in hasty.text("#stage")
