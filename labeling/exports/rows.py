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
        uncertainty, route, generation = page.consensus.get(sample_id, (None, None, None))
        said = page.verdicts.get(label.item_id, []) if label and label.item_id else []
        values: tuple[Value, ...] = (
            source.class_names[label.class_id] if label else None,
            label.source if label else None,
            _round(label.confidence) if label else None,
            _round(uncertainty),
            route,
            _votes(source, page, sample_id, generation),
            None,  # the verifier's columns stay empty until an LLM verifies
            None,
            None,
            "; ".join(name for name, _class_id in said) or None,
            "; ".join(f"{name}={source.class_names[class_id]}" for name, class_id in said) or None,
            label.decided_at if label else None,
            *_pool(source, label, generation),
            "frame" if text_hash <= frame_until else None,
        )
        yield ExportRow(text, cells, values, label.source if label else "", route or "")


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _votes(source: Source, page: Page, sample_id: int, generation: int | None) -> str | None:
    """model=class@probability of the versions behind the row's consensus, in pool order; (abstained) for no class."""
    given = page.votes.get(sample_id)
    if not given or generation is None:
        return None
    pool = source.pools.get(generation, {})
    votes = [f"{name}={_vote(source, *given[version_id])}" for version_id, name in pool.items() if version_id in given]
    return "; ".join(votes) or None


def _vote(source: Source, class_id: int | None, top: float | None) -> str:
    if class_id is None:
        return "(abstained)"
    name = source.class_names[class_id]
    return name if top is None else f"{name}@{top:.3f}"


def _pool(source: Source, label: LabelFact | None, generation: int | None) -> tuple[int | None, int | None]:
    """Run and generation of the pool behind the label, else of the one in the newest run that saw the sample last."""
    run = source.run
    if label and label.run_id:
        is_newest = run is not None and label.run_id == run.pk
        own = generation if label.generation is None and is_newest else label.generation
        return source.run_numbers.get(label.run_id), own
    return (run.number, generation) if run is not None and generation is not None else (None, None)
