"""Writes about pilots: start, what was drawn and answered, what came of it, stop, try again."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.jobs.actions import open_job, retry_dead, set_state
from labeling.jobs.models import JobState
from labeling.jobs.queries import job_of
from labeling.llm.actions.budgets import add_room
from labeling.llm.models import Connection
from labeling.projects.models import Project
from labeling.projects.queries import active_classes
from labeling.runs.models import AskStrategy, LlmPilot, PilotAnswer, PilotRow, Run
from labeling.runs.pilots.figures import PilotFigures, to_json
from labeling.runs.policies import MOST_DRAWS
from labeling.web.errors import ActionError

KIND = "pilot"
OUTSIDE_RUNS = 0
"""The budget that a pilot is paid from: that of all that is asked outside runs."""
USUAL_ROWS, MOST_ROWS = 50, 500
"""Fifty rows are what an accuracy needs to decide (engine: verifiers.forecast.ENOUGH); the most is chosen."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a pilot asks: `rows` rows of the data set, hard ones of `run`, for at most `cap_nano` nano-dollars."""

    dataset: Dataset
    run: Run | None
    connections: Sequence[Connection]
    rows: int
    cap_nano: int
    strategy: AskStrategy = AskStrategy.ZERO_SHOT
    draws: int = 1
    shows_votes: bool = False


def start_pilot(*, project: Project, wanted: Wanted, by: User | None) -> LlmPilot:
    """A pilot that a job does. Raises ActionError for what cannot be asked, or while another pilot is at work."""
    _check(project, wanted)
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        newest = LlmPilot.objects.filter(project=project).first()
        job = job_of(KIND, newest.pk) if newest else None
        if job is not None and not job.is_over:
            raise ActionError(_("A pilot is at work already. Wait for it, or stop it first."))
        pilot = LlmPilot.objects.create(
            project=project,
            dataset=wanted.dataset,
            run=wanted.run,
            ask_strategy=wanted.strategy,
            shows_votes=wanted.shows_votes,
            draws=wanted.draws,
            wanted=min(wanted.rows, wanted.dataset.row_count),
            cap_nano=wanted.cap_nano,
            created_by=by,
        )
        pilot.connections.set(wanted.connections)
        add_room(project_id=project.pk, run=OUTSIDE_RUNS, room_nano=wanted.cap_nano)
        open_job(project_id=project.pk, kind=KIND, subject=pilot.pk, total=pilot.wanted * len(wanted.connections))
    return pilot


def _check(project: Project, wanted: Wanted) -> None:
    _check_connections(project, wanted.connections)
    if len(active_classes(project)) < 2:
        raise ActionError(_("The project needs two classes first: a language model is asked to choose one."))
    if not 1 <= wanted.rows <= MOST_ROWS:
        raise ActionError(_("Between 1 and %(most)d rows.") % {"most": MOST_ROWS}, field="rows")
    if not 1 <= wanted.draws <= MOST_DRAWS:
        raise ActionError(_("Ask each question 1 to %(most)d times.") % {"most": MOST_DRAWS}, field="draws")
    if wanted.cap_nano < 0:
        raise ActionError(_("Say what it may cost at most."), field="cap")
    if wanted.shows_votes and wanted.run is None:
        raise ActionError(_("No run has voted yet, so there are no votes to show it."), field="shows_votes")


def _check_connections(project: Project, connections: Sequence[Connection]) -> None:
    if not connections:
        raise ActionError(_("Choose at least one connection to a language model."), field="verifiers")
    for one in connections:
        if one.project_id != project.pk or one.is_retired:
            raise ActionError(_("%(name)s cannot be used here any more.") % {"name": one}, field="verifiers")


def record_rows(*, pilot: LlmPilot, rows: Sequence[PilotRow]) -> None:
    """The rows that were drawn, once. Call inside the part's transaction."""
    PilotRow.objects.bulk_create(rows)
    if len(rows) < pilot.wanted:
        LlmPilot.objects.filter(pk=pilot.pk).update(wanted=len(rows))


def record_answers(*, answers: Sequence[PilotAnswer]) -> None:
    """What was answered; an answer that is there stays. Call inside the part's transaction."""
    PilotAnswer.objects.bulk_create(answers, ignore_conflicts=True)


def record_figures(*, pilot_id: int, figures: PilotFigures | None, note: str = "") -> None:
    """What came of it, None of nothing, and what it stumbled over. Call inside the part's transaction."""
    state = to_json(figures) if figures else None
    LlmPilot.objects.filter(pk=pilot_id).update(figures=state, note=note)


def stop_pilot(*, pilot: LlmPilot) -> None:
    """Ask no more; what was answered counts. Raises ActionError when it is over."""
    job = job_of(KIND, pilot.pk)
    if job is None or job.is_over:
        raise ActionError(_("This pilot is over already."))
    set_state(job=job, state=JobState.CANCELLED)


def retry_pilot(*, pilot: LlmPilot) -> None:
    """Go on with a pilot that failed; nothing that is stored is asked again. Raises ActionError when it did not."""
    job = job_of(KIND, pilot.pk)
    if job is None or job.state != JobState.FAILED:
        raise ActionError(_("There is nothing to try again."))
    retry_dead(job=job)
