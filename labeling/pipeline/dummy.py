"""A job without any subject: proves claim, fence, finish and recovery, and measures the cost of a chunk."""

from labeling.jobs.actions import Claim, add_chunks, finishing
from labeling.jobs.models import Job, JobState
from labeling.jobs.queries import has_open_chunks
from labeling.pipeline.hand import Hand

PARTS = 20


def count(claim: Claim, hand: Hand) -> None:
    """Count the rows of the chunk one by one."""
    for done in range(claim.high - claim.low):
        hand.report(done)
    with finishing(claim) as job:
        job.progress += claim.high - claim.low


def advance(job: Job) -> None:
    """`total` rows in twenty chunks, then done."""
    if not job.stage:
        job.stage = "count"
        size = max(1, job.total // PARTS)
        add_chunks(
            job=job,
            stage="count",
            queue="io",
            ranges=[(low, min(low + size, job.total)) for low in range(0, job.total, size)],
        )
    elif not has_open_chunks(job, "count"):
        job.state = JobState.DONE
