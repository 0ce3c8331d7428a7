"""An import's course: started, stopped, tried again, finished, or taken back whole."""

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.datasets.actions.uploads import Plan, check_replaceable, configure_upload
from labeling.datasets.engine import path_of
from labeling.datasets.models import Dataset, RefusedRow, Sample, Upload, UploadMode, UploadState
from labeling.datasets.queries import active_run_number
from labeling.jobs.actions import open_job, restart_job, retry_dead
from labeling.jobs.models import Job
from labeling.jobs.queries import job_of
from labeling.projects.models import Project
from labeling.web.errors import ActionError

KIND = "import"
CLEAR_ROWS = 2_000
ANALYZE_FROM = 100_000  # chosen: from here on an index always beats a scan for a batch of ids


@transaction.atomic
def start_import(*, upload: Upload, plan: Plan) -> Job:
    """Store the plan and open the job that imports the file. Raises ActionError with the field."""
    configured = configure_upload(upload=upload, plan=plan)
    _begin(configured, plan.name)
    return open_job(project_id=configured.project_id, kind=KIND, subject=configured.pk)


def _begin(upload: Upload, name: str) -> None:
    """Put the upload's counters to the start of an import, with the data set that gets its rows."""
    dataset = upload.target if upload.mode == UploadMode.APPEND else _create_dataset(upload, name)
    assert dataset is not None  # noqa: S101 (configure_upload has refused an append without a target)
    upload.dataset, upload.state, upload.error, upload.is_stop_asked = dataset, UploadState.IMPORTING, "", False
    upload.next_position = dataset.row_count
    upload.records_done = upload.accepted_count = upload.refused_count = upload.record_count = 0
    upload.gold_count, upload.gold_unknown, upload.carried_count = 0, {}, 0
    upload.save()
    RefusedRow.objects.filter(upload=upload).delete()


def _create_dataset(upload: Upload, name: str) -> Dataset:
    Project.objects.select_for_update().get(pk=upload.project_id)
    last = Dataset.objects.filter(project_id=upload.project_id).aggregate(last=Max("number"))["last"] or 0
    default = upload.target.name if upload.target else upload.filename.rsplit(".", 1)[0]
    return Dataset.objects.create(
        project_id=upload.project_id,
        number=last + 1,
        name=(name.strip() or default)[:200],
        columns=upload.columns,
        text_column=upload.text_column,
    )


def stop_import(*, upload: Upload) -> None:
    """Ask the worker to stop and take back what is stored. Raises ActionError when nothing is going on."""
    is_going = Upload.objects.filter(pk=upload.pk, state=UploadState.IMPORTING).update(is_stop_asked=True)
    if not is_going:
        raise ActionError(_("This import is over already."))


@transaction.atomic
def retry_import(*, upload: Upload) -> Job:
    """Try a failed import again: from the start when its rows were taken back, else from where it failed.

    Raises ActionError when it has not failed, or its file is gone.
    """
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    job = job_of(KIND, locked.pk)
    if locked.state != UploadState.FAILED or job is None:
        raise ActionError(_("Only a failed import can be tried again."))
    if locked.dataset_id is None:
        if not path_of(locked).exists():
            raise ActionError(_("The uploaded file is gone from the server. Upload it again."))
        _begin(locked, "")
        return restart_job(job=job)
    locked.state, locked.error, locked.is_stop_asked = UploadState.IMPORTING, "", False
    locked.save(update_fields=["state", "error", "is_stop_asked"])
    retry_dead(job=job)
    return job


def clear_rows(*, upload: Upload) -> None:
    """Take back every row the upload brought, in short transactions; a data set that was new goes with them."""
    dataset = upload.dataset
    if dataset is None:
        return
    while _clear_some(dataset):
        pass
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(
            dataset=None, records_done=0, next_position=0, record_count=0, accepted_count=0, gold_count=0
        )
        if not dataset.is_ready:
            dataset.delete()


def _clear_some(dataset: Dataset) -> int:
    """Delete some samples after those that count; an import's rows only count when it has finished."""
    with transaction.atomic():
        after = Sample.objects.filter(dataset=dataset, position__gte=dataset.row_count)
        top = after.aggregate(top=Max("position"))["top"]
        if top is None:
            return 0
        return after.filter(position__gt=top - CLEAR_ROWS).delete()[0]


def analyze() -> None:
    """Let the database learn how the samples are spread: without it a page of an export may sort the whole table.

    SQLite keeps what it learned until it is told again: from a small table it learns to scan, and the next import would
    scan the growing table for every batch. So it learns from large tables only; its own guesses suit small ones.
    """
    if connection.vendor == "sqlite" and (Sample.objects.aggregate(last=Max("id"))["last"] or 0) < ANALYZE_FROM:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA analysis_limit=1000")
        cursor.execute(f"ANALYZE {Sample._meta.db_table}")


def finish_import(*, upload: Upload) -> None:
    """Let the rows count: the data set is ready, a replaced one archived. Raises ActionError while a run is on that."""
    dataset, target = upload.dataset, upload.target
    assert dataset is not None  # noqa: S101 (an upload in work has one)
    if upload.mode == UploadMode.REPLACE and target is not None:
        check_replaceable(target)
        target.archived_at, target.replaced_by = timezone.now(), dataset
        target.save(update_fields=["archived_at", "replaced_by"])
    dataset.row_count, dataset.is_ready = upload.next_position, True
    dataset.save(update_fields=["row_count", "is_ready"])
    upload.state, upload.error = UploadState.DONE, ""
    upload.save(update_fields=["state", "error"])
    transaction.on_commit(lambda: path_of(upload).unlink(missing_ok=True))


def fail_import(*, upload: Upload, error: str) -> None:
    """Show the error and wait for a person."""
    Upload.objects.filter(pk=upload.pk).update(state=UploadState.FAILED, error=error)


@transaction.atomic
def archive_dataset(*, dataset: Dataset) -> None:
    """Take the data set out of use; its rows, votes and labels stay. Raises ActionError while a run is active on it."""
    locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
    number = active_run_number(locked)
    if number is not None:
        raise ActionError(_("Run %(number)d is active on this data set. Cancel it first.") % {"number": number})
    if not locked.archived_at:
        locked.archived_at = timezone.now()
        locked.save(update_fields=["archived_at"])
