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
from labeling.runs.models import AskStrategy, Run, RunState


@dataclass(frozen=True, slots=True)
class Saving:
    """What a run's calls took, and what asking about every row would take at the same measure.

    `labeled` are the rows that got their label from them, copies of texts included. The measure is a mean answered call
    of this run, times `calls_a_text` (models times draws). Tokens are in and out together. `share` (0 to 1) is what was
    not spent; below 0 where asking all at once had cost less.
    """

    rows: int
    labeled: int
    calls: int
    tokens: int
    cost_nano: int
    calls_a_text: int
    tokens_a_call: float
    nano_a_call: float

    @property
    def nano_a_label(self) -> int | None:
        """What a label cost, in nano-dollars; None where none was given."""
        return round(self.cost_nano / self.labeled) if self.labeled else None

    @property
    def all_calls(self) -> int:
        """Calls for every row."""
        return self.rows * self.calls_a_text

    @property
    def all_tokens(self) -> int:
        """Tokens of these calls."""
        return round(self.all_calls * self.tokens_a_call)

    @property
    def all_nano(self) -> int:
        """Their price in nano-dollars."""
        return round(self.all_calls * self.nano_a_call)

    @property
    def calls_share(self) -> float:
        """Calls that were not made, 0 to 1."""
        return 1 - self.calls / self.all_calls if self.all_calls else 0.0

    @property
    def tokens_share(self) -> float:
        """Tokens that were not used, 0 to 1."""
        return 1 - self.tokens / self.all_tokens if self.all_tokens else 0.0

    @property
    def share(self) -> float | None:
        """Money that was not spent, 0 to 1; None where calls cost nothing."""
        return 1 - self.cost_nano / self.all_nano if self.all_nano else None


StopKind = Literal["connection", "examples", "budget"]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the verification stands still until a person acts. `broken` are connections that want to be mended."""

    kind: StopKind
    reason: str
    at: datetime | None
    broken: list[Connection]


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when an endpoint asked to be left alone, and what it said."""

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
        saving=saving_of(run, totals, len(connections)),
        stop=_stop_of(run, job, connections, budget),
        wait=_wait_of(job),
    )


def saving_of(run: Run, totals: Totals, models: int) -> Saving | None:
    """What was saved against asking about every row; None before anything was answered. Source: the paper's Table 4."""
    if not totals.stored:
        return None
    return Saving(
        rows=run.row_count,
        labeled=run.verified,
        calls=totals.calls,
        tokens=totals.tokens_in + totals.tokens_out,
        cost_nano=totals.cost_nano,
        calls_a_text=max(1, models) * run.draws,
        tokens_a_call=totals.mean_in + totals.mean_out,
        nano_a_call=totals.cost_nano / totals.stored,
    )


def missing_nano(run: Run, found: Verification) -> int | None:
    """What the rows that still wait would cost more than is left, at the run's mean call; None before any answer."""
    if found.saving is None:
        return None
    waiting = max(0, found.progress.total - found.progress.done) or run.asking
    wanted = waiting * found.saving.calls_a_text * found.saving.nano_a_call
    return max(0, round(wanted) - found.budget.left_nano)


def _stop_of(run: Run, job: Job, connections: list[Connection], budget: Budget) -> Stop | None:
    """A job that is paused while its run is not has met something that a person must settle.

    A run that shows examples and has asked nothing yet waits for them, as its reason says.
    """
    if job.state != JobState.PAUSED or run.state == RunState.PAUSED or not run.is_active:
        return None
    newest = Event.objects.filter(topic=job.topic).order_by("-seq").first()
    broken = [one for one in connections if one.error or one.is_retired]
    is_unasked = run.ask_strategy in {AskStrategy.ONE_SHOT, AskStrategy.FEW_SHOT} and not budget.spent_nano
    kind: StopKind = "connection" if broken else "examples" if is_unasked else "budget"
    return Stop(kind, job.error, newest.created_at if newest else None, broken)


def _wait_of(job: Job) -> Wait | None:
    if job.state != JobState.RUNNING:
        return None
    waiting = job.chunks.filter(state=ChunkState.TODO, not_before__gt=timezone.now()).order_by("not_before").first()
    return Wait(waiting.not_before, waiting.error) if waiting and waiting.not_before else None
