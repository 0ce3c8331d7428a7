"""Runs by name on pages of rooms below, which know them by their ids only."""

from django import template

from labeling.projects.models import Project
from labeling.runs.models import Run

register = template.Library()


@register.simple_tag
def run_numbers(project: Project) -> dict[int, int]:
    """The number of each run of the project, by its id: one query."""
    return dict(Run.objects.filter(project=project).values_list("pk", "number"))


@register.filter
def number_of(numbers: dict[int, int], run_id: int) -> int | None:
    """The run's number, None where it is gone."""
    return numbers.get(run_id)
