"""Annotating during a round: one client decides over HTTP while the site trains, on SQLite, and how long it waits.

`python -m benchmarks.annotating [--pool main-job] [--submits 200]`. A real site under `manage.py up`; the demo's
specialists, or those of the main job, learn from what was decided before; rounds follow each other while submits last.
"""

import argparse
import os
import re
import shutil
import time
import uuid
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

from benchmarks.client import fetch, percentile, sign_in
from benchmarks.main_job import add_pool, make_project, wait_for
from benchmarks.refinement import POOLS
from benchmarks.refinement_site import answer, choose_rows, pool_folders, upload_of
from benchmarks.report import table, write
from benchmarks.scratch_site import ROOT, ScratchSite

FOLDER = ROOT / ".benchmarks" / "annotating"
ROWS = 4_000
FIRST = 900  # decisions that the first round learns from: enough for over 100 deciding gate rows
EVERY_S = 0.3
LOCKED = "database is locked"


def start_run(datasets: Path, pool: str, rows: int = ROWS) -> tuple[Any, Any, Any]:
    """(project, owner, run): every row goes to review, so that the queue outlasts the submits; voted to the end."""
    from labeling.datasets.actions.imports import start_import
    from labeling.datasets.actions.uploads import Plan, receive_stream
    from labeling.datasets.models import Upload, UploadState
    from labeling.datasets.readers.parts import Columns, Reading
    from labeling.runs.actions import start_run as start
    from labeling.runs.models import Run, RunState
    from labeling.runs.policies import Policy

    project, owner = make_project()
    versions = add_pool(project, pool_folders(pool))
    upload = receive_stream(project=project, stream=upload_of(choose_rows(datasets, rows)), filename="t.csv", by=owner)
    start_import(upload=upload, plan=Plan(reading=Reading(), columns=Columns(text="text", id="id", gold="gold")))
    wait_for(lambda: Upload.objects.get(pk=upload.pk).state == UploadState.DONE)
    upload.refresh_from_db()
    policy = Policy(len(versions), review_budget=100.0, seed=1)
    run = start(project=project, dataset=upload.dataset, versions=versions, policy=policy, by=owner)
    wait_for(lambda: Run.objects.get(pk=run.pk).state == RunState.REVIEWING)
    return project, owner, run


def decide_some(project: Any, owner: Any, count: int) -> None:
    """Decide that many texts with their gold class, for a round to learn from."""
    from labeling.labels.actions.verdicts import decide
    from labeling.review.actions import claim

    classes = {label.name: label.pk for label in project.classes.all()}
    for _number in range(count):
        item = claim(project=project, user_id=owner.pk)[0].item
        class_id = classes[answer(item.sample, 1.0)]
        decide(item_id=item.pk, project=project, user_id=owner.pk, class_id=class_id, client_id=uuid.uuid4())


def keep_busy(run: Any, owner: Any) -> str:
    """What the site is busy with. With nothing to do a manager promotes what the round kept, or clicks Train now."""
    from labeling.jobs.models import Job, JobState
    from labeling.refinement.actions import promote, start_round
    from labeling.refinement.models import Challenger, ChallengerState, Trigger

    if not Job.objects.filter(project=run.project, state=JobState.RUNNING).exists():
        run.refresh_from_db()
        last = run.rounds.order_by("-number").first()
        kept = Challenger.objects.filter(round=last, state__in=(ChallengerState.KEPT, ChallengerState.JUDGED))
        if last and run.generation < last.number and (challenger := kept.order_by("position").first()):
            promote(challenger=challenger, by=owner)
        else:
            start_round(run=run, trigger=Trigger.MANAGER, by=owner)
    job = Job.objects.filter(project=run.project).exclude(state=JobState.DONE).order_by("-id").first()
    return f"{job.kind}: {job.stage or 'its start'}" if job else "its next step"


def submit(site: ScratchSite, project: Any, cookies: str) -> tuple[float, float, str]:
    """(seconds of the submit, seconds of the screen, error or nothing) of one decision, as a browser makes it."""
    from labeling.labels.models import ReviewItem

    base, classes = f"/p/{project.slug}", {label.name: label.pk for label in project.classes.all()}
    status, page, _first, shown_s = fetch(site.port, f"{base}/label", cookies)
    item = re.search(rb'name="item"[^>]*value="(\d+)"', page)
    if status != 200 or item is None:
        return 0.0, shown_s, f"page: {status}"
    class_id = classes[ReviewItem.objects.select_related("sample").get(pk=int(item[1])).sample.gold]
    body = urlencode({"item": item[1].decode(), "label_class": class_id, "client_id": str(uuid.uuid4())})
    status, _page, _first, seconds = fetch(site.port, f"{base}/label/decide", cookies, body)
    return seconds, shown_s, "" if status in {302, 303} else f"submit: {status}"


def time_submits(site: ScratchSite, project: Any, owner: Any, run: Any, count: int) -> dict[str, Any]:
    """Latencies by what the site was busy with, and the errors."""
    cookies = sign_in(owner)
    took: dict[str, list[float]] = {}
    pages, errors = [], []
    for _number in range(count):
        busy = keep_busy(run, owner)
        began = time.monotonic()
        submit_s, page_s, error = submit(site, project, cookies)
        if error:
            errors.append(error)
        else:
            took.setdefault(busy, []).append(submit_s)
            pages.append(page_s)
        Event().wait(max(0.0, EVERY_S - (time.monotonic() - began)))
    return {"took": took, "pages": pages, "errors": errors}


def line(name: str, values: list[float], bound: str = "-") -> list[str]:
    """A line of the table, in milliseconds."""
    return [name, str(len(values)), *(f"{1000 * percentile(values, share):.0f}" for share in (0.5, 0.95, 1.0)), bound]


def text_of(found: dict[str, Any], run: Any, locked: int, pool: str) -> str:
    """The table with what it was measured under."""
    every = [one for values in found["took"].values() for one in values]
    lines = [line(f"submit, the site busy with {name}", values) for name, values in sorted(found["took"].items())]
    lines += [line("submit, all", every, "100 (p95)"), line("the screen", found["pages"])]
    rounds = list(run.rounds.order_by("number"))
    states = ", ".join(f"{one.number} {one.state} ({one.pool_rows} rows)" for one in rounds)
    errors = (
        f"Errors: {len(found['errors'])}{': ' + ', '.join(sorted(set(found['errors']))) if found['errors'] else ''}."
    )
    how = (
        f"One client, one decision every {EVERY_S} s through the review screen, SQLite, web and workers of "
        f"`manage.py up` on the same machine, {ROWS:,} tweets. The specialists ({pool}) learn meanwhile, one round "
        "after the other; a manager promotes one of those that a round kept back, so that the site votes again on what "
        "is open."
    )
    log = f'Lines with "{LOCKED}" in the log of web and workers: {locked} (must be 0).'
    header = ("what", "n", "p50 ms", "p95 ms", "max ms", "must be under")
    return "\n\n".join([how, table(header, lines), f"{errors} {log} Rounds: {states}."])


def main() -> None:
    """Write docs/benchmarks/annotating.md."""
    home = Path(os.environ.get("AUTOANNOTATOR_DATASETS", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=Path, default=home)
    parser.add_argument("--pool", choices=POOLS, default="demo", help="the specialists that learn")
    parser.add_argument("--submits", type=int, default=200)
    parser.add_argument("--show", action="store_true", help="print the table, write no file")
    options = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    with ScratchSite(FOLDER) as site:
        os.environ.update(AUTOANNOTATOR_DATA=str(FOLDER), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
        import django

        django.setup()
        site.open()
        project, owner, run = start_run(options.datasets, options.pool)
        decide_some(project, owner, FIRST)
        found = time_submits(site, project, owner, run, options.submits)
    locked = (FOLDER / "up.log").read_text(encoding="utf-8", errors="replace").count(LOCKED)
    text = text_of(found, run, locked, options.pool)
    if options.show:
        print(text)
    else:
        write("annotating", "Annotating during a round", text)


if __name__ == "__main__":
    main()
