"""The queue's endpoint and the samples browser where a project has a million samples."""

import asyncio
import statistics
import time
from typing import Any
from urllib.parse import urlencode

from benchmarks.bars import Bar, none_of, p95
from benchmarks.beside import make_clients, make_reviewed, open_site, site_on
from benchmarks.client import TOKEN, fetch, sign_in
from benchmarks.protocol import Client
from benchmarks.scratch_site import ROOT

FOLDER = ROOT / ".benchmarks" / "ui"
FETCH_S = 0.030
PAGE_S = 1.0
SLOWEST_OF = 5


def measure_million(is_quick: bool, *, on_postgres: bool) -> list[Bar]:
    """Fetches in every order, the page's heartbeat, decisions, and the pages of the samples browser."""
    rows, count = (4_000, 20) if is_quick else (1_000_000, 300)
    with site_on(FOLDER / "million", on_postgres=on_postgres) as site:
        from labeling.projects.models import ReviewOrder

        project, owner, run = make_reviewed(rows)
        (client,) = make_clients(site, project, 1)
        open_site(site)
        bars = []
        for order in ReviewOrder:
            type(project).objects.filter(pk=project.pk).update(review_order=order)
            took = fetch_often(client, count)
            bars.append(p95(f"C45: fetch of one text, nothing held, order {order}", took, FETCH_S))
        beats, decisions = asyncio.run(_work(client, count))
        bars.append(p95("C45: heartbeat with three held", beats, FETCH_S))
        bars.append(p95("C45: decision that returns the next text", decisions))
        bars.append(none_of("errors", len(client.seen.errors), "; ".join(client.seen.errors[:1])))
        return bars + measure_samples(site.port, sign_in(owner), project, run)


def fetch_often(client: Client, count: int) -> list[float]:
    """Seconds of as many fetches of one text by somebody who holds none; each is given back unmeasured."""
    return asyncio.run(_fetch_often(client, count))


async def _fetch_often(client: Client, count: int) -> list[float]:
    found = []
    for number in range(count + 5):
        _release(client)
        client.held.clear()
        began = time.perf_counter()
        await client.send([], want=1)
        found.append(time.perf_counter() - began)
        if number < 5 or not client.held:  # the first ones compile templates and fill caches
            found.pop()
    client.line.close()
    return found


async def _work(client: Client, count: int) -> tuple[list[float], list[float]]:
    """(heartbeats with three held, decisions)."""
    await client.send([])
    beats = []
    for _number in range(count):
        began = time.perf_counter()
        await client.send([])
        beats.append(time.perf_counter() - began)
    client.seen.submits.clear()
    for _number in range(count):
        await client.decide()
    client.line.close()
    return beats, client.seen.submits


def _release(client: Client) -> None:
    body = urlencode([("csrfmiddlewaretoken", TOKEN), *(("items", item) for item in client.held)])
    fetch(client.line.port, client.path.replace("/send", "/release"), client.line.cookies, body)


def measure_samples(port: int, cookies: str, project: Any, run: Any) -> list[Bar]:
    """The slowest of some requests for each filter of the samples browser."""
    bars = []
    for name, query in filters(project, run).items():
        answers = [fetch(port, f"/p/{project.slug}/samples?{urlencode(query)}", cookies) for _try in range(SLOWEST_OF)]
        seconds = [answer[3] for answer in answers]
        note = f"median {1_000 * statistics.median(seconds):,.0f} ms of {SLOWEST_OF}"
        bars.append(Bar(f"C42: samples browser, {name}, slowest", max(seconds), PAGE_S, note=note))
        if {answer[0] for answer in answers} != {200}:
            bars.append(none_of(f"C42: samples browser, {name}: answers other than 200", 1))
    return bars


def filters(project: Any, run: Any) -> dict[str, dict[str, object]]:
    """Each filter of the browser by a name for people: common values, rare ones, and such as nothing has."""
    from labeling.overview.samples.values import DISAGREEMENTS, SOURCES, STATES

    first = project.classes.order_by("position").first()
    specialist = project.specialists.order_by("pk").first()
    people = project.memberships.order_by("pk").values_list("user_id", flat=True)
    found: dict[str, dict[str, object]] = {"no filter": {}}
    found |= {f"state {value}": {"state": value} for value, _name in STATES if value}
    found |= {f"source {value}": {"source": value} for value, _name in SOURCES if value}
    found |= {f"disagreement {value}": {"disagreement": value} for value, _name in DISAGREEMENTS if value}
    return found | {
        "class": {"label_class": first.pk},
        "annotator who decided much": {"annotator": people[0]},
        "annotator who decided little": {"annotator": people[1]},
        "specialist": {"specialist": specialist.pk},
        "specialist and its class": {"specialist": specialist.pk, "vote": first.pk},
        "specialist against the label": {"specialist": specialist.pk, "vote": "other"},
        "specialist abstained (never)": {"specialist": specialist.pk, "vote": "none"},
        "text, common": {"text": "parcel"},
        "text, one row": {"text": str(run.row_count - 7)},
        "text, no row": {"text": "zeppelin"},
        "from the middle": {"after": run.row_count // 2},
    }
