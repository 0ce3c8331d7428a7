"""Table 5 and the sweep of epsilon: tables and plots."""

from collections.abc import Callable, Sequence

from annotator_core.reproduce.markdown import write_table
from annotator_core.reproduce.plot import Row, draw_dots
from annotator_core.reproduce.sets import DataSet
from annotator_core.reproduce.study import Measured
from annotator_core.reproduce.sweeps import Point

Swept = Sequence[tuple[DataSet, Sequence[Point]]]
"""The paper's rule at every setting, by set."""


def sweep_large(found: Sequence[Measured], sweep: Callable[[Measured], Sequence[Point]]) -> Swept:
    """Return a sweep of the sets with more specialists than their pool of three."""
    return [(each.dataset, sweep(each)) for each in found if len(each.votes.names) > len(each.dataset.pool)]


def write_points(setting: str, swept: Swept) -> str:
    """Return the table of a sweep; setting: what is varied, in words."""
    head = ["set", setting, "reviewed", "paper + person", "paper + LLM", "order only, of the paper's reviews"]
    rows = [
        [
            dataset.title,
            str(point.setting),
            point.reviewed.tell(),
            point.person.tell(),
            point.llm.tell(),
            point.ordered.tell(digits=0),
        ]
        for dataset, points in swept
        for point in points
    ]
    return write_table(head, rows)


def draw_points(title: str, swept: Swept) -> str:
    """Return the plot of a sweep: a line a set and setting."""
    rows = [
        Row(f"{dataset.name}: {point.setting}", (point.reviewed, point.person, point.llm))
        for dataset, points in swept
        for point in points
    ]
    return draw_dots(title, ["reviewed", "paper + person", "paper + LLM"], rows, low=0.0, high=1.0)
