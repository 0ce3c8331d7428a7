"""100,000 rows in and out: seconds and memory of import, votes (torch-free), export; every page at that size."""

import csv
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

from benchmarks.client import fetch, sign_in
from benchmarks.main_job import wait_for
from benchmarks.report import table, write
from benchmarks.scratch_site import ROOT, ScratchSite

ROWS = 100_000
FOLDER = ROOT / ".benchmarks" / "files"
PAGES = (
    "",
    "data",
    "data/1",
    "models",
    "runs",
    "runs/1",
    "runs/new",
    "label",
    "samples",
    "export",
    "members",
    "settings",
)
FILTERS = ("?state=accepted", "?state=review", "?text=order", "?source=consensus")


def write_rows(path: Path, rows: int = ROWS) -> float:
    """A CSV of short texts with quotes and line breaks, 3% of them doubled; its size in MB."""
    words = [
        "order",
        "parcel",
        "late",
        "arrived",
        "support",
        "refund",
        "never",
        "great",
        "slow",
        "thanks",
        "box",
        "broken",
        "lovely",
        "again",
        "wrong",
        "size",
    ]
    chance = random.Random(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "channel"])
        for number in range(rows):
            text = " ".join(chance.choices(words, k=chance.randrange(4, 25)))
            text = "the same again" if chance.random() < 0.03 else f'{text}, "quoted"\nsecond line {number}'
            writer.writerow([f"r{number}", text, chance.choice(["mail", "web"])])
    return path.stat().st_size / 1e6


def run_import(project: Any, owner: Any, path: Path, site: ScratchSite) -> list[tuple[str, str, str]]:
    """Seconds from the start of the job to its end, and what the light worker's memory grew to."""
    from labeling.datasets.actions.imports import start_import
    from labeling.datasets.actions.uploads import Plan, receive_stream
    from labeling.datasets.models import Upload, UploadState
    from labeling.datasets.readers.parts import Columns, Reading

    with path.open("rb") as stream:
        upload = receive_stream(project=project, stream=stream, filename=path.name, by=owner)
    started = time.monotonic()
    start_import(upload=upload, plan=Plan(reading=Reading(), columns=Columns(text="text", id="id")))
    wait_for(lambda: Upload.objects.get(pk=upload.pk).state == UploadState.DONE)
    seconds = time.monotonic() - started
    return [
        ("import, seconds", f"{seconds:.1f}", "30"),
        ("peak memory of the light worker after the import, MB", f"{site.peak_mb('light'):.0f}", "300"),
    ]


def run_votes(project: Any) -> list[tuple[str, str, str]]:
    """Seconds of a run of three torch-free specialists."""
    from benchmarks.main_job import vote
    from labeling.datasets.models import Dataset
    from labeling.runs.queries import votable_versions

    _run, seconds = vote(project, Dataset.objects.get(), votable_versions(project))
    return [("a run of three torch-free specialists, rows/s", f"{ROWS / seconds:.0f}", "-")]


def run_export(project: Any, owner: Any, site: ScratchSite) -> list[tuple[str, str, str]]:
    """Progress, readiness, first byte and memory of an export of all rows with three votes each."""
    from django.urls import reverse

    from labeling.datasets.models import Dataset
    from labeling.exports.actions import create_export
    from labeling.exports.models import Export
    from labeling.jobs.queries import job_of, progress_of

    before = site.peak_mb("light")
    started = time.monotonic()
    export = create_export(dataset=Dataset.objects.get(), by=owner)
    wait_for(lambda: progress_of(job_of("export", export.pk)).done > 0, every_s=0.05)
    seen = time.monotonic() - started
    wait_for(lambda: Export.objects.get(pk=export.pk).is_ready, every_s=0.05)
    ready = time.monotonic() - started
    web_before, cookies = site.peak_mb("web"), sign_in(owner)
    path = reverse("exports:download", kwargs={"slug": project.slug, "number": export.number})
    status, content, first_s, all_s = fetch(site.port, path, cookies)
    assert status == 200, (status, path)
    assert content.count(b"\n") > ROWS
    return [
        ("export: progress seen after, seconds", f"{seen:.2f}", "1"),
        ("export: file ready after, seconds", f"{ready:.1f}", "10"),
        ("export: light worker's memory more by, MB", f"{site.peak_mb('light') - before:.0f}", "100"),
        ("download: first byte after, seconds", f"{first_s:.3f}", "1"),
        (f"download: all {len(content) / 1e6:.0f} MB after, seconds", f"{all_s:.2f}", "-"),
        ("download: web process's memory more by, MB", f"{site.peak_mb('web') - web_before:.0f}", "100"),
    ]


def time_pages(project: Any, owner: Any, site: ScratchSite) -> list[tuple[str, str, str]]:
    """The slowest of three requests of each page."""
    cookies, rows = sign_in(owner), []
    for page in (*PAGES, *(f"samples{query}" for query in FILTERS)):
        asked = [fetch(site.port, f"/p/{project.slug}/{page}", cookies) for _request in range(3)]
        assert {status for status, *_rest in asked} == {200}, (page, asked[0][0])
        rows.append((f"page /p/…/{page}, slowest of 3, seconds", f"{max(one[3] for one in asked):.3f}", "1"))
    return rows


def measure(site: ScratchSite) -> list[tuple[str, str, str]]:
    """All rows of the table."""
    from benchmarks.main_job import make_project
    from tests.labeling.pool import make_pool

    project, owner = make_project()
    make_pool(project, FOLDER / "fakes", noise=0.2)
    path = FOLDER / "rows.csv"
    size = write_rows(path)
    site.open()
    wait_for(lambda: bool(site.processes("light")))
    rows = [(f"rows (CSV of {size:.0f} MB)", f"{ROWS:,}", "-"), *run_import(project, owner, path, site)]
    rows += run_votes(project)
    rows += run_export(project, owner, site)
    return rows + time_pages(project, owner, site)


def main() -> None:
    """Write docs/benchmarks/files.md."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    settings = {"AUTOANNOTATOR_TESTING": "on"}
    with ScratchSite(FOLDER, settings) as site:
        os.environ.update(settings, AUTOANNOTATOR_DATA=str(FOLDER), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
        import django

        django.setup()
        write("files", "100,000 rows in and out", table(("measure", "value", "must be under"), measure(site)))


if __name__ == "__main__":
    main()
