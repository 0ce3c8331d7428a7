"""Steps of a chaos run beside a site of its own: reads `["step", arguments...]` lines, answers with JSON lines."""

import csv
import io
import json
import sys
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from benchmarks.histories import labelled, wrong_time_lines  # noqa: E402
from labeling.datasets.actions.imports import start_import  # noqa: E402
from labeling.datasets.actions.uploads import Plan, receive_stream  # noqa: E402
from labeling.datasets.models import Dataset, Upload, UploadState  # noqa: E402
from labeling.datasets.readers.parts import Columns, Reading  # noqa: E402
from labeling.exports.actions import create_export, file_of  # noqa: E402
from labeling.exports.models import Export  # noqa: E402
from labeling.jobs.models import Chunk, ChunkState, Job  # noqa: E402
from labeling.labels.models import Consensus, ItemState, Label, ReviewItem, Verdict, Vote  # noqa: E402
from labeling.projects.models import Project  # noqa: E402
from labeling.runs.actions import start_run  # noqa: E402
from labeling.runs.models import Run, RunState  # noqa: E402
from labeling.runs.policies import Policy  # noqa: E402
from labeling.runs.queries import votable_versions  # noqa: E402
from tests.labeling.counts import recount  # noqa: E402
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user  # noqa: E402
from tests.labeling.pool import make_pool  # noqa: E402

SLUG = "chaos"


def setup(rows, delay_s):
    """A project with a pool, and an import under way; the cookie of its annotator."""
    user = make_user("ann")
    project = make_project(user, slug=SLUG)
    make_pool(project, settings.DATA / "fakes", noise=0.25, delay_s=float(delay_s))
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["id", "text"])
    writer.writerows([f"r{i}", f"text number {i % (int(rows) * 9 // 10)}"] for i in range(int(rows)))
    upload = receive_stream(project=project, stream=io.BytesIO(table.getvalue().encode()), filename="rows.csv", by=user)
    start_import(upload=upload, plan=Plan(reading=Reading(), columns=Columns(text="text", id="id")))
    client = Client()
    client.force_login(user)
    return {"session": client.cookies[settings.SESSION_COOKIE_NAME].value, "classes": class_ids(project)}


def class_ids(project):
    return list(project.classes.values_list("id", flat=True))


def start():
    """The run, as soon as the data set is there."""
    project = Project.objects.get(slug=SLUG)
    upload = Upload.objects.get()
    if upload.state != UploadState.DONE:
        return {"is_started": False, "state": upload.state, "error": upload.error}
    dataset = Dataset.objects.get()
    start_run(project=project, dataset=dataset, versions=votable_versions(project), policy=Policy(3), by=None)
    return {"is_started": True}


def export():
    """A file of what is there."""
    create_export(dataset=Dataset.objects.get(), by=None)
    return {}


def status():
    """Whether everything is over."""
    run, written = Run.objects.first(), Export.objects.first()
    return {
        "is_voted": run is not None and run.state in {RunState.REVIEWING, RunState.DONE},
        "is_done": run is not None and run.state == RunState.DONE,
        "is_exported": written is not None and written.is_ready,
        "dead": list(Chunk.objects.filter(state=ChunkState.DEAD).values_list("error", flat=True)),
        "jobs": list(Job.objects.values_list("kind", "state", "progress", "total")),
    }


def verify(rows, *client_ids):
    """What must hold after any kill: nothing missing, nothing doubled, no decision lost, counters equal a recount."""
    rows, run = int(rows), Run.objects.get()
    positions = list(Dataset.objects.get().samples.order_by("position").values_list("position", flat=True))
    verdicts = {str(pk) for pk in Verdict.objects.filter(is_stale=False).values_list("client_id", flat=True)}
    with Path(file_of(Export.objects.get())).open(encoding="utf-8", newline="") as file:
        exported = list(csv.DictReader(file))
    return {
        "samples": positions == list(range(rows)),
        "votes": Vote.objects.count() == 3 * rows,
        "consensus": Consensus.objects.count() == rows,
        "labels": Label.objects.filter(is_current=True).count() == rows,
        "counters": (run.voted, run.accepted, run.hard, run.decided) == recount(run),
        "items": set(ReviewItem.objects.values_list("state", flat=True)) == {ItemState.DECIDED},
        "decisions": set(client_ids) <= verdicts,
        "no decision twice": Verdict.objects.count() == ReviewItem.objects.count(),
        "export": [row["id"] for row in exported] == [f"r{i}" for i in range(rows)]
        and all(row["label"] for row in exported),
    }


def setup_review(texts, people):
    """A project whose texts all wait for people; the cookies of its annotators."""
    project = make_project(make_user("ann"), slug=SLUG)
    make_run(make_dataset(project, [f"text number {number}" for number in range(int(texts))]))
    sessions = []
    for number in range(int(people)):
        user = make_user(f"person-{number}")
        add_member(project, user)
        client = Client()
        client.force_login(user)
        sessions.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    return {"sessions": sessions, "classes": class_ids(project)}


def reviewed():
    """How many texts are decided, and how many wait."""
    items = ReviewItem.objects.filter(project__slug=SLUG)
    return {state: items.filter(state=value).count() for state, value in (("decided", "decided"), ("left", "open"))}


def verify_review(texts, *client_ids):
    """What must hold of people's decisions: sent, stored and told are the same, counters equal a recount."""
    run, verdicts = Run.objects.get(), Verdict.objects.all()
    stored = {str(one) for one in verdicts.values_list("client_id", flat=True)}
    current = verdicts.filter(is_current=True)
    project = Project.objects.get(slug=SLUG)
    return {
        "decisions": set(client_ids) == stored,
        "histories": labelled(project) == stored,
        "time lines": wrong_time_lines(project, int(texts)) == (0, f"{texts} read"),
        "one verdict a text": current.count() == current.values("item").distinct().count() == int(texts),
        "nothing else": verdicts.count() == int(texts),
        "labels": Label.objects.filter(is_current=True).count() == int(texts),
        "counters": (run.voted, run.accepted, run.hard, run.decided) == recount(run),
    }


STEPS = {
    "setup": setup,
    "start": start,
    "export": export,
    "status": status,
    "verify": verify,
    "setup_review": setup_review,
    "reviewed": reviewed,
    "verify_review": verify_review,
}

if __name__ == "__main__":
    for line in sys.stdin:
        step, *arguments = json.loads(line)
        answer = STEPS[step](*arguments)
        connection.close()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
