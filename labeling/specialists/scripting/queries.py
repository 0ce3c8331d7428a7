"""Reads about scripts."""

from datetime import datetime

from django.db.models import Max, QuerySet
from django.db.models.fields.json import KT

from labeling.projects.models import Project
from labeling.specialists.models import GeneratedScript, ScriptKind, SpecialistVersion
from labeling.specialists.queries import SETTLED

BACKEND = "torch"
"""The backend whose models a script can load."""


def scripts_of(project: Project) -> QuerySet[GeneratedScript]:
    """The project's scripts, newest first, with the version each is about."""
    return GeneratedScript.objects.filter(project=project).select_related("version__specialist")


def script_numbered(project: Project, number: int) -> GeneratedScript | None:
    """The project's script of that number."""
    return scripts_of(project).select_related("connection", "voter", "accepted_by").filter(number=number).first()


def next_script_number(project: Project) -> int:
    """1 for the first script."""
    return (GeneratedScript.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0) + 1


def subjects_of(project: Project) -> list[SpecialistVersion]:
    """What a script can be about: the newest settled version of each transformer on the list, its weights there."""
    versions = SpecialistVersion.objects.filter(
        SETTLED, specialist__project=project, specialist__is_archived=False, backend=BACKEND, pruned_at=None
    )
    newest: dict[int, SpecialistVersion] = {}
    for version in versions.select_related("specialist").order_by("specialist_id", "-number"):
        newest.setdefault(version.specialist_id, version)
    return list(newest.values())


def untaken_results(before: datetime, project: Project | None = None) -> set[str]:
    """Weights that scripts asked for before then trained and no specialist was made of; None for all projects."""
    trained = GeneratedScript.objects.filter(kind=ScriptKind.FINE_TUNE)
    old = trained.filter(created_at__lt=before, voter=None)
    mine = old if project is None else old.filter(project=project)
    # The same rows taught by the same script are the same weights.
    others = trained.exclude(pk__in=old.values("pk"))
    return _hashes(mine) - _hashes(others)


def _hashes(scripts: QuerySet[GeneratedScript]) -> set[str]:
    return set(scripts.values_list(KT("comparison__weights_hash"), flat=True)) - {None, ""}
