"""Claim, do, store: one piece of work at a time, from whatever job has one."""

from collections.abc import Callable, Sequence

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from annotator_core.errors import AnnotatorError
from labeling.datasets.space import full_message, is_disk_full
from labeling.jobs.actions import Claim, LeaseLost, claim, fail, give_back
from labeling.jobs.models import Job
from labeling.jobs.publish import publish
from labeling.jobs.queries import dirty_job_ids
from labeling.pipeline.hand import Hand, Keeper, StopWork
from labeling.pipeline.table import advancer, handler
from labeling.web.errors import ActionError

log = structlog.get_logger(__name__)
ADVANCE_QUEUE = "io"
TURNS = ("consensus", "refine")
_served: dict[str, str] = {}


def do_one(queues: Sequence[str], owner: str, is_leaving: Callable[[], bool] = lambda: False) -> bool:
    """Advance a dirty job or do one chunk; False when there is nothing to do."""
    if ADVANCE_QUEUE in queues and advance_dirty():
        return True
    claimed = _claim_in_turn(queues, owner)
    if claimed is None:
        return False
    with Keeper(claimed) as keeper:
        _do(claimed, Hand(claimed, is_leaving, keeper.is_lost))
    return True


def _claim_in_turn(queues: Sequence[str], owner: str) -> Claim | None:
    """A part of the queues; of the two heavy ones first from the one that this hand did not serve last.

    Otherwise the older chunks of one would keep the younger ones of the other waiting to the end.
    """
    heavy = [queue for queue in TURNS if queue in queues]
    if len(heavy) < len(TURNS):
        return claim(queues=queues, owner=owner)
    light = [queue for queue in queues if queue not in TURNS]
    if light and (claimed := claim(queues=light, owner=owner)):
        return claimed
    for queue in sorted(heavy, key=lambda one: one == _served.get(owner)):
        if claimed := claim(queues=[queue], owner=owner):
            _served[owner] = queue
            return claimed
    return None


def _do(claimed: Claim, hand: Hand) -> None:
    """Run the handler; whatever it raises ends in a state that a person can see."""
    try:
        handler(claimed.kind, claimed.stage)(claimed, hand)
    except StopWork:
        give_back(claimed)
    except LeaseLost:
        log.warning("lease lost: another worker has this part now", chunk=claimed.chunk_id, job=claimed.job_id)
    except (AnnotatorError, ActionError) as error:
        fail(claimed, str(error), is_final=not getattr(error, "retryable", False))
    except Exception as error:
        # The edge of the worker: nothing above could act, and a part that fails must never take the others with it.
        log.exception("part failed", chunk=claimed.chunk_id, job=claimed.job_id, kind=claimed.kind)
        fail(claimed, _told(error))


def _told(error: Exception) -> str:
    """The error for a person: a full disk says what to do, anything else its kind and text."""
    if isinstance(error, DatabaseError | OSError) and is_disk_full(error):
        return full_message()
    return f"{type(error).__name__}: {error}"[:1_000]


def advance_dirty() -> bool:
    """Let every job that was marked dirty take its next step; False when there was none."""
    ids = dirty_job_ids()
    for job_id in ids:
        _advance(job_id)
    return bool(ids)


def _advance(job_id: int) -> None:
    """One transaction: the job locked, its next step, the mark taken off. A kill in between leaves the mark."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id, is_dirty=True).first()
        if job is None:
            return
        job.is_dirty = False
        advancer(job.kind)(job)
        if job.is_over and job.finished_at is None:
            job.finished_at = timezone.now()
        job.save()
        publish(job)
