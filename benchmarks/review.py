"""The review screen in a real browser: `make bench-ui ARGS=review`, `python -m benchmarks.review [--quick] [--show]`.

Keys are pressed at a person's pace while, on the same machine, a run votes and rounds learn; then with every answer of
the server a second late, without a network for two minutes, and where no script runs. The queue's endpoint is measured
at a million samples, and the pages that show a text with one of a megabyte.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.annotating import FIRST, decide_some, start_run
from benchmarks.bars import Bar, none_of, p95
from benchmarks.beside import locked_lines, make_people, open_site, site_on
from benchmarks.browser import Screen, open_chrome
from benchmarks.busy import Busy, make_beside
from benchmarks.parts import Part, run
from benchmarks.scratch_site import ROOT, ScratchSite
from benchmarks.ui_keys import answer_late, hold_nothing_ahead, press_and_measure, stay_away, submit_forms
from benchmarks.ui_large import measure_large
from benchmarks.ui_million import FOLDER, measure_million

DATASETS = Path(os.environ.get("AUTOANNOTATOR_DATASETS", ROOT.parent / "shared" / "data"))
KEY_S = 0.100
FORM_S = NOTHING_AHEAD_S = 0.400  # C01, without texts held ahead: with scripts, and without
LATE_S = 1.0
AWAY_S = 120


@contextmanager
def _one_at_work(rows: int, beside: int, *, on_postgres: bool) -> Iterator[tuple[ScratchSite, Any, Screen, Busy]]:
    """(site, project, an annotator's browser, what will keep it busy), with so many rows to review and to vote on."""
    with site_on(FOLDER / "keys", on_postgres=on_postgres) as site, open_chrome() as chrome:
        open_site(site)
        project, owner, run_ = start_run(DATASETS, "demo", rows)
        decide_some(project, owner, FIRST)
        datasets, versions = make_beside(owner, DATASETS, beside)
        (person,) = make_people(project, 1, "browser")
        yield site, project, Screen(chrome, site.port, person), Busy(run_, owner, datasets, versions)


def measure_keys(is_quick: bool, *, on_postgres: bool) -> list[Bar]:
    """Alone, beside a run and a round, with late answers, without a network, without scripts; in this order."""
    keys, late, forms, rows, beside = (10, 5, 3, 1_300, 2_000) if is_quick else (300, 100, 60, 4_000, 250_000)
    with _one_at_work(rows, beside, on_postgres=on_postgres) as (site, project, screen, busy):
        screen.open(project.slug)
        bars = press_and_measure(screen, keys, "C01: key to the next text painted, nothing beside", None)
        busy.start()
        for count, seconds, words in ((keys, 0.0, "a run and rounds beside"), (late, LATE_S, "and answers 1 s late")):
            answer_late(screen, seconds)
            screen.open(project.slug)
            bars += press_and_measure(screen, count, f"C54: key to the next text painted, {words}", KEY_S)
        answer_late(screen, 0)
        errors = screen.errors()
        bars += stay_away(screen, project.members.get(username="browser-0").pk, 2 if is_quick else AWAY_S)
        took = submit_forms(screen, project.slug, forms)
        bars.append(p95("C01: click to the next page painted, without scripts", took, FORM_S))
        busy.stop()
        bars.append(none_of("C10: complaints in the browser's console", len(errors), "; ".join(errors[:1])))
        bars.append(none_of('C15: "database is locked" in the log of web and workers', locked_lines(site)))
        bars.append(Bar("looks at what was at work", busy.looks, unit="", note=busy.said()))
        return bars


def measure_nothing_ahead(is_quick: bool, *, on_postgres: bool) -> list[Bar]:
    """Beside a run and a round, where each next text comes with the answer to the decision before it."""
    keys, rows, beside = (5, 1_300, 2_000) if is_quick else (150, 1_500, 60_000)
    with _one_at_work(rows, beside, on_postgres=on_postgres) as (_site, project, screen, busy):
        busy.start()
        screen.open(project.slug)
        hold_nothing_ahead(screen)
        bars = press_and_measure(screen, keys, "C01: key to the next text painted, none held ahead", NOTHING_AHEAD_S)
        busy.stop()
        bars.append(none_of("C10: complaints in the browser's console", len(screen.errors())))
        bars.append(Bar("looks at what was at work", busy.looks, unit="", note=busy.said()))
        return bars


KEYS = (
    "A key each 0.7 s, 300 of them, from the key's own time to the paint after it (PerformanceObserver, entries of "
    "keydown from 16 ms; none counts as 16 ms; a text that was not in that frame counts until it was there). The goal "
    "is 50 ms. Beside it 250,000 tweets are voted on by the demo's specialists, and rounds train them, one after the "
    "other (C54). The project has {rows}. Without scripts (C01) it is a form and a page a decision."
)
MILLION = (
    "A project with 1,000,000 samples of which 225,000 wait; 300 requests each, one after the other, over a connection "
    "that is kept; the time is that of the client, with HTTP, session and sign-in. Pages are whole pages."
)
LARGE = (
    "Texts of 1,000,000 characters, each another one (C44). A page counts as painted when its largest part is: 20 "
    "loads each, all from the start. Keys at a person's pace, measured as above, where the next text is such a one, "
    "and where such a one stays on the screen while the votes on it are shown or hidden."
)
PARTS = {
    "keys-sqlite": Part(
        "Keys, SQLite",
        KEYS.format(rows="4,000 tweets, all to review"),
        lambda is_quick: measure_keys(is_quick, on_postgres=False),
    ),
    "keys-postgres": Part("Keys, PostgreSQL", "The same.", lambda is_quick: measure_keys(is_quick, on_postgres=True)),
    "ahead-sqlite": Part(
        "Keys with no text held ahead, SQLite",
        "As above, beside a run and rounds, but the page holds the text on the screen alone (C01).",
        lambda is_quick: measure_nothing_ahead(is_quick, on_postgres=False),
    ),
    "ahead-postgres": Part(
        "Keys with no text held ahead, PostgreSQL",
        "The same.",
        lambda is_quick: measure_nothing_ahead(is_quick, on_postgres=True),
    ),
    "million-sqlite": Part(
        "At a million samples, SQLite", MILLION, lambda is_quick: measure_million(is_quick, on_postgres=False)
    ),
    "million-postgres": Part(
        "At a million samples, PostgreSQL", "The same.", lambda is_quick: measure_million(is_quick, on_postgres=True)
    ),
    "large-sqlite": Part(
        "Texts of a megabyte, SQLite", LARGE, lambda is_quick: measure_large(is_quick, on_postgres=False)
    ),
    "large-postgres": Part(
        "Texts of a megabyte, PostgreSQL", "The same.", lambda is_quick: measure_large(is_quick, on_postgres=True)
    ),
}

if __name__ == "__main__":
    run("review", "The review screen", "Browser, web, workers and database share one machine.", PARTS)
