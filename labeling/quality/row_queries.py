"""Reads of a run's drawn texts: their answers, what the run made of them, and which draws are answered whole."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from django.db.models import Count

from annotator_core.types import Route
from labeling.datasets.models import Dataset, Sample
from labeling.labels.answer_queries import MACHINE_SOURCES
from labeling.labels.models import Consensus, Label
from labeling.quality.models import AuditRow, Third
from labeling.quality.queries import draw_order, frame_texts
from labeling.runs.models import Run

PART = 500  # SQLite builds exist that take no more than 999 parameters (C36)


@dataclass(frozen=True, slots=True)
class DrawnText:
    """A text of an audit: `draw` is the audit's number, `copies` how often it stands among the run's rows, or 0."""

    sample_id: int
    text: str
    text_hash: str
    is_fit: bool
    draw: int
    copies: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What a run made of a row: its class and route under that generation; the route is None while it waits for one.

    A row that a language model labeled in the run has that label's class, whatever a person has said since.
    """

    class_id: int | None
    route: str | None
    generation: int


def drawn_texts(run: Run) -> list[DrawnText]:
    """Every text that was drawn from the run's data set, by hash."""
    rows = list(
        AuditRow.objects.filter(dataset=run.dataset_id)
        .order_by("text_hash")
        .values_list("sample_id", "sample__text", "text_hash", "third", "audit__number")
    )
    copies = _copies(run, [row[2] for row in rows])
    return [
        DrawnText(sample_id, text, text_hash, third == Third.FIT, number, copies.get(text_hash, 0))
        for sample_id, text, text_hash, third, number in rows
    ]


def fit_hashes(dataset_id: int) -> set[str]:
    """The drawn texts of the fitting third."""
    rows = AuditRow.objects.filter(dataset=dataset_id, third=Third.FIT)
    return set(rows.values_list("text_hash", flat=True))


def fates_of(run: Run, sample_ids: Sequence[int]) -> dict[int, Fate]:
    """The current consensus of each of the samples that has one in the run."""
    found: dict[int, Fate] = {}
    for low in range(0, len(sample_ids), PART):
        rows = Consensus.objects.filter(run=run, is_current=True, sample_id__in=sample_ids[low : low + PART])
        for sample_id, class_id, route, number in rows.values_list(
            "sample_id", "label_class_id", "route", "generation"
        ):
            found[sample_id] = Fate(None if route == Route.VERIFY else class_id, route, number)
    answered = {sample_id for sample_id, fate in found.items() if fate.route == Route.VERIFY}
    for sample_id, class_id in _answered_classes(run, sorted(answered)).items():
        found[sample_id] = replace(found[sample_id], class_id=class_id)
    return found


def _answered_classes(run: Run, sample_ids: Sequence[int]) -> dict[int, int]:
    """The classes of the labels that a language model gave in the run, current or not."""
    found: dict[int, int] = {}
    for low in range(0, len(sample_ids), PART):
        part = Label.objects.filter(run=run, source__in=MACHINE_SOURCES, sample_id__in=sample_ids[low : low + PART])
        found.update(part.order_by("id").values_list("sample_id", "label_class_id"))
    return found


def texts_beside_frame(run: Run, most: int) -> list[str]:
    """Hashes of different texts of the run outside the audit frame, the smallest ones: as good as drawn at random."""
    rows = Sample.objects.filter(
        dataset=run.dataset_id, text_hash__gt=run.dataset.frame_until, position__lt=run.row_count
    )
    return list(rows.order_by("text_hash").values_list("text_hash", flat=True).distinct()[:most])


def undrawn_texts(dataset: Dataset, run: Run, drawn: Collection[str]) -> set[str]:
    """The frame's texts among the run's rows that no audit has drawn."""
    return set(frame_texts(dataset, below=run.row_count)) - set(drawn)


@dataclass(frozen=True, slots=True)
class Wholeness:
    """How far the drawn texts are a random sample of the run's.

    `texts` are the hashes of those that are one: the first ones of the order, up to where the last whole draw ends, by
    whatever draw each of them came. `gaps` counts texts that were appended since and belong among the drawn ones.
    """

    texts: frozenset[str]
    gaps: int


def wholeness(
    dataset_id: int, texts: Sequence[DrawnText], answered: Collection[str], undrawn: Collection[str]
) -> Wholeness:
    """How far the drawn texts are a random sample: the first texts of the order, every one of them answered.

    Draws follow one order of all texts of the frame. A draw is whole where, up to the last place that it and the draws
    before it take, every text is answered: those that were appended since and belong in between count as missing until
    a later draw has taken them in and they are answered, too. The ends of draws alone are borders, so that the sample
    does not change with every answer.
    """
    ordered = draw_order(dataset_id, {*(text.text_hash for text in texts), *undrawn})
    places = {text_hash: place for place, text_hash in enumerate(ordered)}
    missing = next((place for place, text_hash in enumerate(ordered) if text_hash not in answered), len(ordered))
    ends: dict[int, int] = {}
    for text in texts:
        ends[text.draw] = max(ends.get(text.draw, -1), places[text.text_hash])
    border = -1
    for end in accumulate((ends[number] for number in sorted(ends)), max):
        if end >= missing:
            break
        border = end
    last = max(ends.values(), default=-1)
    return Wholeness(frozenset(ordered[: border + 1]), sum(places[text_hash] < last for text_hash in undrawn))


def _copies(run: Run, hashes: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for low in range(0, len(hashes), PART):
        rows = Sample.objects.filter(
            dataset=run.dataset_id, position__lt=run.row_count, text_hash__in=hashes[low : low + PART]
        )
        counts.update(rows.order_by().values_list("text_hash").annotate(n=Count("id")))
    return counts
