"""The values of our own columns for each sample of a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labeling.exports.queries import AnswerFact, LabelFact, Page, Source

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
            *_verifier(source, _answers(source, page, label, text_hash)),
            "; ".join(one.name for one in said) or None,
            "; ".join(f"{one.name}={source.class_names[one.class_id]}" for one in said) or None,
            "; ".join(f"{one.name}={one.mode}" for one in said) or None,
            label.decided_at if label else None,
            *_pool(source, label, generation),
            _audit(source, text_hash),
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


def _answers(source: Source, page: Page, label: LabelFact | None, text_hash: str) -> Sequence[AnswerFact]:
    """What language models answered in the run that gave the label, else in the newest one."""
    runs = [label.run_id if label else None, source.run.pk if source.run else None]
    found = (page.answers.get((run_id, text_hash)) for run_id in runs if run_id is not None)
    return next((answers for answers in found if answers), ())


def _verifier(source: Source, answers: Sequence[AnswerFact]) -> tuple[Value, Value, Value]:
    """Who answered, with which class, and why; of several each behind its name."""
    if not answers:
        return None, None, None
    who = "; ".join(f"{one.name} ({one.model})" for one in answers)
    if len(answers) == 1:
        only = answers[0]
        return who, None if only.class_id is None else source.class_names[only.class_id], only.reason or None
    labels = "; ".join(f"{one.name}={_vote(source, one.class_id, None)}" for one in answers)
    return who, labels, "; ".join(f"{one.name}: {one.reason}" for one in answers if one.reason) or None


def _audit(source: Source, text_hash: str) -> str | None:
    """`audited` where a drawn text has its answer, `drawn` before, `frame` for texts kept apart that nobody drew."""
    if text_hash in source.drawn:
        return "audited" if text_hash in source.audited else "drawn"
    return "frame" if text_hash <= source.dataset.frame_until else None


def _pool(source: Source, label: LabelFact | None, generation: int | None) -> tuple[int | None, int | None]:
    """Run and generation of the pool behind the label, else of the one in the newest run that saw the sample last."""
    run = source.run
    if label and label.run_id:
        is_newest = run is not None and label.run_id == run.pk
        own = generation if label.generation is None and is_newest else label.generation
        return source.run_numbers.get(label.run_id), own
    return (run.number, generation) if run is not None and generation is not None else (None, None)
