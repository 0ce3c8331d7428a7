"""Event rows: numbered snapshots of a job for those who watch it."""

from datetime import timedelta

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone
from redis.exceptions import RedisError

from labeling.jobs.models import ChunkState, Event, Job

log = structlog.get_logger(__name__)
GROUP = "events"
EVENT_AGE_S = 24 * 3600.0


def publish(job: Job) -> None:
    """Store a snapshot of a job that the caller has locked, and wake the tailers on commit."""
    job.seq += 1
    Job.objects.filter(pk=job.pk).update(seq=job.seq)
    working = job.chunks.filter(state=ChunkState.RUNNING).aggregate(rows=Sum("progress"))["rows"] or 0
    state = {"job": job.state, "stage": job.stage, "progress": job.progress + working, "total": job.total}
    Event.objects.create(topic=job.topic, seq=job.seq, state=state)
    transaction.on_commit(_wake)


def prune_events(*, older_than_s: float = EVENT_AGE_S) -> int:
    """Delete events that nobody will read any more; the last of each topic stays. Returns how many."""
    old = timezone.now() - timedelta(seconds=older_than_s)
    newest = Event.objects.values("topic").annotate(last=Max("id")).values("last")
    return Event.objects.filter(created_at__lt=old).exclude(id__in=newest).delete()[0]


def _wake() -> None:
    """Only a hint to look at the rows: without a channel layer the tailers look twice a second anyway."""
    layer = get_channel_layer()
    if layer is None or not settings.CHANNEL_URL:
        return
    try:
        async_to_sync(layer.group_send)(GROUP, {"type": "events.new"})
    except (OSError, RedisError):
        log.warning("channel layer not reached: pages learn of this within half a second instead")
