"""The values of our own columns for each sample of a page."""

from collections.abc import Iterator
from dataclasses import dataclass

from labeling.exports.queries import LabelFact, Page, Source

Value = str | float | int | None
DIGITS = 6


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A sample as stored, and the values of OWN_COLUMNS in their order; `source` is "" without a label."""

    text: str
    cells: str
    values: tuple[Value, ...]
    source: str
    route: str


def build_rows(source: Source, page: Page) -> Iterator[ExportRow]:
    """One row a sample, in the page's order."""
    frame_until = source.dataset.frame_until
    for sample_id, text, cells, text_hash in page.samples:
        label = page.labels.get(sample_id)
        uncertainty, route = page.consensus.get(sample_id, (None, None))
        said = page.verdicts.get(label.item_id, []) if label and label.item_id else []
        values: tuple[Value, ...] = (
            source.class_names[label.class_id] if label else None,
            label.source if label else None,
            _round(label.confidence) if label else None,
            _round(uncertainty),
            route,
            _votes(source, page, sample_id),
            None,  # the verifier's columns stay empty until an LLM verifies
            None,
            None,
            "; ".join(name for name, _class_id in said) or None,
            "; ".join(f"{name}={source.class_names[class_id]}" for name, class_id in said) or None,
            label.decided_at if label else None,
            _run_number(source, label, is_in_run=route is not None or uncertainty is not None),
            "frame" if text_hash <= frame_until else None,
        )
        yield ExportRow(text, cells, values, label.source if label else "", route or "")


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _votes(source: Source, page: Page, sample_id: int) -> str | None:
    """model=class@probability, in the order of the pool; an abstention has no class."""
    given = page.votes.get(sample_id)
    if not given:
        return None
    return "; ".join(
        f"{name}={_vote(source, *given[version_id])}" for version_id, name in source.pool.items() if version_id in given
    )


def _vote(source: Source, class_id: int | None, top: float | None) -> str:
    if class_id is None:
        return "(abstained)"
    name = source.class_names[class_id]
    return name if top is None else f"{name}@{top:.3f}"


def _run_number(source: Source, label: LabelFact | None, *, is_in_run: bool) -> int | None:
    """The run that gave the label, else the newest one that has seen the sample."""
    if label and label.run_id:
        return source.run_numbers.get(label.run_id)
    return source.run.number if source.run and is_in_run else None
