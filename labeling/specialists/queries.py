"""Reads about specialists."""

from django.db.models import Max, Prefetch, QuerySet

from labeling.projects.models import Project
from labeling.specialists.models import Specialist, SpecialistVersion, Trial


def specialists_of(project: Project) -> QuerySet[Specialist]:
    """The project's specialists that are not archived, with their newest versions and trials."""
    versions = SpecialistVersion.objects.order_by("-number").prefetch_related(
        Prefetch("trials", Trial.objects.order_by("-id"))
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


def next_version_number(specialist: Specialist) -> int:
    """1 for the first version."""
    return (SpecialistVersion.objects.filter(specialist=specialist).aggregate(last=Max("number"))["last"] or 0) + 1


def newest_trial(version: SpecialistVersion) -> Trial | None:
    """The trial made last."""
    return Trial.objects.filter(version=version).order_by("-id").first()
