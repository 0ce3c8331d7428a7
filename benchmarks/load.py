"""Many people at once: `make bench-ui ARGS=load`, or `python -m benchmarks.load [--quick] [--show] [--only crowd]`.

The team: 15 clients that speak the screen's wire, beside 3 real browsers, decide everything in a queue together, on
both databases. The crowd: 200 clients with some seconds of thought each, on PostgreSQL. Nothing else works beside them.
"""

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import uvloop

from benchmarks.bars import Bar, none_of, p95
from benchmarks.beside import locked_lines, make_clients, make_people, make_reviewed, open_site, site_on
from benchmarks.browser import Screen, open_chrome
from benchmarks.histories import labelled, wrong_time_lines
from benchmarks.parts import Part, run
from benchmarks.protocol import Client, given_twice, live_for, live_until
from benchmarks.scratch_site import ROOT

FOLDER = ROOT / ".benchmarks" / "load"
THINK_S = 4.0
WEB_PROCESSES = 2
TEAM_THINK_S = 1.0
KEY_EVERY_S = 0.7
LIMIT_S = 600
READ = 200  # time lines: each takes some statements


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything; a ninth of four times as many rows as there are texts is decided from the start."""

    clients: int
    seconds: float
    rows: int
    texts: int
    browsers: int


FULL = Size(clients=200, seconds=60.0, rows=40_000, texts=1_500, browsers=3)
QUICK = Size(clients=20, seconds=8.0, rows=2_000, texts=90, browsers=1)


def measure_crowd(is_quick: bool) -> list[Bar]:
    """The crowd on PostgreSQL."""
    size = QUICK if is_quick else FULL
    with site_on(FOLDER / "crowd", on_postgres=True) as site:
        project, _owner, run_ = make_reviewed(size.rows)
        before = run_.decided
        clients = make_clients(site, project, size.clients)
        open_site(site, WEB_PROCESSES)
        idle_s = site.processor_s("web")
        uvloop.run(live_for(clients, size.seconds, THINK_S))
        worked_s = site.processor_s("web") - idle_s
        submits = [one for client in clients for one in client.seen.submits]
        return [
            p95("C06: submit that returns the next text", submits, 0.25),
            Bar("decisions a second", len(submits) / size.seconds, unit=""),
            Bar("processor time of the web processes a decision", worked_s / len(submits)),
            *facts(project, clients, [], before),
        ]


def measure_team(is_quick: bool, *, on_postgres: bool) -> list[Bar]:
    """The team, until nothing is left."""
    size = QUICK if is_quick else FULL
    with site_on(FOLDER / "team", on_postgres=on_postgres) as site, ExitStack() as stack:
        project, _owner, run_ = make_reviewed(-(-size.texts * 10 // 9) * 4)
        before = run_.decided
        clients = make_clients(site, project, 15)
        open_site(site)
        screens = [
            Screen(stack.enter_context(open_chrome()), site.port, cookies)
            for cookies in make_people(project, size.browsers, "browser")
        ]
        began = time.monotonic()
        decide_together(project, clients, screens)
        took = time.monotonic() - began
        submits = [one for client in clients for one in client.seen.submits]
        run_.refresh_from_db()
        complaints = [one for screen in screens for one in screen.errors()]
        return [
            Bar("texts decided", run_.decided - before, unit="", note=f"in {took:,.0f} s"),
            none_of("texts left", run_.hard - run_.decided),
            p95("C06: submit of a client", submits),
            *facts(project, clients, screens, before),
            none_of("C03: texts given to a client and to a browser, or to two browsers", len(shared(clients, screens))),
            none_of("C10: complaints in the browsers' consoles", *_said(complaints)),
            none_of('C15: "database is locked" in the log of web and workers', locked_lines(site)),
        ]


def decide_together(project: Any, clients: list[Client], screens: list[Screen]) -> None:
    """Clients on asyncio, each browser with a hand of its own; all leave when the queue is empty."""
    over = threading.Event()
    hands = [threading.Thread(target=_press_keys, args=(screen, project.slug, over)) for screen in screens]
    crowd = threading.Thread(target=lambda: uvloop.run(live_until(clients, over, TEAM_THINK_S)))
    for thread in (*hands, crowd):
        thread.start()
    end = time.monotonic() + LIMIT_S
    while count_open(project) and time.monotonic() < end:
        over.wait(0.5)
    over.set()
    for thread in (*hands, crowd):
        thread.join()


def _press_keys(screen: Screen, slug: str, over: threading.Event) -> None:
    screen.open(slug)
    while not over.is_set():
        if screen.item() is not None:
            screen.press("1")
        over.wait(KEY_EVERY_S)


def count_open(project: Any) -> int:
    """Texts that wait for a person."""
    from labeling.labels.models import ItemState, ReviewItem

    return ReviewItem.objects.filter(project=project, state=ItemState.OPEN).count()


def facts(project: Any, clients: list[Client], screens: list[Screen], before: int) -> list[Bar]:
    """What must hold of the rows afterwards: what was sent is what was stored and what the histories tell.

    `before` of the rows were there from the start.
    """
    from django.db.models import Count

    from labeling.labels.models import Verdict

    outcomes = [outcome for client in clients for outcome in client.seen.outcomes.values()]
    stored = {str(one) for one in Verdict.objects.filter(item__project=project).values_list("client_id", flat=True)}
    by_clients = {one for client in clients for one in client.seen.outcomes}
    by_browsers = {one for screen in screens for one in screen.sent()}
    sent = by_clients | by_browsers
    current = Verdict.objects.filter(item__project=project, is_current=True)
    twice = current.values("item").annotate(n=Count("id")).filter(n__gt=1).count()
    errors = [error for client in clients for error in client.seen.errors]
    return [
        Bar("decisions sent by clients", len(by_clients), unit=""),
        Bar("decisions sent by browsers", len(by_browsers), unit=""),
        none_of("C06: of these without a row", len(sent - stored)),
        none_of("C06: rows that nobody sent", len(stored - sent) - before),
        none_of("C06: rows that are no label's in the history of their text", len(stored - labelled(project))),
        none_of("C06: samples whose time line tells other decisions", *wrong_time_lines(project, READ)),
        none_of("C06: texts with more than one current verdict", twice),
        none_of("C03: texts given to two clients", len(given_twice(clients))),
        none_of("C06: answers other than stored", sum(outcome != "stored" for outcome in outcomes)),
        none_of("C06: errors of clients", *_said(errors)),
    ]


def shared(clients: list[Client], screens: list[Screen]) -> set[int]:
    """Texts that a browser was given, and somebody else, too."""
    seen = {item for client in clients for item in client.seen.given}
    both: set[int] = set()
    for screen in screens:
        given = screen.given()
        both |= given & seen
        seen |= given
    return both


def _said(lines: list[str]) -> tuple[int, str]:
    return len(lines), "; ".join(sorted({line[:120].replace("|", "/") for line in lines})[:3])


PARTS = {
    "crowd": Part(
        "200 people",
        f"200 clients with 4 s of thought, for 60 s, on PostgreSQL and {WEB_PROCESSES} web processes, in the middle of "
        "the review of 40,000 rows; the time is from the first byte of the request to the last of the answer, which "
        "brings the next text.",
        measure_crowd,
    ),
    "team-sqlite": Part(
        "15 clients beside 3 browsers, SQLite",
        "All decide 1,500 texts together: clients with 1 s of thought, browsers one key each 0.7 s.",
        lambda is_quick: measure_team(is_quick, on_postgres=False),
    ),
    "team-postgres": Part(
        "15 clients beside 3 browsers, PostgreSQL",
        "The same.",
        lambda is_quick: measure_team(is_quick, on_postgres=True),
    ),
}

if __name__ == "__main__":
    run("load", "Many people at once", "Clients, browsers, web, workers and database share one machine.", PARTS)
