"""What the filters of the samples list offer."""

from dataclasses import dataclass

from labeling.datasets.models import Dataset
from labeling.datasets.queries import datasets_of
from labeling.projects.models import LabelClass, Project
from labeling.projects.queries import memberships_of
from labeling.specialists.models import Specialist

OFFERED = 500  # chosen: nobody reads a longer list of choices


@dataclass(frozen=True, slots=True)
class Choices:
    """The project's data sets, those in use first; its classes; people and specialists as (id, name)."""

    datasets: list[Dataset]
    classes: list[LabelClass]
    people: list[tuple[int, str]]
    specialists: list[tuple[int, str]]


def choices_of(project: Project) -> Choices:
    """What may be asked for in the project: four queries."""
    members = memberships_of(project).order_by("user__username")
    specialists = Specialist.objects.filter(project=project).order_by("is_archived", "name", "id")
    return Choices(
        datasets=list(datasets_of(project)[:OFFERED]),
        classes=list(project.classes.all()),
        people=[(one.user_id, one.user.get_username()) for one in members[:OFFERED]],
        specialists=list(specialists.values_list("id", "name")[:OFFERED]),
    )
