"""Runs by name on pages of rooms below, which know them by their ids only."""

from dataclasses import dataclass

from django import template
from django.db.models import Count

from labeling.llm.cost_queries import RunLine
from labeling.projects.models import Project
from labeling.runs.models import Run
from labeling.runs.saving import Saving, saving_of
from labeling.web.wording import NANO

register = template.Library()


@register.simple_tag
def run_numbers(project: Project) -> dict[int, int]:
    """The number of each run of the project, by its id: one query."""
    return dict(Run.objects.filter(project=project).values_list("pk", "number"))


@register.filter
def number_of(numbers: dict[int, int], run_id: int) -> int | None:
    """The run's number, None where it is gone."""
    return numbers.get(run_id)


@dataclass(frozen=True, slots=True)
class RunSaving:
    """A run by its number, and what its calls saved against asking about every row."""

    number: int
    saving: Saving

    @property
    def paid_usd(self) -> float:
        """Dollars that were paid, for drawing."""
        return self.saving.cost_nano / NANO

    @property
    def all_usd(self) -> float:
        """Dollars that asking about every row would cost, for drawing."""
        return self.saving.all_nano / NANO


@register.simple_tag
def run_savings(lines: list[RunLine]) -> list[RunSaving]:
    """Of the runs on these lines that paid for answers, in the order of the lines: one query."""
    runs = Run.objects.filter(pk__in=[line.run for line in lines]).annotate(models=Count("verifiers"))
    found = {run.pk: run for run in runs}
    asked = [line for line in lines if line.run in found and line.totals.cost_nano]
    savings = [
        (found[line.run].number, saving_of(found[line.run], line.totals, found[line.run].models)) for line in asked
    ]
    return [RunSaving(number, saving) for number, saving in savings if saving]
