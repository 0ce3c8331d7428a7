"""A pilot as its page shows it: what was right and sure, what its calls took, and what a run would cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotator_core.verifiers.forecast import ENOUGH
from labeling.datasets.models import Dataset
from labeling.llm.models import Connection
from labeling.overview.forecast.asked import PilotPrice, price_pilot
from labeling.overview.forecast.votes import pilot_of
from labeling.projects.models import LabelClass, Project
from labeling.runs.asking_form import Asking
from labeling.runs.models import LlmPilot, PilotRow, Run
from labeling.runs.pilots.figures import Counted, Measured, PilotFigures, from_json
from labeling.runs.pilots.queries import rows_of

STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Confidences of the figure; chosen."""


@dataclass(frozen=True, slots=True)
class Right:
    """A share of right classes with its name; `counted` of the rows with a known class."""

    name: str
    counted: Counted
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """Shares of rows that go to people where a run asks for that confidence, None where not measured."""

    sure_from: float
    replaced: float | None
    fused: float | None


@dataclass(frozen=True, slots=True)
class CallLine:
    """A connection and what its calls took."""

    connection: Connection
    measured: Measured


@dataclass(frozen=True, slots=True)
class Line:
    """A row that was asked about: text, the class that its models named together, the pool's, the known one."""

    row: PilotRow
    answer: LabelClass | None
    is_right: bool | None


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page shows of a pilot that is over.

    has_votes: whether the rows were hard ones that specialists had voted on. is_enough: the forecast goes by its
    accuracies.
    """

    figures: PilotFigures
    rights: list[Right]
    points: list[Point]
    calls: list[CallLine]
    lines: list[Line]
    has_votes: bool
    is_enough: bool

    @property
    def is_fused(self) -> bool:
        """Whether the answers could be fused with the votes."""
        return bool(self.figures.fused_sureness)


def price_of(project: Project, dataset: Dataset, asking: Asking, rows: int) -> PilotPrice | None:
    """What it would cost, as far as can be said before; None where a model has no price."""
    return price_pilot(project, dataset, asking, min(rows, dataset.row_count))


def run_to_draw_from(project: Project, dataset: Dataset) -> Run | None:
    """The data set's newest run with votes: its hard rows are what a language model would see."""
    found = pilot_of(project, dataset)
    return found.run if found and found.run.dataset_id == dataset.pk and found.run.hard else None


def report_of(pilot: LlmPilot) -> Report | None:
    """None while there is nothing to show."""
    if not pilot.figures:
        return None
    figures = from_json(pilot.figures)
    connections = {one.pk: one for one in pilot.connections.all()}
    return Report(
        figures=figures,
        rights=_rights(figures),
        points=_points(figures),
        calls=[CallLine(connections[one.connection_id], one) for one in figures.measured],
        lines=[_line(row, len(connections)) for row in rows_of(pilot)],
        has_votes=pilot.run_id is not None or bool(figures.fused_sureness),
        is_enough=figures.right.rows >= ENOUGH,
    )


def _rights(figures: PilotFigures) -> list[Right]:
    """None without a row whose class is known."""
    if not figures.right.rows:
        return []
    found = [Right(_("The language model"), figures.right)]
    if figures.pool.rows:
        found.append(Right(_("The specialists, on the same rows"), figures.pool, "quiet"))
    if figures.fused.rows:
        found.append(Right(_("Both, fused without an audit"), figures.fused, "good"))
    return found


def _points(figures: PilotFigures) -> list[Point]:
    return [
        Point(one, _share(figures.count_unsure(one, is_fused=False)), _share(figures.count_unsure(one, is_fused=True)))
        for one in STEPS
    ]


def _share(counted: Counted | None) -> float | None:
    return counted.share if counted else None


def _line(row: PilotRow, models: int) -> Line:
    """The class that most of its models named; none where two lead, or one has not answered."""
    named: dict[int, tuple[int, LabelClass]] = {}
    given: Sequence[Any] = list(row.answers.all())
    for one in given:
        if one.label_class:
            count, _class = named.get(one.label_class.pk, (0, one.label_class))
            named[one.label_class.pk] = count + 1, one.label_class
    answer = _leading(named) if len(given) == models else None
    known = row.known_class_id
    return Line(row, answer, None if known is None or answer is None else answer.pk == known)


def _leading(named: Mapping[int, tuple[int, LabelClass]]) -> LabelClass | None:
    ranked = sorted(named.values(), key=lambda one: -one[0])
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]
