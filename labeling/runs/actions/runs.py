"""What managers do with runs: start, pause, resume, cancel, retry."""

from collections.abc import Sequence
from random import SystemRandom

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.jobs.actions import mark_dirty, open_job, retry_dead, set_state
from labeling.jobs.models import Job, JobState
from labeling.jobs.queries import job_of
from labeling.llm.models import Connection
from labeling.projects.models import Project
from labeling.runs.actions.counts import lock_run
from labeling.runs.actions.verification import (
    check_verifiers,
    lock_verification,
    open_verification,
    retry_verification,
)
from labeling.runs.models import PoolGeneration, PoolMember, Run, RunState
from labeling.runs.policies import Policy, check_policy, usual_aggregator
from labeling.runs.queries import active_run, next_run_number
from labeling.specialists.models import SpecialistVersion
from labeling.web.errors import ActionError

KIND = "run"
AGAIN_STAGES = ("revote", "renew")
"""Stages of a run's job that vote again, after every row has had its route."""


def start_run(  # noqa: PLR0913 (all parts of a run, each named at the call)
    *,
    project: Project,
    dataset: Dataset,
    versions: Sequence[SpecialistVersion],
    policy: Policy,
    by: User | None,
    verifiers: Sequence[Connection] = (),
    cap_nano: int = 0,
) -> Run:
    """A running run with its first generation and its job. Raises ActionError when the policy cannot be.

    In a mode with a language model the connections `verifiers` review its hard rows first, in a job of their own, for
    at most `cap_nano` nano-dollars.
    """
    check_policy(policy, len(versions))
    check_verifiers(project, policy, verifiers, cap_nano)
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
            if run.has_verifier:
                open_verification(run=run, verifiers=verifiers, cap_nano=cap_nano)
    except IntegrityError as error:
        raise ActionError(
            _("Another run was started on this data set at the same moment. Look at the list of runs.")
        ) from error
    return run


def _create_run(project: Project, dataset: Dataset, policy: Policy, by: User | None) -> Run:
    return Run.objects.create(
        project=project,
        dataset=dataset,
        number=next_run_number(project),
        aggregator=usual_aggregator(policy),
        min_agree=policy.min_agree,
        review_budget=policy.review_budget,
        target_error=policy.target_error,
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
        mode=policy.mode,
        answer_use=policy.answer_use,
        ask_strategy=policy.ask_strategy,
        shows_votes=policy.shows_votes,
        draws=policy.draws,
        sure_from=policy.sure_from,
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
    """No new chunk is claimed; those in hand are given back within seconds. It reaches the verification, too."""
    with transaction.atomic():
        job, asking, locked = _lock(run)
        is_voting_again = locked.state == RunState.REVIEWING and job.state == JobState.RUNNING
        is_asking = locked.state == RunState.REVIEWING and asking is not None and asking.state == JobState.RUNNING
        if locked.state != RunState.RUNNING and not is_voting_again and not is_asking:
            raise ActionError(_("Only a run that is voting can be paused."))
        for one in (job, asking):
            if one and one.state == JobState.RUNNING:
                set_state(job=one, state=JobState.PAUSED)
        Run.objects.filter(pk=run.pk).update(state=RunState.PAUSED)


def resume_run(*, run: Run) -> None:
    """Go on where it was paused; its verification is tried again, too, whatever had stopped it."""
    with transaction.atomic():
        job, asking, locked = _lock(run)
        if locked.state != RunState.PAUSED:
            raise ActionError(_("This run is not paused."))
        is_voted = job.is_over or job.stage in AGAIN_STAGES
        Run.objects.filter(pk=run.pk).update(state=RunState.REVIEWING if is_voted else RunState.RUNNING)
        for one in (job, asking):
            if one and one.state == JobState.PAUSED:
                set_state(job=one, state=JobState.RUNNING)
        mark_dirty(kind=KIND, subject=run.pk)


def _lock(run: Run) -> tuple[Job, Job | None, Run]:
    """The run's job, its verification and the run as they are now, locked in this order.

    A part that is being stored may have moved them.
    """
    job = Job.objects.select_for_update().get(pk=job_of_run(run).pk)
    return job, lock_verification(run), lock_run(run.pk)


def cancel_run(*, run: Run) -> None:
    """Stop for good. Votes, answers and verdicts stay; `advance` withdraws the open review items."""
    with transaction.atomic():
        job, asking, locked = _lock(run)
        if not locked.is_active:
            raise ActionError(_("This run is over already."))
        locked.state, locked.finished_at = RunState.CANCELLED, timezone.now()
        locked.save(update_fields=["state", "finished_at"])
        for one in (job, asking):
            if one and one.is_over:
                Job.objects.filter(pk=one.pk).update(state=JobState.CANCELLED, is_dirty=True)
            elif one:
                set_state(job=one, state=JobState.CANCELLED)


def retry_run(*, run: Run) -> int:
    """Give the run's dead parts another chance; returns how many. Raises ActionError for one that was cancelled."""
    with transaction.atomic():
        job, asking, locked = _lock(run)
        if locked.state == RunState.CANCELLED:
            raise ActionError(_("This run is over already."))
        return retry_dead(job=job) + retry_verification(asking)
