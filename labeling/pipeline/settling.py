"""A long queue follows the project's overlap and members: one part at a time, anew where they changed meanwhile."""

from labeling.jobs.actions import Claim, add_chunks, finishing
from labeling.jobs.models import ChunkState, Job, JobState
from labeling.jobs.queries import has_open_chunks, next_index
from labeling.labels.actions.overlap import count_unsettled, settle_overlap
from labeling.pipeline.hand import Hand
from labeling.projects.models import Project

QUEUE = "io"
STAGE = "settle"


def settle(claim: Claim, hand: Hand) -> None:
    """Bring the whole queue to the numbers of now; a repeat after a kill goes on where the first one was."""
    project = Project.objects.get(pk=claim.subject)
    settle_overlap(project=project, tell=hand.report)
    with finishing(claim) as job:
        job.progress = job.total


def advance(job: Job) -> None:
    """One part; another one when people or numbers changed while it was at work; then done or failed."""
    if job.is_over:
        return
    dead = job.chunks.filter(state=ChunkState.DEAD).first()
    if dead:
        job.state, job.error = JobState.FAILED, dead.error
        return
    if job.stage and has_open_chunks(job, STAGE):
        return
    left = count_unsettled(Project.objects.get(pk=job.subject))
    if not left:
        job.state = JobState.DONE
        return
    job.stage, job.progress, job.total = STAGE, 0, left
    add_chunks(job=job, stage=STAGE, queue=QUEUE, ranges=[(0, left)], first=next_index(job, STAGE))
