"""People's work on labels and what learning saves of it, for pages of rooms that know no labels."""

from django import template

from labeling.labels.queries import PeopleTime, people_seconds, rows_taken_off
from labeling.labels.queries import people_time as time_on
from labeling.projects.models import Project
from labeling.runs.models import Run
from labeling.web.wording import word_duration

register = template.Library()


@register.simple_tag
def work_time(project: Project, rows: int) -> str:
    """What deciding so many rows would take a person of the project: "about 2 h"."""
    return word_duration(rows * people_seconds(project))


@register.simple_tag
def taken_off(project: Project) -> int:
    """Rows that left the project's queue in the last day because specialists learned."""
    return rows_taken_off(project)


@register.simple_tag
def people_time(run: Run) -> PeopleTime | None:
    """The time that people spent on the run's texts; None before anybody answered."""
    return time_on(run)
