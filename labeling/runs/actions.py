"""Writes about runs: start, pause, resume, cancel, counters."""

from collections.abc import Mapping, Sequence
from random import SystemRandom

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.jobs.actions import open_job, retry_dead, set_state
from labeling.jobs.models import Job, JobState
from labeling.jobs.queries import job_of
from labeling.projects.models import Project
from labeling.runs.models import Aggregator, PoolGeneration, PoolMember, Run, RunState
from labeling.runs.policies import Policy, check_policy
from labeling.runs.queries import active_run, next_run_number
from labeling.specialists.models import SpecialistVersion
from labeling.web.errors import ActionError

KIND = "run"
COUNTERS = frozenset({"voted", "accepted", "hard", "decided", "truncated"})


def start_run(
    *, project: Project, dataset: Dataset, versions: Sequence[SpecialistVersion], policy: Policy, by: User | None
) -> Run:
    """A running run with its first generation and its job. Raises ActionError when the policy cannot be."""
    check_policy(policy, len(versions))
    _check_dataset(project, dataset)
    for version in versions:
        if not version.may_vote or version.specialist.project_id != project.pk:
            raise ActionError(
                _("%(name)s may not vote yet: confirm its label map on the models page.") % {"name": version.specialist}
            )
    try:
        with transaction.atomic():
            run = _create_run(project, dataset, policy, by)
            generation = PoolGeneration.objects.create(run=run)
            for position, version in enumerate(versions):
                PoolMember.objects.create(generation=generation, version=version, position=position)
            open_job(project_id=project.pk, kind=KIND, subject=run.pk, total=run.row_count)
    except IntegrityError as error:
        raise ActionError(
            _("Another run was started on this data set at the same moment. Look at the list of runs.")
        ) from error
    return run


def _create_run(project: Project, dataset: Dataset, policy: Policy, by: User | None) -> Run:
    is_budget = policy.review_budget is not None
    return Run.objects.create(
        project=project,
        dataset=dataset,
        number=next_run_number(project),
        aggregator=policy.aggregator or (Aggregator.AVERAGE if is_budget else Aggregator.MAJORITY),
        min_agree=policy.min_agree,
        review_budget=policy.review_budget,
        policy=policy.name,
        vote_ahead=policy.vote_ahead,
        beta=policy.beta,
        replay_share=policy.replay_share,
        random_share=policy.random_share,
        is_gated=policy.is_gated,
        has_frame=policy.has_frame,
        renews_accepted=policy.renews_accepted,
        epochs=policy.epochs,
        learning_rate=policy.learning_rate,
        batch_size=policy.batch_size,
        seed=policy.seed if policy.seed is not None else SystemRandom().randrange(2**31),
        row_count=dataset.row_count,
        created_by=by,
    )


def _check_dataset(project: Project, dataset: Dataset) -> None:
    if dataset.project_id != project.pk or not dataset.is_ready or dataset.archived_at or not dataset.row_count:
        raise ActionError(
            _("This data set cannot be labeled: it is empty, archived or still being imported."), field="dataset"
        )
    running = active_run(dataset)
    if running:
        raise ActionError(
            _("Run %(number)d on this data set is still active. Cancel it first.") % {"number": running.number},
            field="dataset",
        )


def job_of_run(run: Run) -> Job:
    """The job that does the run's work."""
    job = job_of(KIND, run.pk)
    if job is None:
        raise ActionError(_("This run has no job. Cancel it and start another."))
    return job


def pause_run(*, run: Run) -> None:
    """No new chunk is claimed; those in hand are given back within seconds."""
    if run.state != RunState.RUNNING:
        raise ActionError(_("Only a run that is voting can be paused."))
    set_state(job=job_of_run(run), state=JobState.PAUSED)
    Run.objects.filter(pk=run.pk, state=RunState.RUNNING).update(state=RunState.PAUSED)


def resume_run(*, run: Run) -> None:
    """Go on where it was paused."""
    if run.state != RunState.PAUSED:
        raise ActionError(_("This run is not paused."))
    Run.objects.filter(pk=run.pk, state=RunState.PAUSED).update(state=RunState.RUNNING)
    set_state(job=job_of_run(run), state=JobState.RUNNING)


def cancel_run(*, run: Run) -> None:
    """Stop for good. Votes and verdicts stay; `advance` withdraws the open review items."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if not locked.is_active:
            raise ActionError(_("This run is over already."))
        job = job_of_run(locked)
        locked.state, locked.finished_at = RunState.CANCELLED, timezone.now()
        locked.save(update_fields=["state", "finished_at"])
        if job.is_over:
            Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED, is_dirty=True)
        else:
            set_state(job=job, state=JobState.CANCELLED)


def retry_run(*, run: Run) -> int:
    """Give the run's dead parts another chance; returns how many."""
    return retry_dead(job=job_of_run(run))


def add_counts(*, run_id: int, **deltas: int) -> None:
    """Add to the run's counters. Only labels' actions call this, in the transaction that stores the facts counted."""
    unknown = set(deltas) - COUNTERS
    if unknown:
        raise ValueError(f"no such counters: {sorted(unknown)}")
    Run.objects.filter(pk=run_id).update(**{name: F(name) + delta for name, delta in deltas.items() if delta})


def add_member_counts(*, member_id: int, voted: int, abstained: int, agreed: int, seconds: float) -> None:
    """Add one chunk to a pool member's counters."""
    PoolMember.objects.filter(pk=member_id).update(
        voted=F("voted") + voted,
        abstained=F("abstained") + abstained,
        agreed=F("agreed") + agreed,
        seconds=F("seconds") + seconds,
    )


def note_members(*, notes: Mapping[int, str]) -> None:
    """Keep, per pool member, the reason of its abstentions for the page."""
    for member_id, note in notes.items():
        PoolMember.objects.filter(pk=member_id).update(note=note[:500])


def set_cut(*, generation_id: int, score: float, text_hash: str) -> None:
    """The budget's cut: rows at or below (score, hash) go to review."""
    PoolGeneration.objects.filter(pk=generation_id).update(cut_score=score, cut_hash=text_hash)


def end_voting(*, run_id: int) -> None:
    """Every row has a route: people decide the rest, or the run is done when nothing is left for them."""
    run = Run.objects.select_for_update().get(pk=run_id)
    if run.state in {RunState.RUNNING, RunState.PAUSED}:
        run.state = RunState.REVIEWING
        _close_when_decided(run)


def close_when_decided(*, run_id: int) -> None:
    """REVIEWING becomes DONE when no row waits any more, and back when a decision was undone.

    A run stays DONE when another one works on its data set meanwhile: a data set has one active run.
    """
    run = Run.objects.select_for_update().get(pk=run_id)
    is_followed = run.state == RunState.DONE and active_run(run.dataset) is not None
    if run.state in {RunState.REVIEWING, RunState.DONE} and not is_followed:
        _close_when_decided(run)


def _close_when_decided(run: Run) -> None:
    run.state = RunState.DONE if run.to_review == 0 else RunState.REVIEWING
    run.finished_at = timezone.now() if run.state == RunState.DONE else None
    run.save(update_fields=["state", "finished_at"])
