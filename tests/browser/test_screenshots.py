"""The pictures of the README, taken from the demo: `make screenshots` writes docs/images/."""

from pathlib import Path

import pytest

from annotator_core import demo
from labeling.accounts.actions import set_password
from labeling.labels.models import Verdict
from labeling.pipeline.demo import build_demo
from labeling.runs.models import Run
from tests.browser.colleagues import make_colleagues, settle_one, work_a_while
from tests.browser.person import DESK, PHONE
from tests.browser.reviewing import press, saved, shown
from tests.labeling.datasets.imports import receive

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
MOST_BYTES = 170_000
BASE = "/p/demo"
LOOKS = (("review-phone", PHONE, "light"), ("review-dark", DESK, "dark"), ("review", DESK, "light"))
TRIAGE = (("triage-phone", PHONE, "light"), ("triage-dark", DESK, "dark"), ("triage", DESK, "light"))
pytestmark = [pytest.mark.screenshots, pytest.mark.slow, pytest.mark.timeout(400)]


def _take(person, name):
    """A picture of the window as it is now, without the pointer's or the keyboard's mark."""
    person.chrome.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    person.chrome.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
    person.chrome.save_screenshot(str(IMAGES / f"{name}.png"))
    assert (IMAGES / f"{name}.png").stat().st_size <= MOST_BYTES, name


def _watch(person):
    """The run while the specialists vote, then to its end."""
    person.open(f"{BASE}/runs/1")
    person.until(lambda: float(person.find("progress").get_dom_attribute("value") or 0) > 0.2)
    _take(person, "run-voting")
    person.read("All votes are in", patience_s=120)


def _review(person):
    """Some decisions, so that the page shows pace and the last answer; then the screen in its looks."""
    person.open(f"{BASE}/label")
    for key in "123":
        press(person, key)
    saved(person)
    Verdict.objects.update(elapsed_ms=4_600)  # a person's pace instead of a robot's
    for name, size, scheme in LOOKS:
        person.look(size, scheme)
        person.open(f"{BASE}/label")
        shown(person)
        person.key("v")
        person.read("%", "[data-votes]")
        _take(person, name)
    person.look()
    person.key("?")
    person.until(lambda: person.all("dialog#keys[open]"))
    _take(person, "review-keys")


def _triage(person):
    """The grid with two texts left out, after a confirmation, in its looks."""
    person.open(f"{BASE}/label/triage")
    person.click(".triage-confirm")
    person.find(".triage-last")
    for name, size, scheme in TRIAGE:
        person.look(size, scheme)
        person.open(f"{BASE}/label/triage")
        for box in person.all(".tile [name=item]")[1:6:4]:
            person.chrome.execute_script("arguments[0].click()", box)
        person.find(".tile-out")
        _take(person, name)
    person.look()


def _team(person, project, staff):
    """The desk, the queue's page, what people did, and a sample's time line."""
    settled = work_a_while(project, make_colleagues(project))
    for name, path in {"desk": "/adjudicate", "queue": "/queue"}.items():
        person.open(f"{BASE}{path}")
        _take(person, name)
    settle_one(project, settled, staff)
    for name, path in {"people": "/people", "sample": f"/samples/{settled.sample_id}", "members": "/members"}.items():
        person.open(f"{BASE}{path}")
        _take(person, name)


def test_pictures(person, staff):
    IMAGES.mkdir(parents=True, exist_ok=True)
    staff.refresh_from_db()
    set_password(user=staff, password="only for the pictures 7")
    person.sign_in(staff)
    build_demo(owner=staff, say=str)
    _watch(person)
    project = Run.objects.get().project
    with demo.feedback_path().open(encoding="utf-8") as file:
        upload = receive(project, "".join(file.readlines()[:400]), "march.csv")
    _review(person)
    _triage(person)
    for name, path in {
        "overview": "/",
        "mapping": f"/data/uploads/{upload.pk}",
        "models": "/models",
        "run": "/runs/1",
        "samples": "/samples",
        "export": "/export",
    }.items():
        person.open(f"{BASE}{path}")
        _take(person, name)
    _team(person, project, staff)
