"""Telling those who watch a run that people decide: at most one event a second."""

from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from labeling.jobs.models import Event, Job
from labeling.jobs.publish import publish
from labeling.jobs.queries import job_of
from labeling.web.prepared import Prepared

QUIET_S = 1.0  # architecture.md, "Live": at most one a second for human decisions


_told = Prepared(
    lambda topic: Event.objects.filter(topic=topic).order_by("-seq").values_list("created_at", flat=True)[:1]
)


def announce(run_ids: set[int]) -> None:
    """Publish the runs' state once the open transaction has committed, so that no decision waits for a job's lock."""
    for run_id in run_ids:
        transaction.on_commit(partial(_publish, run_id))


def _publish(run_id: int) -> None:
    told = _told(f"run:{run_id}")
    if told and told[0] > timezone.now() - timedelta(seconds=QUIET_S):
        return
    job = job_of("run", run_id)
    if job is None:
        return
    with transaction.atomic():
        locked = Job.objects.select_for_update().get(pk=job.pk)
        if locked.seq == job.seq:
            publish(locked)
