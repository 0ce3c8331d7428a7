"""Writes about scripts: ask for one, store what became of it, accept it, let it vote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.jobs.actions import open_job, retry_dead
from labeling.jobs.queries import job_of
from labeling.llm.actions.budgets import add_room
from labeling.llm.models import Connection
from labeling.projects.models import Project
from labeling.specialists.actions import Made, add_version, start_trial
from labeling.specialists.models import (
    GeneratedScript,
    ScriptKind,
    ScriptSource,
    ScriptState,
    Source,
    Specialist,
    SpecialistState,
    SpecialistVersion,
    VersionOrigin,
)
from labeling.specialists.scripting.engine import has_result
from labeling.specialists.scripting.queries import next_script_number
from labeling.web.errors import ActionError

SCRIPT, VOTER = "script", "voter"
OUTSIDE_RUNS = 0
"""The budget of what is asked outside any run."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes a script: a template, or a language model for at most so many nano-dollars."""

    connection: Connection | None = None
    cap_nano: int = 0


def request_script(
    *, project: Project, version: SpecialistVersion, kind: ScriptKind, writer: Writer, by: User | None = None
) -> GeneratedScript:
    """A script that a job writes and tries."""
    source = ScriptSource.TEMPLATE if writer.connection is None else ScriptSource.LLM
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        script = GeneratedScript.objects.create(
            project=project,
            number=next_script_number(project),
            version=version,
            kind=kind,
            source=source,
            connection=writer.connection,
            cap_nano=writer.cap_nano,
            created_by=by,
        )
        if writer.connection is not None:
            add_room(project_id=project.pk, run=OUTSIDE_RUNS, room_nano=writer.cap_nano)
        open_job(project_id=project.pk, kind=SCRIPT, subject=script.pk)
    return script


def record_written(*, script_id: int, code: str, checks: Sequence[dict[str, Any]]) -> None:
    """The source is there; where the check found something it is never run. Inside the part's transaction."""
    state = ScriptState.REFUSED if checks else ScriptState.WRITTEN
    rows = GeneratedScript.objects.filter(pk=script_id, state=ScriptState.WRITING)
    rows.update(code=code, checks=list(checks), state=state, error="")


def record_tried(*, script_id: int, comparison: dict[str, Any]) -> None:
    """It ran beside the engine. Inside the part's transaction."""
    rows = GeneratedScript.objects.filter(pk=script_id, state=ScriptState.WRITTEN)
    rows.update(comparison=comparison, state=ScriptState.TRIED, error="")


def record_script_failure(*, script_id: int, error: str) -> None:
    """It could not be written or tried; the page shows why."""
    busy = (ScriptState.WRITING, ScriptState.WRITTEN)
    GeneratedScript.objects.filter(pk=script_id, state__in=busy).update(state=ScriptState.FAILED, error=error)


def retry_script(*, script: GeneratedScript) -> None:
    """Write or try it again, where that failed."""
    job = job_of(SCRIPT, script.pk)
    state = ScriptState.WRITTEN if script.code else ScriptState.WRITING
    rows = GeneratedScript.objects.filter(pk=script.pk, state=ScriptState.FAILED)
    if job is None or not rows.update(state=state, error=""):
        raise ActionError(_("There is nothing to try again."))
    retry_dead(job=job)


def accept_script(*, script: GeneratedScript, by: User | None) -> None:
    """A manager has read it and takes it. Raises ActionError unless it did well beside the engine."""
    if script.state != ScriptState.TRIED or not script.passes:
        raise ActionError(_("Only a script that does well beside the engine can be accepted."))
    rows = GeneratedScript.objects.filter(pk=script.pk, state=ScriptState.TRIED)
    rows.update(state=ScriptState.ACCEPTED, accepted_by=by, accepted_at=timezone.now())


def ask_voter(*, script: GeneratedScript) -> None:
    """Make a specialist that votes by an accepted script, or with the weights that it trained: a job stores its files.

    Raises ActionError for a script that is not accepted, votes already, or whose weights were removed.
    """
    if script.state != ScriptState.ACCEPTED:
        raise ActionError(_("Only an accepted script can vote."))
    if script.kind == ScriptKind.FINE_TUNE and not has_result(script):
        raise ActionError(_("The weights that it trained were removed to free the disk. Ask for the script again."))
    with transaction.atomic():
        locked = GeneratedScript.objects.select_for_update().get(pk=script.pk)
        if locked.voter_id is not None:
            raise ActionError(_("This script votes already."))
        about = script.version.specialist
        locked.voter = Specialist.objects.create(
            project_id=script.project_id,
            name=_free_name(script, about.name),
            source=Source.SCRIPT,
            location=str(script),
            backend=_backend_of(script),
            model_labels=script.version.model_labels,
            architecture=about.architecture,
            license=about.license,
            max_length=script.version.max_length,
        )
        locked.save(update_fields=["voter"])
        open_job(project_id=script.project_id, kind=VOTER, subject=script.pk)
    script.refresh_from_db()


def _backend_of(script: GeneratedScript) -> str:
    """What a script trained is a transformer like any other; the others vote in the box."""
    return script.version.backend if script.kind == ScriptKind.FINE_TUNE else "script"


def _free_name(script: GeneratedScript, name: str) -> str:
    wanted = _("%(name)s by script %(number)d") % {"name": name[:80], "number": script.number}
    if Specialist.objects.filter(project=script.project_id, name=wanted).exists():
        raise ActionError(_("There is a specialist named “%(name)s” already. Give it another name.") % {"name": wanted})
    return wanted


def record_voter(*, script: GeneratedScript, weights_hash: str, size_bytes: int) -> None:
    """The voter's files are in the store: its first version is tried like any other. Inside the part's transaction."""
    version = script.version
    voter = script.voter
    if voter is None or voter.state != SpecialistState.FETCHING:
        return
    Specialist.objects.filter(pk=voter.pk).update(
        state=SpecialistState.READY, weights_hash=weights_hash, size_bytes=size_bytes, error=""
    )
    made = Made(
        weights_hash=weights_hash,
        size_bytes=size_bytes,
        backend=_backend_of(script),
        model_labels=tuple(version.model_labels),
        targets=tuple(version.targets),
        class_ids=tuple(version.class_ids),
        max_length=version.max_length,
        manifest={"script": script.number, "model": version.weights_hash},
    )
    start_trial(version=add_version(specialist_id=voter.pk, made=made, origin=VersionOrigin.MAP))


def record_voter_failure(*, script_id: int, error: str) -> None:
    """The voter's files could not be put together; its page shows why."""
    voters = GeneratedScript.objects.filter(pk=script_id).values("voter")
    Specialist.objects.filter(pk__in=voters).update(state=SpecialistState.FAILED, error=error)
