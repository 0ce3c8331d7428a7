"""Importing in tests as a person and the workers do it."""

from io import BytesIO

from labeling.datasets.actions.imports import start_import
from labeling.datasets.actions.uploads import Plan, receive_stream
from labeling.datasets.engine import path_of, reading_of
from labeling.datasets.readers.preview import read_preview
from labeling.jobs.models import Chunk
from labeling.pipeline.work import do_one


def work_off(queues=("io",)):
    """Do all the work there is; parts that wait before they are tried again do not wait."""
    while do_one(queues, "test") or Chunk.objects.filter(state="todo", not_before__isnull=False).update(
        not_before=None
    ):
        pass


def receive(project, content, filename="data.csv"):
    data = content.encode() if isinstance(content, str) else content
    return receive_stream(project=project, stream=BytesIO(data), filename=filename, by=project.created_by)


def begin(upload, **plan):
    """Start the import of an upload; what is not given is as the preview guesses."""
    reading = plan.pop("reading", None) or reading_of(upload)
    columns = plan.pop("columns", None) or read_preview(path_of(upload), reading).guess
    return start_import(upload=upload, plan=Plan(reading=reading, columns=columns, **plan))


def import_file(project, content, filename="data.csv", **plan):
    """The upload after its import."""
    upload = receive(project, content, filename)
    begin(upload, **plan)
    work_off()
    upload.refresh_from_db()
    return upload
