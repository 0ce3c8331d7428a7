"""Writes about specialists: add, store what was fetched, map, try, confirm, archive."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator_core.paths import is_inside
from labeling.accounts.models import User
from labeling.jobs.actions import open_job, retry_dead
from labeling.jobs.queries import job_of
from labeling.projects.models import LabelClass, Project
from labeling.specialists.engine import map_problems
from labeling.specialists.models import (
    Source,
    Specialist,
    SpecialistState,
    SpecialistVersion,
    Trial,
    VersionOrigin,
)
from labeling.specialists.queries import newest_trial, next_version_number
from labeling.web.errors import ActionError

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
REVISION = re.compile(r"[\w./-]{0,64}")
FETCH, TRIAL = "fetch", "trial"


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """What was read from a specialist's files once they were in the store."""

    weights_hash: str
    revision: str
    backend: str
    model_labels: tuple[str, ...]
    architecture: str
    license: str
    size_bytes: int
    max_length: int


def add_specialist(
    *, project: Project, source: Source, location: str, revision: str = "", name: str = "", by: User | None = None
) -> Specialist:
    """A specialist whose files a job fetches. Raises ActionError for an id or folder that cannot be."""
    location = location.strip()
    if source == Source.HUB:
        _check_hub_id(location, revision)
    else:
        location = str(checked_folder(location, is_operator=by is None or by.is_superuser))
    name = (name.strip() or location.rstrip("/").rsplit("/", 1)[-1])[:120]
    try:
        with transaction.atomic():
            specialist = Specialist.objects.create(
                project=project, source=source, location=location, revision=revision.strip(), name=name
            )
            open_job(project_id=project.pk, kind=FETCH, subject=specialist.pk)
    except IntegrityError as error:
        raise ActionError(
            _("There is a specialist named “%(name)s” already. Give this one another name.") % {"name": name},
            field="name",
        ) from error
    return specialist


def _check_hub_id(location: str, revision: str) -> None:
    if not HUB_ID.fullmatch(location):
        raise ActionError(
            _("This is not a model id. It looks like owner/model, for example acme/sentiment-small."), field="location"
        )
    if not REVISION.fullmatch(revision.strip()):
        raise ActionError(_("This is not a revision: give a branch, a tag or a commit."), field="revision")


def checked_folder(location: str, *, is_operator: bool) -> Path:
    """The resolved folder, if the person may name it. Managers may name folders below MODEL_FOLDERS, operators any."""
    folder = Path(location).expanduser().resolve()
    roots = [Path(root).resolve() for root in settings.MODEL_FOLDERS]
    if not is_operator and not any(is_inside(root, folder) for root in roots):
        allowed = ", ".join(str(root) for root in roots)
        raise ActionError(
            _("Folders are taken from %(roots)s only. Ask the operator to put the model there.") % {"roots": allowed},
            field="location",
        )
    if not folder.is_dir():
        raise ActionError(_("There is no folder of that name on the server."), field="location")
    return folder


def record_files(*, specialist_id: int, files: StoredFiles) -> None:
    """The files are in the store; the specialist waits for its label map. Call inside the part's transaction."""
    Specialist.objects.filter(pk=specialist_id).update(
        state=SpecialistState.MAPPING,
        error="",
        weights_hash=files.weights_hash,
        revision=files.revision,
        backend=files.backend,
        model_labels=list(files.model_labels),
        architecture=files.architecture[:80],
        license=files.license[:80],
        size_bytes=files.size_bytes,
        max_length=files.max_length,
    )


def record_fetch_failure(*, specialist_id: int, error: str) -> None:
    """The files could not be had; the page shows why."""
    Specialist.objects.filter(pk=specialist_id).update(state=SpecialistState.FAILED, error=error)


def retry_fetch(*, specialist: Specialist) -> None:
    """Try to fetch the files again."""
    job = job_of(FETCH, specialist.pk)
    if job is None or specialist.state != SpecialistState.FAILED:
        raise ActionError(_("There is nothing to try again."))
    Specialist.objects.filter(pk=specialist.pk).update(state=SpecialistState.FETCHING, error="")
    retry_dead(job=job)


def save_map(
    *, specialist: Specialist, targets: Sequence[int | None], max_length: int, are_holes_confirmed: bool
) -> SpecialistVersion:
    """A new version with this label map, and its trial. Raises ActionError for a map that may not vote."""
    if specialist.state not in {SpecialistState.MAPPING, SpecialistState.READY}:
        raise ActionError(_("The files of this specialist are not there yet."))
    class_ids = sorted(specialist.project.classes.filter(is_retired=False).values_list("id", flat=True))
    _check_map(specialist, targets, class_ids, are_holes_confirmed=are_holes_confirmed)
    if not 8 <= max_length <= 8192:
        raise ActionError(_("The length of a text is between 8 and 8192 tokens."), field="max_length")
    with transaction.atomic():
        locked = Specialist.objects.select_for_update().get(pk=specialist.pk)
        version = SpecialistVersion.objects.create(
            specialist=locked,
            number=next_version_number(locked),
            backend=locked.backend,
            weights_hash=locked.weights_hash,
            model_labels=locked.model_labels,
            targets=list(targets),
            class_ids=class_ids,
            max_length=max_length,
            are_holes_confirmed=are_holes_confirmed,
        )
        Specialist.objects.filter(pk=locked.pk).update(state=SpecialistState.READY)
        start_trial(version=version)
    return version


def _check_map(
    specialist: Specialist, targets: Sequence[int | None], class_ids: list[int], *, are_holes_confirmed: bool
) -> None:
    if len(targets) != len(specialist.model_labels) or any(t is not None and t not in class_ids for t in targets):
        raise ActionError(_("The map does not fit the model and the classes of today. Load the page again."))
    for message, hole_ids in map_problems(specialist.model_labels, targets, class_ids):
        if not hole_ids or len(hole_ids) == len(class_ids):
            raise ActionError(message)
        if not are_holes_confirmed:
            names = ", ".join(LabelClass.objects.filter(pk__in=hole_ids).values_list("name", flat=True))
            raise ActionError(
                _("No label of the model means %(names)s, so it never votes for that. Map a label, or confirm below.")
                % {"names": names},
                field="are_holes_confirmed",
            )


@dataclass(frozen=True, slots=True)
class Made:
    """A version that a training made: its weights stand in the store under their hash.

    `targets` holds for each model label the id of a class, or None where it abstains. `manifest` is what
    `manifest.json` beside the weights says.
    """

    weights_hash: str
    size_bytes: int
    backend: str
    model_labels: tuple[str, ...]
    targets: tuple[int | None, ...]
    class_ids: tuple[int, ...]
    max_length: int
    manifest: dict[str, Any]


def add_version(
    *, specialist_id: int, made: Made, origin: VersionOrigin, parent: SpecialistVersion | None = None
) -> SpecialistVersion:
    """The next version of the specialist; it may not vote yet. Call inside the transaction that ends the part."""
    with transaction.atomic():
        locked = Specialist.objects.select_for_update().get(pk=specialist_id)
        return SpecialistVersion.objects.create(
            specialist=locked,
            number=next_version_number(locked),
            parent=parent,
            origin=origin,
            backend=made.backend,
            weights_hash=made.weights_hash,
            size_bytes=made.size_bytes,
            model_labels=list(made.model_labels),
            targets=list(made.targets),
            class_ids=list(made.class_ids),
            max_length=made.max_length,
            manifest=made.manifest,
            are_holes_confirmed=True,
        )


def make_champion(*, version: SpecialistVersion, by: User | None = None) -> None:
    """Let the version vote, and let the next label map start from its weights."""
    with transaction.atomic():
        Specialist.objects.filter(pk=version.specialist_id).update(
            weights_hash=version.weights_hash,
            model_labels=version.model_labels,
            backend=version.backend,
            **({"size_bytes": version.size_bytes} if version.size_bytes else {}),
        )
        SpecialistVersion.objects.filter(pk=version.pk, confirmed_at=None).update(
            confirmed_by=by, confirmed_at=timezone.now()
        )
    version.refresh_from_db(fields=["confirmed_by", "confirmed_at", "pruned_at"])


def dethrone(*, version: SpecialistVersion) -> None:
    """The version may not vote any more; its votes stay."""
    SpecialistVersion.objects.filter(pk=version.pk).update(confirmed_by=None, confirmed_at=None)


def start_trial(*, version: SpecialistVersion) -> Trial:
    """A trial on a hundred random rows, made by a heavy worker."""
    trial = Trial.objects.create(version=version)
    open_job(project_id=version.specialist.project_id, kind=TRIAL, subject=trial.pk)
    return trial


def record_trial(*, trial: Trial) -> None:
    """Store a finished trial. Inside the transaction that ends the job's part."""
    trial.is_done = True
    trial.save()


def record_trial_failure(*, trial_id: int, error: str) -> None:
    """The trial ended in an error that the page shows."""
    Trial.objects.filter(pk=trial_id).update(is_done=True, error=error)


def confirm_version(*, version: SpecialistVersion, by: User | None) -> None:
    """Let the version vote. Raises ActionError without a sound trial, or when another label map is clearly better."""
    trial = newest_trial(version)
    if trial is None or not trial.is_done:
        raise ActionError(_("The trial is not over yet."))
    if trial.error:
        raise ActionError(_("The trial failed, so this version may not vote: %(error)s") % {"error": trial.error})
    if trial.better_targets is not None:
        raise ActionError(
            _("Another reading of the model's labels fits the known labels clearly better. Correct the map below.")
        )
    SpecialistVersion.objects.filter(pk=version.pk).update(confirmed_by=by, confirmed_at=timezone.now())


def archive_specialist(*, specialist: Specialist) -> None:
    """Take it off the lists; its votes and versions stay."""
    taken = f"{specialist.name[:90]} (removed {specialist.pk})"
    Specialist.objects.filter(pk=specialist.pk).update(is_archived=True, name=taken)
