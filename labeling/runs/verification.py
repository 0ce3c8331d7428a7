"""What a run's page tells of its verification: progress, money, what was saved, and why it stands still."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils import timezone

from labeling.jobs.models import ChunkState, Event, Job, JobState
from labeling.jobs.queries import Progress, job_of, progress_of
from labeling.llm.models import Budget, Connection, Purpose
from labeling.llm.queries import Totals, budget_of, totals_of
from labeling.runs.actions import VERIFY_KIND
from labeling.runs.models import EXAMPLES, Run, RunState
from labeling.runs.saving import Saving, timed_saving_of

StopKind = Literal["connection", "examples", "budget"]
WaitKind = Literal["asked", "silent", "other"]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the verification stands still until a person acts. `broken` are connections that want to be mended."""

    kind: StopKind
    reason: str
    at: datetime | None
    broken: list[Connection]


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when nothing is asked, and why: the endpoint asked for a pause or does not answer, or anything else."""

    kind: WaitKind
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """A run's verification as its page shows it."""

    job: Job
    progress: Progress
    connections: list[Connection]
    budget: Budget
    totals: Totals
    saving: Saving | None
    stop: Stop | None
    wait: Wait | None

    @property
    def is_at_work(self) -> bool:
        """Whether it has something to ask or to settle: a job with nothing to do is done until rows wake it."""
        return self.job.state == JobState.RUNNING and bool(self.job.stage)

    @property
    def spent_share(self) -> str:
        """Of the cap, 0 to 1, as a meter takes it."""
        return f"{min(1.0, self.budget.spent_nano / self.budget.cap_nano):.4f}" if self.budget.cap_nano else "1"


def verification_of(run: Run) -> Verification | None:
    """The run's verification, from counters; None where people review. A handful of queries, whatever the rows."""
    job = job_of(VERIFY_KIND, run.pk) if run.has_verifier else None
    if job is None:
        return None
    connections = [one.connection for one in run.verifiers.select_related("connection")]
    totals = totals_of(run.project, run=run.pk, purpose=Purpose.VERIFY)
    budget = budget_of(run.project_id, run.pk)
    return Verification(
        job=job,
        progress=progress_of(job),
        connections=connections,
        budget=budget,
        totals=totals,
        saving=timed_saving_of(run, totals, len(connections)),
        stop=_stop_of(run, job, connections, budget),
        wait=_wait_of(job, connections),
    )


def missing_nano(run: Run, found: Verification) -> int | None:
    """What the rows that still wait would cost more than is left, at the run's mean call; None before any answer."""
    if found.saving is None:
        return None
    waiting = max(0, found.progress.total - found.progress.done) or run.asking
    wanted = waiting * found.saving.measure.calls_a_text * found.saving.measure.nano
    return max(0, round(wanted) - found.budget.left_nano)


def _stop_of(run: Run, job: Job, connections: list[Connection], budget: Budget) -> Stop | None:
    """A job that is paused while its run is not has met something that a person must settle.

    A run that shows examples and has asked nothing yet waits for them, as its reason says.
    """
    if job.state != JobState.PAUSED or run.state == RunState.PAUSED or not run.is_active:
        return None
    newest = Event.objects.filter(topic=job.topic).order_by("-seq").first()
    broken = [one for one in connections if one.error or one.is_retired]
    is_unasked = run.ask_strategy in EXAMPLES and not budget.spent_nano
    kind: StopKind = "connection" if broken else "examples" if is_unasked else "budget"
    return Stop(kind, job.error, newest.created_at if newest else None, broken)


def _wait_of(job: Job, connections: list[Connection]) -> Wait | None:
    if job.state != JobState.RUNNING:
        return None
    left_alone = [one for one in connections if one.is_quiet]
    kind: WaitKind = "asked" if left_alone else "other"
    if any(one.silent_breaks for one in left_alone):
        kind = "silent"
    waiting = job.chunks.filter(state=ChunkState.TODO, not_before__gt=timezone.now()).order_by("not_before").first()
    return Wait(kind, waiting.not_before, waiting.error) if waiting and waiting.not_before else None
