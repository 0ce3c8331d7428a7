"""A run that votes and rounds that learn, one after the other, beside whatever is measured."""

import csv
import io
import threading
from pathlib import Path
from typing import Any

from benchmarks.annotating import keep_busy
from benchmarks.main_job import CLASSES, add_pool, wait_for
from benchmarks.refinement_site import choose_rows, pool_folders

LOOK_S = 0.5
TWEETS = 2_000


class Busy(threading.Thread):
    """Keeps both going until told to stop; `looks` says how often it looked, and what it saw at work."""

    def __init__(self, run: Any, owner: Any, datasets: list[Any], versions: list[Any]) -> None:
        super().__init__(daemon=True)
        self.run_, self.owner, self.datasets, self.versions = run, owner, list(datasets), versions
        self.is_over = threading.Event()
        self.looks = self.voting = self.learning = 0
        self.beside: Any = None

    def run(self) -> None:
        """Look, start what has ended, look again."""
        from django.db import connection

        while not self.is_over.is_set():
            learning = keep_busy(self.run_, self.owner).startswith("round")
            voting = self._vote()
            self.looks += 1
            self.voting += voting
            self.learning += learning
            connection.close()
            self.is_over.wait(LOOK_S)

    def _vote(self) -> bool:
        from labeling.runs.actions import start_run
        from labeling.runs.models import RunState
        from labeling.runs.policies import Policy

        if self.beside is not None:
            self.beside.refresh_from_db()
        if (self.beside is None or self.beside.state != RunState.RUNNING) and self.datasets:
            dataset, policy = self.datasets.pop(), Policy(len(self.versions))
            self.beside = start_run(
                project=dataset.project, dataset=dataset, versions=self.versions, policy=policy, by=self.owner
            )
        return bool(self.beside.state == RunState.RUNNING)

    def said(self) -> str:
        """How much of the time something was at work."""
        looks = max(1, self.looks)
        return (
            f"a run voted in {self.voting / looks:.0%} of {looks} looks, a round learned in {self.learning / looks:.0%}"
        )

    def stop(self) -> None:
        """Start nothing more."""
        self.is_over.set()
        self.join()


def make_beside(owner: Any, datasets: Path, rows: int, count: int = 2) -> tuple[list[Any], list[Any]]:
    """(data sets of so many rows each, versions of the demo's specialists) of a project of its own."""
    from labeling.projects.actions import ClassSpec, create_project

    project = create_project(owner=owner, name="Beside", classes=[ClassSpec(name) for name in CLASSES])
    tweets = [row["text"] for row in choose_rows(datasets, TWEETS)]
    made = [_import(project, owner, tweets, rows, number) for number in range(count)]
    return made, add_pool(project, pool_folders("demo"))


def _import(project: Any, owner: Any, tweets: list[str], rows: int, number: int) -> Any:
    from labeling.datasets.actions.imports import start_import
    from labeling.datasets.actions.uploads import Plan, receive_stream
    from labeling.datasets.models import Upload, UploadState
    from labeling.datasets.readers.parts import Columns, Reading

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "text"])
    writer.writerows([f"r{row}", f"{tweets[row % len(tweets)]} {number} {row}"] for row in range(rows))
    stream = io.BytesIO(out.getvalue().encode())
    upload = receive_stream(project=project, stream=stream, filename=f"beside-{number}.csv", by=owner)
    start_import(upload=upload, plan=Plan(reading=Reading(), columns=Columns(text="text", id="id")))
    wait_for(lambda: Upload.objects.get(pk=upload.pk).state == UploadState.DONE)
    upload.refresh_from_db()
    return upload.dataset
