"""Reads about scripts."""

from django.db.models import Max, QuerySet

from labeling.projects.models import Project
from labeling.specialists.models import GeneratedScript, SpecialistVersion
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
