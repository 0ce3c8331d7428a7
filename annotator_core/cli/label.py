"""``python -m annotator_core label``: a table in, the same table with labels out."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from annotator_core.cli.arguments import LabelOptions
from annotator_core.cli.outputs import Output
from annotator_core.cli.pool import HubAccess, load_pool
from annotator_core.cli.tables import KINDS, Table, open_table, read_rows, read_text
from annotator_core.loop import Annotation, Observer, annotate
from annotator_core.specialists.contract import Prediction, Specialist
from annotator_core.types import ABSTAIN, Route

COLUMNS: Final = ("label", "label_source", "confidence", "uncertainty", "route", "votes")


@dataclass(slots=True)
class Report:
    """What a run did, counted as it goes: rows by route, and by specialist the abstentions and the cut texts."""

    routes: Counter[Route] = field(default_factory=Counter)
    abstentions: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    truncated: Counter[str] = field(default_factory=Counter)

    def add_prediction(self, name: str, prediction: Prediction) -> None:
        """Count one specialist's answer to a window."""
        found = [reason for reason in prediction.reasons if reason]
        self.abstentions[name] += len(found)
        self.truncated[name] += prediction.truncated
        if found:
            self.reasons.setdefault(name, found[0])

    def tell(self, options: LabelOptions) -> str:
        """Return the report for a person, one line a fact."""
        accepted, review = self.routes[Route.ACCEPT], self.routes[Route.REVIEW]
        lines = [f"{self.routes.total()} rows: {accepted} accepted, {review} need review."]
        lines += [
            f"{name} abstained on {self.abstentions[name]} rows, first because: {reason}"
            for name, reason in self.reasons.items()
        ]
        lines += [f"{name} read only the beginning of {n} long texts." for name, n in self.truncated.items() if n]
        return "\n".join([*lines, f"Written to {options.out}."]) + "\n"


def label_table(options: LabelOptions, hub: HubAccess) -> Report:
    """Return what was done, after the output stands in its place; nothing is left of it after an error.

    Raises AnnotatorError's children.
    """
    table = open_table(options.source, options.text_column)
    pool = load_pool(options.pool, hub)
    report = Report()
    names = dict(zip(COLUMNS, _name_columns(table), strict=True))
    kind = KINDS.get(options.out.suffix.lower(), table.kind)
    with Output(options.out, kind, [*table.columns, *names.values()]) as output, _show(table, pool, report) as observer:
        texts = (read_text(table, row) for row in read_rows(table))
        annotations = annotate(texts, pool, None, options.policy, observer)
        for row, annotation in zip(read_rows(table), annotations, strict=True):
            report.routes[annotation.route] += 1
            ours = _describe(annotation, options.pool.classes)
            output.write(row | {names[column]: value for column, value in ours.items()})
    return report


def _name_columns(table: Table) -> list[str]:
    return [_avoid(column, table.columns) for column in COLUMNS]


def _avoid(name: str, taken: tuple[str, ...]) -> str:
    while name in taken:
        name = f"aa_{name}"
    return name


@contextmanager
def _show(table: Table, pool: list[Specialist], report: Report) -> Iterator[Observer]:
    from tqdm import tqdm

    total = table.n_rows * len(pool)
    with tqdm(total=total, unit="vote", file=sys.stderr, disable=None, dynamic_ncols=True) as bar:
        yield Observer(on_votes=lambda count: bar.update(count) and None, on_prediction=report.add_prediction)


def _describe(annotation: Annotation, classes: tuple[str, ...]) -> dict[str, object]:
    """Return our columns; numbers have six decimals, which is what fp32 holds."""
    votes = [
        f"{vote.specialist}="
        + ("abstain" if vote.class_index == ABSTAIN else f"{classes[vote.class_index]}@{vote.prob:.4f}")
        for vote in annotation.votes
    ]
    return {
        "label": "" if annotation.label == ABSTAIN else classes[annotation.label],
        "label_source": "" if annotation.source is None else annotation.source.value,
        "confidence": "" if annotation.confidence is None else round(annotation.confidence, 6),
        "uncertainty": round(annotation.uncertainty, 6),
        "route": annotation.route.value,
        "votes": "; ".join(votes),
    }
