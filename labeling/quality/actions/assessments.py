"""When a run is measured, and what was found: stored whole, never changed."""

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from labeling.jobs.actions import add_chunks, begin_stage, mark_dirty, open_job
from labeling.jobs.models import OPEN_CHUNK_STATES, Job
from labeling.jobs.publish import publish
from labeling.jobs.queries import job_of, next_index
from labeling.labels.actions.audit import ASSESS
from labeling.labels.audit_queries import blind_answers
from labeling.quality.figures import to_json
from labeling.quality.measured import Measured
from labeling.quality.models import Assessment, Certificate
from labeling.quality.queries import drawn_hashes, has_audit
from labeling.runs.actions import lock_run
from labeling.runs.models import Run, RunState
from labeling.web.errors import ActionError

KIND, STAGE, QUEUE = ASSESS, "measure", "consensus"


def wake_assessment(*, run: Run) -> None:
    """Let the run's measuring job look whether something is due; it is made where there is none.

    Nothing happens for a run that was cancelled or whose data set has no audit. The caller holds the run's lock.
    """
    if run.state == RunState.CANCELLED or not has_audit(run.dataset_id):
        return
    if job_of(KIND, run.pk) is None:
        open_job(project_id=run.project_id, kind=KIND, subject=run.pk)
    else:
        mark_dirty(kind=KIND, subject=run.pk)


def ask_assessment(*, run: Run) -> None:
    """Measure the run now. Raises ActionError while it is being measured, or when no drawn text has an answer yet."""
    answered = len(blind_answers(run.dataset_id, drawn_hashes(run.dataset_id)))
    if not answered:
        raise ActionError(_("No drawn text has an answer yet, so there is nothing to measure with."))
    with transaction.atomic():
        job = _lock_job(run)
        if Run.objects.filter(pk=run.pk, state=RunState.CANCELLED).exists():
            raise ActionError(_("This run was cancelled; its labels are not measured any more."))
        if job.chunks.filter(stage=STAGE, state__in=OPEN_CHUNK_STATES).exists():
            raise ActionError(_("This run is being measured right now."))
        begin_measuring(job, answered=answered)
        job.save()
        publish(job)


def begin_measuring(job: Job, *, answered: int) -> None:
    """One more measurement by the job, which the caller has locked and will save; its part keeps how many answers."""
    begin_stage(job=job, stage=STAGE, total=0)
    add_chunks(job=job, stage=STAGE, queue=QUEUE, ranges=[(0, answered)], first=next_index(job, STAGE))


def store_assessment(*, run: Run, measured: Measured) -> Assessment:
    """The run's next assessment with its certificates, in the caller's transaction, which holds the run's lock."""
    last = Assessment.objects.filter(run=run).aggregate(last=Max("number"))["last"] or 0
    assessment = Assessment.objects.create(
        run=run,
        number=last + 1,
        generation=measured.generation,
        answered=measured.figures.answered,
        digest=measured.digest,
        winner=measured.winner,
        aggregation=measured.aggregation,
        figures=to_json(measured.figures),
    )
    for certificate in measured.certificates:
        certificate.assessment = assessment
    Certificate.objects.bulk_create(measured.certificates)
    return assessment


def _lock_job(run: Run) -> Job:
    """The run's measuring job, locked; made under the run's lock where there is none."""
    job = job_of(KIND, run.pk)
    if job is None:
        lock_run(run.pk)
        job = job_of(KIND, run.pk) or open_job(project_id=run.project_id, kind=KIND, subject=run.pk)
    return Job.objects.select_for_update().get(pk=job.pk)
