"""When an export's one part happens."""

from labeling.datasets.space import full_message, is_disk_full
from labeling.exports.actions import close_export, write_file
from labeling.exports.models import Export
from labeling.jobs.actions import Claim, add_chunks, finishing
from labeling.jobs.models import ChunkState, Job, JobState
from labeling.pipeline.hand import Hand
from labeling.web.errors import ActionError

QUEUE = "io"
STAGE = "write"


def write(claim: Claim, hand: Hand) -> None:
    """Write the whole file; a repeat after a kill starts anew beside the old part."""
    export = Export.objects.select_related("dataset__project").get(pk=claim.subject)
    try:
        written = write_file(export=export, token=str(claim.attempts), report=hand.report)
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise ActionError(full_message()) from error
    with finishing(claim) as job:
        close_export(export=export, written=written)
        job.progress = job.total = export.dataset.row_count


def advance(job: Job) -> None:
    """One chunk, then done or failed."""
    if job.is_over:
        return
    if not job.stage:
        job.stage = STAGE
        add_chunks(job=job, stage=STAGE, queue=QUEUE, ranges=[(0, 1)])
        return
    chunk = job.chunks.get(stage=STAGE)
    if chunk.state == ChunkState.DONE:
        job.state = JobState.DONE
    elif chunk.state == ChunkState.DEAD:
        job.state, job.error = JobState.FAILED, chunk.error
