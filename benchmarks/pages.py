"""Pages while a run works, and how long work waits for its bell: one client, 200 requests, medians and tails."""

import os
import re
import shutil
import uuid
from typing import Any
from urllib.parse import urlencode

from benchmarks.client import fetch, percentile, sign_in
from benchmarks.main_job import add_pool, make_project, wait_for
from benchmarks.report import table, write
from benchmarks.scratch_site import ROOT, ScratchSite, free_port

FOLDER = ROOT / ".benchmarks" / "pages"
REQUESTS = 200
BELLS = 20


def start_long_run() -> tuple[Any, Any, Any]:
    """A run of the demo's three transformers over many texts, in the middle of its votes."""
    from annotator_core.demo import label_maps, specialist_folders
    from labeling.datasets.actions.imports import start_import
    from labeling.datasets.actions.uploads import Plan, receive_stream
    from labeling.datasets.models import Dataset, Upload, UploadState
    from labeling.datasets.readers.parts import Columns, Reading
    from labeling.runs.actions import start_run
    from labeling.runs.models import Run
    from labeling.runs.policies import Policy

    project, owner = make_project()
    folders, maps = specialist_folders(), label_maps()
    versions = add_pool(project, {folders[name]: maps[name] for name in folders})
    upload = receive_stream(project=project, stream=long_table(), filename="long.csv", by=owner)
    start_import(upload=upload, plan=Plan(reading=Reading(), columns=Columns(text="text")))
    wait_for(lambda: Upload.objects.get(pk=upload.pk).state == UploadState.DONE)
    run = start_run(project=project, dataset=Dataset.objects.get(), versions=versions, policy=Policy(3), by=None)
    wait_for(lambda: Run.objects.get(pk=run.pk).voted > 0)
    return project, owner, run


def long_table() -> Any:
    """200,000 distinct texts: more than the requests take."""
    import csv
    import io

    from annotator_core.demo import feedback_path

    with feedback_path().open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    lines = (f"{texts[number % len(texts)]} ({number})" for number in range(200_000))
    out = io.StringIO()
    csv.writer(out).writerows([["text"], *([line] for line in lines)])
    return io.BytesIO(out.getvalue().encode())


def time_requests(site: ScratchSite, project: Any, owner: Any, run: Any) -> list[list[str]]:
    """Latencies of the project, run and review pages and of a decision, one after the other, while the run works."""
    from labeling.runs.models import Run

    cookies, classes = sign_in(owner), list(project.classes.values_list("id", flat=True))
    base, took = f"/p/{project.slug}", {name: [] for name in ("overview", "run", "review", "decision")}
    before = Run.objects.get(pk=run.pk).voted
    for _round in range(REQUESTS // 4):
        for name, path in (("overview", "/"), ("run", f"/runs/{run.number}"), ("review", "/label")):
            status, page, _first, seconds = fetch(site.port, base + path, cookies)
            assert status == 200, (name, status)
            took[name].append(seconds)
        item = re.search(rb'name="item"[^>]*value="(\d+)"', page)[1].decode()
        body = urlencode({"item": item, "label_class": classes[0], "client_id": str(uuid.uuid4())})
        status, _page, _first, seconds = fetch(site.port, f"{base}/label/decide", cookies, body)
        assert status in {302, 303}, status
        took["decision"].append(seconds)
    after = Run.objects.get(pk=run.pk)
    assert after.voted > before, "the run did not work meanwhile"
    lines = [*took.items(), ("all", [one for values in took.values() for one in values])]
    return [
        [name, str(len(v)), *(f"{1000 * percentile(v, share):.0f}" for share in (0.5, 0.95, 1.0)), "100 (p95)"]
        for name, v in lines
    ]


def time_bells(name: str, settings: dict[str, str]) -> list[str]:
    """Seconds from the commit of a job until a light worker has begun it, by way of the given broker."""
    import subprocess
    import sys

    folder = FOLDER / f"bells-{name.split()[0]}"
    shutil.rmtree(folder, ignore_errors=True)
    with ScratchSite(folder, settings) as site:
        site.open()
        command = [sys.executable, "-m", "benchmarks.bells", str(BELLS)]
        done = subprocess.run(command, cwd=ROOT, env=site.environment, check=True, capture_output=True, text=True)
    values = [float(value) for value in done.stdout.split()]
    return [name, str(len(values)), *(f"{1000 * percentile(values, share):.0f}" for share in (0.5, 0.95, 1.0)), "-"]


def main() -> None:
    """Write docs/benchmarks/pages.md."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    bells = [
        time_bells("filesystem broker", {}),
        time_bells("dead Redis (found by the sweeper, 2 s)", {"BROKER_URL": f"redis://127.0.0.1:{free_port()}/0"}),
    ]
    with ScratchSite(FOLDER / "site") as site:
        os.environ.update(AUTOANNOTATOR_DATA=str(FOLDER / "site"), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
        import django

        django.setup()
        site.open()
        pages = time_requests(site, *start_long_run())
    header = ("what", "n", "p50 ms", "p95 ms", "max ms", "must be under")
    text = "\n\n".join([
        "One client, one request after the other, SQLite, while the demo's three transformers vote on 200,000 texts:",
        table(header, pages),
        "From the commit of a job until a light worker has begun it:",
        table(header, bells),
    ])  # fmt: skip
    write("pages", "Pages and bells", text)


if __name__ == "__main__":
    main()
