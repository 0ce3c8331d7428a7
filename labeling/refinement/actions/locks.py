"""The order of locks, the same everywhere: the round's job, the run's job, the run, the round."""

from labeling.jobs.models import Job
from labeling.jobs.queries import job_of
from labeling.refinement.models import RefinementRound
from labeling.runs.actions import KIND as RUN_KIND
from labeling.runs.models import Run

KIND = "round"


def lock_run(run_id: int) -> Run:
    """The run as it is now, after its job: nobody changes either until the transaction ends."""
    job = job_of(RUN_KIND, run_id)
    if job:
        Job.objects.select_for_update().get(pk=job.pk)
    return Run.objects.select_for_update().get(pk=run_id)


def lock_round(round_id: int) -> RefinementRound:
    """The round as it is now; lock its run first where that is needed, too."""
    return RefinementRound.objects.select_for_update().get(pk=round_id)


def lock_job_of(round_: RefinementRound) -> Job | None:
    """The round's job, locked; before anything else."""
    job = job_of(KIND, round_.pk)
    return Job.objects.select_for_update().get(pk=job.pk) if job else None
