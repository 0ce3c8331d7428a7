"""Reads about specialists."""

from django.db.models import Max, Prefetch, Q, QuerySet

from labeling.projects.models import Project
from labeling.specialists.models import Specialist, SpecialistVersion, Trial, VersionOrigin

SETTLED = ~Q(origin=VersionOrigin.ROUND) | Q(confirmed_at__isnull=False)
"""All versions but those that a round made and did not promote: who takes over there is decided at the round."""


def specialists_of(project: Project) -> QuerySet[Specialist]:
    """The project's specialists that are not archived, with their settled versions, newest first, and trials."""
    versions = (
        SpecialistVersion.objects.filter(SETTLED)
        .order_by("-number")
        .prefetch_related(Prefetch("trials", Trial.objects.order_by("-id")))
    )
    return Specialist.objects.filter(project=project, is_archived=False).prefetch_related(
        Prefetch("versions", versions)
    )


def specialist_in(project: Project, specialist_id: int) -> Specialist | None:
    """The project's specialist of that id."""
    return Specialist.objects.filter(project=project, pk=specialist_id).first()


def newest_version(specialist: Specialist) -> SpecialistVersion | None:
    """The version made last."""
    return SpecialistVersion.objects.filter(specialist=specialist).order_by("-number").first()


def settled_version(specialist: Specialist) -> SpecialistVersion | None:
    """The newest version that no round keeps back: the one that people map, try and confirm."""
    return SpecialistVersion.objects.filter(SETTLED, specialist=specialist).order_by("-number").first()


def next_version_number(specialist: Specialist) -> int:
    """1 for the first version."""
    return (SpecialistVersion.objects.filter(specialist=specialist).aggregate(last=Max("number"))["last"] or 0) + 1


def newest_trial(version: SpecialistVersion) -> Trial | None:
    """The trial made last."""
    return Trial.objects.filter(version=version).order_by("-id").first()
