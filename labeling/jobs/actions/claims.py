"""A chunk in a worker's hand: claim, renew, report, store, finish, give back, fail."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from labeling.jobs.bell import ring
from labeling.jobs.models import Chunk, ChunkState, Job, JobState
from labeling.jobs.publish import publish

MAX_ERRORS = 3
MAX_LOST_LEASES = 5
ADVANCE_QUEUE = "io"


class LeaseLost(Exception):
    """Somebody else holds the chunk now, or its job stopped: what was computed must not be stored."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk in hand. owner and attempts together are the fence: unique per claim."""

    chunk_id: int
    job_id: int
    project_id: int
    kind: str
    subject: int
    stage: str
    generation: int
    idx: int
    low: int
    high: int
    owner: str
    attempts: int


def claim(*, queues: Iterable[str], owner: str) -> Claim | None:
    """The oldest claimable chunk of the queues, leased to `owner`; None when there is nothing to do."""
    wanted = _claimable(list(queues), timezone.now())
    if not wanted.exists():  # a plain read: an idle worker never takes SQLite's write lock
        return None
    with transaction.atomic():
        chunk = _lock_first(wanted)
        return _lease(chunk, owner) if chunk else None


def _claimable(queues: list[str], now: datetime) -> QuerySet[Chunk]:
    open_states = Q(state=ChunkState.TODO) | Q(state=ChunkState.RUNNING, lease_until__lt=now)
    due = Q(not_before=None) | Q(not_before__lte=now)
    return Chunk.objects.filter(open_states, due, queue__in=queues, job__state=JobState.RUNNING).order_by("id")


def _lock_first(wanted: QuerySet[Chunk]) -> Chunk | None:
    if connection.features.has_select_for_update_skip_locked:
        wanted = wanted.select_for_update(skip_locked=True, of=("self",))
    return wanted.select_related("job").first()


def _lease(chunk: Chunk, owner: str) -> Claim | None:
    """Lease a locked chunk. One that lost its lease too often is dead: it probably kills its workers."""
    if chunk.state == ChunkState.RUNNING:
        chunk.lost_leases += 1
        if chunk.lost_leases >= MAX_LOST_LEASES:
            _bury(
                chunk,
                chunk.error or "Its worker was lost five times on this part. See the worker's log, then retry.",
            )
            return None
    chunk.state = ChunkState.RUNNING
    chunk.owner, chunk.attempts = owner, chunk.attempts + 1
    chunk.lease_until, chunk.progress = timezone.now() + timedelta(seconds=settings.LEASE_S), 0
    chunk.save()
    job = chunk.job
    return Claim(
        chunk.pk,
        job.pk,
        job.project_id,
        job.kind,
        job.subject,
        chunk.stage,
        chunk.generation,
        chunk.idx,
        chunk.low,
        chunk.high,
        owner,
        chunk.attempts,
    )


def _fenced(claim: Claim) -> QuerySet[Chunk]:
    return Chunk.objects.filter(pk=claim.chunk_id, owner=claim.owner, attempts=claim.attempts, state=ChunkState.RUNNING)


def renew(claim: Claim) -> bool:
    """Push the lease's end; False when the claim is no longer ours or its job is not running any more."""
    with transaction.atomic():
        until = timezone.now() + timedelta(seconds=settings.LEASE_S)
        return bool(_fenced(claim).filter(job__state=JobState.RUNNING).update(lease_until=until))


@contextmanager
def storing(claim: Claim) -> Iterator[Job]:
    """One transaction for results while the chunk goes on: the job locked, the claim fenced. Raises LeaseLost."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=claim.job_id)
        if job.state == JobState.CANCELLED or not _fenced(claim).update(progress=F("progress")):
            raise LeaseLost
        yield job


@contextmanager
def finishing(claim: Claim) -> Iterator[Job]:
    """One transaction that stores results and closes the chunk: job locked, claim fenced. Raises LeaseLost."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=claim.job_id)
        if job.state == JobState.CANCELLED:
            raise LeaseLost
        if not _fenced(claim).update(state=ChunkState.DONE, lease_until=None, error=""):
            raise LeaseLost
        yield job
        job.is_dirty = True
        job.save(update_fields=["is_dirty", "progress", "total", "error"])
        publish(job)
    ring(ADVANCE_QUEUE)


def report(claim: Claim, done: int) -> bool:
    """Store how many rows of the chunk are done and tell those who watch; False when the work should not go on."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=claim.job_id)
        if job.state != JobState.RUNNING or not _fenced(claim).update(progress=done):
            return False
        publish(job)
        return True


def give_back(claim: Claim, *, not_before: datetime | None = None, note: str = "") -> None:
    """Put the chunk back untouched (a stop, a pause, a long Retry-After). Counts neither as error nor as lost lease.

    `note` says for people why it waits, until it is done.
    """
    with transaction.atomic():
        back = {"state": ChunkState.TODO, "owner": "", "lease_until": None, "not_before": not_before, "progress": 0}
        _fenced(claim).update(**back, **({"error": note} if note else {}))


def fail(claim: Claim, error: str, *, is_final: bool = False) -> None:
    """Store the error; after three (or a final one) the chunk is dead and waits for a person. The others go on."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=claim.job_id)
        chunk = _fenced(claim).first()
        if chunk is None:
            return
        chunk.errors += 1
        if is_final or chunk.errors >= MAX_ERRORS:
            _bury(chunk, error)
        else:
            chunk.state, chunk.owner, chunk.lease_until, chunk.error = ChunkState.TODO, "", None, error
            chunk.not_before = timezone.now() + timedelta(seconds=min(2.0**chunk.errors, settings.LEASE_S) / 10)
            chunk.save()
        job.is_dirty = True
        job.save(update_fields=["is_dirty"])
        publish(job)
    ring(ADVANCE_QUEUE)


def _bury(chunk: Chunk, error: str) -> None:
    chunk.state, chunk.owner, chunk.lease_until, chunk.error = ChunkState.DEAD, "", None, error
    chunk.save()
    Job.objects.filter(pk=chunk.job_id).update(is_dirty=True)
