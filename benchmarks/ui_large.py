"""Texts of a megabyte (C44): as the first text, as the next one, at the desk, on the sample's page; keys beside one."""

import threading
from typing import Any

from benchmarks.bars import Bar, none_of, p95
from benchmarks.beside import make_people, make_reviewed, open_site, site_on
from benchmarks.browser import Screen, open_chrome
from benchmarks.scratch_site import ROOT
from benchmarks.ui_keys import EVERY_S, SHORTEST_S, press_and_measure

FOLDER = ROOT / ".benchmarks" / "ui"
CHARACTERS = 1_000_000
PAINT_S = 1.0
RESPONSE_S = 0.2  # what web.dev calls a good response of a page to a key (INP)
LARGEST = """
const done = arguments[arguments.length - 1];
new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
  .observe({ type: "largest-contentful-paint", buffered: true });
"""

NOTE_KEYS = """
window.took = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (one.name === "keydown") window.took.push(one.duration / 1000);
}).observe({ type: "event", durationThreshold: 16 });
"""


def measure_large(is_quick: bool, *, on_postgres: bool) -> list[Bar]:
    """Pages loaded from the start, then keys."""
    keys, loads = (4, 2) if is_quick else (40, 20)
    with site_on(FOLDER / "large", on_postgres=on_postgres) as site, open_chrome() as chrome:
        project, _owner, _run = make_reviewed(100 + 5 * keys)
        sample_id = enlarge(project)
        screen = Screen(chrome, site.port, make_reviewer(project))
        open_site(site)
        base = f"/p/{project.slug}"
        pages = {
            "first text of the review screen": f"{base}/label",
            "text at the desk": f"{base}/adjudicate",
            "sample's page": f"{base}/samples/{sample_id}",
        }
        bars = [
            p95(f"C44: {name} of 1 MB, loaded and painted", load_often(screen, path, loads), PAINT_S)
            for name, path in pages.items()
        ]
        screen.open(project.slug)
        bars += press_and_measure(screen, keys, "C44: key to a next text of 1 MB painted", PAINT_S)
        bars.append(toggle_votes(screen, keys))
        errors = screen.errors()
        return [*bars, none_of("C10: complaints in the browser's console", len(errors), "; ".join(errors[:1]))]


def make_reviewer(project: Any) -> str:
    """The cookies of somebody who may see all of these pages."""
    from labeling.projects.models import Role

    (cookies,) = make_people(project, 1, "browser")
    project.memberships.filter(user__username="browser-0").update(role=Role.REVIEWER)
    return cookies


def enlarge(project: Any) -> int:
    """Make every text that waits a large one, and put one on the desk; the id of a large sample that is decided."""
    from benchmarks.large_project import STORY
    from labeling.datasets.models import Sample
    from labeling.labels.models import Escalation, ItemState, ReviewItem

    items = ReviewItem.objects.filter(project=project)
    long = STORY * (CHARACTERS // len(STORY))
    for sample in Sample.objects.filter(items__in=items):
        Sample.objects.filter(pk=sample.pk).update(text=f"{sample.position} {long}")
    ReviewItem.objects.filter(pk=items.filter(state=ItemState.OPEN).latest("id").pk).update(
        escalation=Escalation.FLAGGED
    )
    return int(items.filter(state=ItemState.DECIDED).earliest("id").sample_id)


def load_often(screen: Screen, path: str, count: int) -> list[float]:
    """Seconds from the start of as many loads until the page's largest part is painted; the first is not counted."""
    found = []
    for _number in range(count + 1):
        screen.chrome.get("about:blank")
        screen.chrome.get(f"{screen.address}{path}")
        found.append(screen.chrome.execute_async_script(LARGEST) / 1_000)
    return found[1:]


def toggle_votes(screen: Screen, count: int) -> Bar:
    """How long a key takes that changes a part of the page while the large text stays; `v` shows or hides the votes."""
    screen.chrome.execute_script(NOTE_KEYS)
    pause = threading.Event()
    for _number in range(count):
        screen.press("v")
        pause.wait(EVERY_S)
    took = screen.chrome.execute_script("return window.took")
    unseen = [SHORTEST_S] * (count - len(took))
    return p95("C44: key to the votes painted beside a text of 1 MB", [*took, *unseen], RESPONSE_S)
