"""Agreement between people as a CSV file: the figures of their page with all digits."""

import csv
import io
from collections.abc import Iterator

from labeling.quality.figures import AgreementFigure
from labeling.quality.people import AgreementPage
from labeling.web.cells import guard

COLUMNS = ("measure", "first", "second", "value", "low", "high", "texts", "people", "why_not")


def agreement_csv(page: AgreementPage) -> str:
    """A line a coefficient over all people, then one for each two people; empty where there is no value."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_lines(page))
    return out.getvalue()


def _lines(page: AgreementPage) -> Iterator[tuple[object, ...]]:
    for line in page.lines:
        yield _cells(line.figure, "", "")
    for pair in page.pairs:
        yield _cells(pair.figure, guard(pair.first), guard(pair.second))


def _cells(figure: AgreementFigure, first: str, second: str) -> tuple[object, ...]:
    interval = (figure.value, figure.low, figure.high)
    return figure.kind, first, second, *interval, figure.items, figure.raters, figure.why_not
