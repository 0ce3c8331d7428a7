"""Every page in every look: axe finds nothing, a phone is wide enough; and pages live on without their socket."""

import csv
import io

import pytest

from labeling.jobs.models import Job
from labeling.jobs.publish import publish
from tests.browser.lived_in import NO_PAGES, live_in, pages_of
from tests.browser.person import DESK, PHONE
from tests.labeling.factories import make_dataset, make_project, make_run
from tests.labeling.test_access_matrix import routes

LOOKS = {"light": (DESK, "light"), "dark": (DESK, "dark"), "phone": (PHONE, "light")}
# The parts of all other pages are looked at in both themes at once, in tests/labeling/web/test_web_browser.py.
OWN_TEST = {"web:components"}

DEAD_SOCKET = """
window.WebSocket = class extends EventTarget {
  constructor() { super(); setTimeout(() => this.dispatchEvent(new CloseEvent("close", {code: 1006}))); }
  close() {}
};
"""


def _table(rows=40):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["order_id", "text", "channel", "a column with a name that is rather long for a table"])
    writer.writerows(
        [f"Q-{n}", f"Text {n}: the parcel came late, twice. {'word ' * (3 * n)}", "app", n] for n in range(rows)
    )
    writer.writerow(["E-1", "", "app", "x"])
    writer.writerow(["W-1", "one-word-that-does-not-end-" * 8, "app", "x" * 120])
    return out.getvalue()


@pytest.fixture
def project(staff, tmp_path):
    return live_in(staff, _table(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_every_page(reader, project, look):
    pages = pages_of(project)
    assert set(pages) | NO_PAGES == {name for name, _words in routes()}
    reader.look(*LOOKS[look])
    flaws = {}
    for name, paths in pages.items():
        for path in paths if name not in OWN_TEST else ():
            reader.open(path)
            found = reader.flaws() + [f"{overflow} px too wide" for overflow in [reader.overflow()] if overflow]
            flaws |= {path: found} if found else {}
    # A used link's page says so with the status 410, which the browser notes.
    errors = [message for message in reader.errors() if "410" not in message]
    assert (flaws, errors) == ({}, [])


@pytest.fixture
def run(staff):
    """A run in review, whose page watches its job."""
    return make_run(make_dataset(make_project(staff), [f"text {n}" for n in range(4)]))


def _tell(run, hard):
    """The run changes and says so."""
    type(run).objects.filter(pk=run.pk).update(hard=hard)
    publish(Job.objects.get(kind="run", subject=run.pk))


def _live(reader):
    return reader.chrome.execute_script("return document.querySelector('[data-live-status]').dataset.state")


def _without_polling(reader):
    """Only the socket may tell the page: the timer of its live part is cut."""
    reader.chrome.execute_script(
        "const part = document.querySelector('[data-live-topic]');"
        "part.setAttribute('hx-trigger', 'live'); part.parentNode.replaceChild(part.cloneNode(true), part);"
        "htmx.process(document.querySelector('[data-live-topic]'));"
    )


def test_the_socket_comes_back(reader, still_site, run):
    reader.open(f"/p/{run.project.slug}/runs/{run.number}")
    reader.until(lambda: _live(reader) == "open")
    still_site.close_sockets()
    reader.until(lambda: _live(reader) == "waiting")
    reader.until(lambda: _live(reader) == "open")
    _without_polling(reader)
    _tell(run, hard=77)
    reader.read("77 rows")


def test_the_page_asks_without_a_socket(reader, run):
    script = reader.chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": DEAD_SOCKET})
    try:
        reader.open(f"/p/{run.project.slug}/runs/{run.number}")
        reader.until(lambda: _live(reader) == "waiting")
        _tell(run, hard=78)
        reader.read("78 rows")
    finally:
        reader.chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
