"""A run's verification: a job of its own, in which language models review the hard rows, within a budget."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.jobs.actions import add_chunks, begin_stage, mark_dirty, open_job, retry_dead, set_state
from labeling.jobs.models import ChunkState, Job, JobState
from labeling.jobs.queries import job_of, next_index
from labeling.llm.actions.budgets import set_cap
from labeling.llm.models import Connection
from labeling.projects.models import Project
from labeling.runs.actions.counts import lock_run
from labeling.runs.models import AnswerUse, Mode, Run, RunState, RunVerifier
from labeling.runs.policies import Policy
from labeling.web.errors import ActionError

VERIFY_KIND = "verify"
"""The kind of the job that asks language models about a run's hard rows; its subject is the run."""


PEOPLE_STAGE = "people"
"""The stage in which rows that wait for a model are handed over to people."""


def check_verifiers(project: Project, policy: Policy, verifiers: Sequence[Connection], cap_nano: int) -> None:
    """Raises ActionError where the policy's mode does not fit these connections and this cap."""
    if policy.mode == Mode.HUMAN:
        if verifiers or cap_nano:
            raise ActionError(_("People review this run: it asks no language model and has no budget."), field="mode")
        return
    if not verifiers:
        raise ActionError(_("Choose at least one connection to a language model."), field="verifiers")
    if cap_nano <= 0:
        raise ActionError(_("Say how much the language model may cost: without a cap nothing is asked."), field="cap")
    if len({one.pk for one in verifiers}) != len(verifiers):
        raise ActionError(_("A connection can be chosen once."), field="verifiers")
    for one in verifiers:
        if one.project_id != project.pk or one.is_retired:
            raise ActionError(_("%(name)s cannot be used here any more.") % {"name": one}, field="verifiers")
        _check_confidence(policy, one, is_joined=len(verifiers) > 1)


def _check_confidence(policy: Policy, connection: Connection, *, is_joined: bool) -> None:
    """A threshold on the confidence needs one: by log-probabilities, or by agreement of several answers or models."""
    is_measured = is_joined or policy.draws > 1 or policy.answer_use == AnswerUse.FUSE or not policy.sure_from
    if policy.mode == Mode.LLM_THEN_HUMAN and not is_measured and not connection.capability.get("has_logprobs"):
        raise ActionError(
            _(
                "%(name)s does not say how sure it is. Ask each question several times, set the confidence to 0, or,"
                " once an audit has measured both, let its answer be one more vote."
            )
            % {"name": connection},
            field="sure_from",
        )


def open_verification(*, run: Run, verifiers: Sequence[Connection], cap_nano: int) -> None:
    """The run's connections, its budget and the job that asks, in the transaction that starts the run."""
    RunVerifier.objects.bulk_create(
        RunVerifier(run=run, connection=one, position=position) for position, one in enumerate(verifiers)
    )
    set_cap(project=run.project, run=run.pk, cap_nano=cap_nano)
    open_job(project_id=run.project_id, kind=VERIFY_KIND, subject=run.pk)


def wake_verification(*, run: Run) -> None:
    """Let the run's verification look for rows to ask about or to settle."""
    if run.has_verifier:
        mark_dirty(kind=VERIFY_KIND, subject=run.pk)


def resume_verification(*, run: Run) -> None:
    """Try again after a budget or a broken connection had stopped it. Raises ActionError where nothing is stopped."""
    with transaction.atomic():
        job = lock_verification(run)
        run.refresh_from_db(fields=["state"])
        if job is None or job.state != JobState.PAUSED:
            raise ActionError(_("The verification of this run is not stopped."))
        if run.state == RunState.PAUSED:
            raise ActionError(_("This run is paused: resume it as a whole."))
        set_state(job=job, state=JobState.RUNNING)


def raise_cap(*, run: Run, cap_nano: int) -> None:
    """What the run may cost from now on, in nano-dollars; a verification that had stopped goes on.

    Raises ActionError for a run without a language model, and as `set_cap` does.
    """
    if not run.has_verifier:
        raise ActionError(_("People review this run: it asks no language model and has no budget."), field="cap")
    with transaction.atomic():
        job = lock_verification(run)
        set_cap(project=run.project, run=run.pk, cap_nano=cap_nano)
        run.refresh_from_db(fields=["state"])
        if job and job.state == JobState.PAUSED and run.state != RunState.PAUSED:
            set_state(job=job, state=JobState.RUNNING)


def give_to_people(*, run: Run) -> int:
    """Let people have every row that waits for the model; returns how many. The job hands them over part by part.

    Raises ActionError unless the verification is stopped: at its budget, or by a connection that cannot be asked.
    """
    with transaction.atomic():
        job, locked = lock_verification(run), lock_run(run.pk)
        if job is None or job.state != JobState.PAUSED or locked.state == RunState.PAUSED:
            raise ActionError(_("The verification of this run is not stopped."))
        job.chunks.exclude(state=ChunkState.DONE).delete()
        begin_stage(job=job, stage=PEOPLE_STAGE, total=locked.asking)
        job.save()
        size = (0, locked.row_count)
        add_chunks(job=job, stage=PEOPLE_STAGE, queue="io", ranges=[size], first=next_index(job, PEOPLE_STAGE))
        set_state(job=job, state=JobState.RUNNING)
        return locked.asking


def lock_verification(run: Run) -> Job | None:
    """The job of the run's verification, locked; None where people review it."""
    job = job_of(VERIFY_KIND, run.pk) if run.has_verifier else None
    return job and Job.objects.select_for_update().get(pk=job.pk)


def retry_verification(job: Job | None) -> int:
    """Give the dead parts of a locked verification another chance; returns how many."""
    return retry_dead(job=job) if job and job.chunks.filter(state="dead").exists() else 0
