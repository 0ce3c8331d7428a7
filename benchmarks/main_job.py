"""The main job on real data: three specialists vote, a simulated person who knows the gold label decides the rest.

`python -m benchmarks.main_job --datasets ../shared/data`. Everything goes through the site's own actions and the
workers that `manage.py up` starts. The specialists come from `benchmarks.train_specialists`, which is run first.
"""

import argparse
import csv
import io
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.report import table, write
from benchmarks.scratch_site import COMPONENTS, ROOT, ScratchSite

WORK = ROOT / ".benchmarks"
SPECIALISTS = ("tweets-a", "tweets-b", "airline")
CLASSES = ("negative", "neutral", "positive")
FINANCE = {"bearish": "negative", "bullish": "positive"}
SETS = (
    ("SemEval 2013-2016 test (in domain)", "semeval_tweets_2013_2016/test.csv", None),
    ("tweet_sentiment_extraction train, first 7,500 (out of domain)", "tweet_sentiment_extraction/train.csv", 7500),
    ("twitter_financial_news train (out of domain)", "twitter_financial_news/train.csv", None),
)


def upload_of(path: Path, limit: int | None) -> io.BytesIO:
    """The set as a manager would upload it: id, text, gold."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "text", "gold"])
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if number != limit:
                writer.writerow([row["id"], row["text"], FINANCE.get(row["label"], row["label"])])
            else:
                break
    return io.BytesIO(out.getvalue().encode())


def wait_for(is_over: Any, limit_s: float = 3600, every_s: float = 0.5) -> None:
    """Ask every so often until it is over."""
    from django.db import connection

    end = time.monotonic() + limit_s
    while not is_over():
        connection.close()
        if time.monotonic() > end:
            raise TimeoutError
        threading.Event().wait(every_s)


def make_project() -> Any:
    """A project with the three classes."""
    from labeling.accounts.actions import create_user
    from labeling.projects.actions import ClassSpec, create_project

    owner = create_user(username="bench", is_staff=True)
    return create_project(owner=owner, name="Main job", classes=[ClassSpec(name) for name in CLASSES]), owner


def add_pool(project: Any, maps: Mapping[Path, Mapping[str, str]]) -> list[Any]:
    """The specialists of the folders, each with its map from labels to class names, confirmed after their trials."""
    from labeling.runs.queries import votable_versions
    from labeling.specialists.actions import add_specialist, confirm_version, save_map
    from labeling.specialists.models import Source, Specialist, SpecialistState
    from labeling.specialists.queries import newest_trial, newest_version

    class_ids = dict(project.classes.values_list("name", "id"))
    for folder, meanings in maps.items():
        specialist = add_specialist(project=project, source=Source.FOLDER, location=str(folder))
        wait_for(lambda pk=specialist.pk: Specialist.objects.get(pk=pk).state == SpecialistState.MAPPING)
        specialist.refresh_from_db()
        targets = [class_ids[meanings[label]] for label in specialist.model_labels]
        save_map(specialist=specialist, targets=targets, max_length=128, are_holes_confirmed=False)
        version = newest_version(specialist)
        wait_for(lambda version=version: newest_trial(version).is_done)
        confirm_version(version=version, by=None)
    return votable_versions(project)


def import_set(project: Any, owner: Any, path: Path, limit: int | None) -> Any:
    """The data set, when the import job is over."""
    from labeling.datasets.actions.imports import start_import
    from labeling.datasets.actions.uploads import Plan, receive_stream
    from labeling.datasets.models import Upload, UploadState
    from labeling.datasets.readers.parts import Columns, Reading

    upload = receive_stream(project=project, stream=upload_of(path, limit), filename=path.name, by=owner)
    start_import(upload=upload, plan=Plan(reading=Reading(), columns=Columns(text="text", id="id", gold="gold")))
    wait_for(lambda: Upload.objects.get(pk=upload.pk).state == UploadState.DONE)
    upload.refresh_from_db()
    return upload.dataset


def vote(project: Any, dataset: Any, versions: list[Any]) -> tuple[Any, float]:
    """The finished run and the seconds from its start until every row had its votes."""
    from labeling.runs.actions import start_run
    from labeling.runs.models import Run, RunState
    from labeling.runs.policies import Policy

    started = time.monotonic()
    run = start_run(project=project, dataset=dataset, versions=versions, policy=Policy(len(versions)), by=None)
    wait_for(lambda: Run.objects.get(pk=run.pk).state != RunState.RUNNING)
    run.refresh_from_db()
    return run, time.monotonic() - started


def review_all(project: Any, owner: Any) -> int:
    """Decide every open text with its gold label through the queue; how many decisions that took."""
    from uuid import uuid4

    from labeling.labels.actions.verdicts import decide
    from labeling.review.actions import claim

    classes = {label.name: label.pk for label in project.classes.all()}
    count = 0
    while held := claim(project=project, user_id=owner.pk):
        item = held[0].item
        gold = item.sample.gold
        decide(item_id=item.pk, project=project, user_id=owner.pk, class_id=classes[gold], client_id=uuid4())
        count += 1
    return count


def share(right: int, total: int) -> str:
    """A percentage with one digit."""
    return f"{100 * right / total:.1f}" if total else "-"


def measure(run: Any, seconds: float, decisions: int) -> list[object]:
    """One row of the table."""
    from django.db.models import F

    from labeling.labels.models import Consensus, Label, Vote
    from labeling.runs.queries import pool_of

    dataset, n = run.dataset, run.row_count
    votes = Vote.objects.filter(sample__dataset=dataset)
    alone = [
        share(votes.filter(version=member.version, label_class__name=F("sample__gold")).count(), n)
        for member in pool_of(run)
    ]
    rows = Consensus.objects.filter(run=run)
    right = rows.filter(label_class__name=F("sample__gold"))
    final = Label.objects.filter(sample__dataset=dataset, is_current=True, label_class__name=F("sample__gold"))
    agreed = rows.filter(route="accept")
    return [
        f"{n:,}",
        " / ".join(alone),
        share(right.count(), n),
        share(run.hard, n),
        share(right.filter(route="accept").count(), agreed.count()),
        share(final.count(), n),
        f"{decisions:,}",
        f"{n / seconds:.0f}",
    ]


HEADER = (
    *("data set", "rows", "alone: a / b / airline", "majority", "hard share"),
    *("right on agreed", "final", "decisions", "rows/s"),
)


def run_all(site: ScratchSite, datasets: Path) -> str:
    """The tables."""
    project, owner = make_project()
    site.open()
    first = import_set(project, owner, datasets / SETS[0][1], SETS[0][2])
    own_names = {name: name for name in CLASSES}
    versions = add_pool(project, {WORK / "specialists" / name: own_names for name in SPECIALISTS})
    lines = []
    for number, (name, path, limit) in enumerate(SETS):
        dataset = first if number == 0 else import_set(project, owner, datasets / path, limit)
        run, seconds = vote(project, dataset, versions)
        decisions = review_all(project, owner)
        run.refresh_from_db()
        lines.append([name, *measure(run, seconds, decisions)])
        print(lines[-1], flush=True)
    memory = [[component, f"{site.peak_mb(component):.0f}"] for component in COMPONENTS]
    return "\n\n".join([
        "Accuracies and shares in percent; rows/s from the start of the run until its last vote, three votes a row.",
        table(HEADER, lines),
        "Peak memory of each process over all three runs:",
        table(["process", "MB"], memory),
    ])  # fmt: skip


def main() -> None:
    """Train what is missing, label the three sets, write docs/benchmarks/main_job.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--datasets", type=Path, default=Path(os.environ.get("AUTOANNOTATOR_DATASETS", ROOT.parent / "shared" / "data"))
    )
    datasets = parser.parse_args().datasets
    specialists = str(WORK / "specialists")
    train = [sys.executable, "-m", "benchmarks.train_specialists", "--skip-measure"]
    subprocess.run([*train, "--datasets", str(datasets), "--out", specialists], cwd=ROOT, check=True)
    folder = WORK / "main-job"
    shutil.rmtree(folder, ignore_errors=True)
    with ScratchSite(folder) as site:
        os.environ.update(AUTOANNOTATOR_DATA=str(folder), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
        import django

        django.setup()
        text = run_all(site, datasets)
    write("main_job", "The main job on real data", text)


if __name__ == "__main__":
    main()
