"""A job as people see it: open, add work, change its state, try again."""

from collections.abc import Iterable
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from labeling.jobs.bell import ring
from labeling.jobs.models import Chunk, ChunkState, Job, JobState
from labeling.jobs.publish import publish
from labeling.web.bulk import insert_rows
from labeling.web.errors import ActionError

ADVANCE_QUEUE = "io"


def open_job(*, project_id: int, kind: str, subject: int, total: int = 0) -> Job:
    """A new running job, dirty so that `advance` gives it its first chunks."""
    job = Job.objects.create(project_id=project_id, kind=kind, subject=subject, total=total)
    ring(ADVANCE_QUEUE)
    return job


def begin_stage(*, job: Job, stage: str, total: int) -> None:
    """The next stage of a job that the caller has locked and will save, also of one that was done."""
    job.stage, job.state, job.error = stage, JobState.RUNNING, ""
    job.progress, job.total, job.finished_at = 0, total, None
    job.counted_from = timezone.now()


def mark_dirty(*, kind: str, subject: int) -> None:
    """Let `advance` look at the newest job of that kind and subject, also at one that is over.

    The mark is part of the open transaction unless somebody holds the job; then it follows the commit, so that a
    caller that holds other locks never waits for this one.
    """
    for job_id in Job.objects.filter(kind=kind, subject=subject).order_by("-id").values_list("id", flat=True)[:1]:
        if _is_free(job_id):
            _mark(job_id)
        else:
            transaction.on_commit(partial(_mark, job_id))
    ring(ADVANCE_QUEUE)


def _mark(job_id: int) -> None:
    Job.objects.filter(pk=job_id).update(is_dirty=True)


def _is_free(job_id: int) -> bool:
    """Whether no other transaction has locked the job; then this one has it, where there is one."""
    if not connection.features.has_select_for_update_skip_locked:
        return True
    with transaction.atomic():
        return bool(list(Job.objects.select_for_update(skip_locked=True).filter(pk=job_id).values_list("id")))


def add_chunks(
    *, job: Job, stage: str, queue: str, ranges: Iterable[tuple[int, int]], generation: int = 0, first: int = 0
) -> None:
    """Chunks for the ranges, numbered from `first`; those that are there already stay as they are."""
    fields = (
        "job_id",
        "generation",
        "stage",
        "idx",
        "low",
        "high",
        "queue",
        "state",
        "owner",
        "attempts",
        "errors",
        "lost_leases",
        "progress",
        "error",
    )
    rows = [
        (job.pk, generation, stage, idx, low, high, queue, ChunkState.TODO.value, "", 0, 0, 0, 0, "")
        for idx, (low, high) in enumerate(ranges, first)
    ]
    insert_rows(Chunk, fields, rows)
    ring(queue)


def set_state(*, job: Job, state: JobState, error: str = "") -> Job:
    """Move the job to `state`: pause, resume, cancel, done, failed. Raises ActionError when the job is over."""
    with transaction.atomic():
        locked = Job.objects.select_for_update().get(pk=job.pk)
        if locked.is_over and state != locked.state:
            raise ActionError("This work is over; it cannot be changed any more.")
        locked.state, locked.error, locked.is_dirty = state, error, True
        if locked.is_over:
            locked.finished_at = timezone.now()
        locked.save()
        publish(locked)
    ring(ADVANCE_QUEUE)
    return locked


def retry_dead(*, job: Job) -> int:
    """Give the job's dead chunks another chance; returns how many."""
    with transaction.atomic():
        locked = Job.objects.select_for_update().get(pk=job.pk)
        dead = locked.chunks.filter(state=ChunkState.DEAD)
        queues = set(dead.values_list("queue", flat=True))
        count = dead.update(state=ChunkState.TODO, errors=0, lost_leases=0, not_before=None)
        locked.state, locked.error, locked.is_dirty, locked.finished_at = JobState.RUNNING, "", True, None
        locked.save()
        publish(locked)
    for queue in queues:
        ring(queue)
    return count


def restart_job(*, job: Job) -> Job:
    """Begin a job that is over anew: without its chunks, under the same topic, so that its events go on counting."""
    with transaction.atomic():
        locked = Job.objects.select_for_update().get(pk=job.pk)
        locked.chunks.all().delete()
        locked.stage, locked.state, locked.error, locked.is_dirty = "", JobState.RUNNING, "", True
        locked.progress, locked.total, locked.finished_at = 0, 0, None
        locked.counted_from = timezone.now()
        locked.save()
        publish(locked)
    ring(ADVANCE_QUEUE)
    return locked
