"""The samples list: filtered by allow-listed fields, paged by position, bounded in what one page looks at."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Left

from labeling.datasets.models import Dataset, Sample
from labeling.labels.models import ItemState, Label, ReviewItem
from labeling.overview.forms import FilterValues
from labeling.refinement.models import RoundSample

PAGE = 50
WINDOW = 20_000  # chosen: rows that one page looks through at most, so that a rare match never makes a page slow
EXCERPT = 240
BY_MACHINE = ("consensus", "verifier", "fused")
BY_PERSON = ("human", "adjudicated", "imported")


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample in the list, its current label, and whether it waits for a person."""

    pk: int
    position: int
    external_id: str
    text: str
    label: Label | None
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class SamplePage:
    """Rows by rising position; `searched` is the range of row numbers that was looked through, counted from 1."""

    rows: list[SampleRow]
    after: int | None
    before: int | None
    searched: tuple[int, int]


def rounds_of(sample: Sample) -> list[RoundSample]:
    """What the text did in refinement rounds of its project, newest first; a round takes equal texts once."""
    equal = Sample.objects.filter(dataset__project=sample.dataset.project_id, text_hash=sample.text_hash)
    rows = RoundSample.objects.filter(sample__in=equal).select_related("round", "label_class")
    return list(rows.order_by("-round__number", "role"))


def page_of(dataset: Dataset, values: FilterValues) -> SamplePage:
    """The page that starts after (or ends before) a position: four queries, whatever the size of the data set."""
    samples = _filtered(dataset, values)
    if values.before is not None:
        low = max(-1, values.before - 1 - WINDOW)
        found = samples.filter(position__lt=values.before, position__gt=low).order_by("-position")
        rows = list(reversed(_read(found)))
        low, high = (rows[0].position - 1 if len(rows) == PAGE else low), values.before - 1
    else:
        low = values.after if values.after is not None else -1
        found = samples.filter(position__gt=low, position__lte=low + WINDOW).order_by("position")
        rows = _read(found)
        high = rows[-1].position if len(rows) == PAGE else min(low + WINDOW, dataset.row_count - 1)
    return SamplePage(
        rows=_with_labels(dataset, rows),
        after=high if high < dataset.row_count - 1 else None,
        before=low + 1 if low >= 0 else None,
        searched=(low + 2, high + 1),
    )


def _read(samples: QuerySet[Sample]) -> list[Sample]:
    """Ids and the start of each text: a long text never leaves the database."""
    shown = samples.defer("text", "cells").annotate(excerpt=Left("text", EXCERPT))
    return list(shown[:PAGE])


def _with_labels(dataset: Dataset, samples: list[Sample]) -> list[SampleRow]:
    ids = [sample.pk for sample in samples]
    current = Label.objects.filter(sample_id__in=ids, is_current=True).select_related("label_class")
    labels = {label.sample_id: label for label in current}
    hashes = {sample.text_hash for sample in samples}
    waiting = ReviewItem.objects.filter(dataset=dataset, text_hash__in=hashes, state=ItemState.OPEN)
    open_hashes = set(waiting.values_list("text_hash", flat=True))
    return [
        SampleRow(
            pk=sample.pk,
            position=sample.position,
            external_id=sample.external_id or "",
            text=sample.excerpt,  # type: ignore[attr-defined]  # annotated by _read
            label=labels.get(sample.pk),
            is_waiting=sample.text_hash in open_hashes,
        )
        for sample in samples
    ]


def _filtered(dataset: Dataset, values: FilterValues) -> QuerySet[Sample]:
    samples = Sample.objects.filter(dataset=dataset)
    label = Label.objects.filter(sample=OuterRef("pk"), is_current=True)
    waiting = ReviewItem.objects.filter(dataset=dataset, text_hash=OuterRef("text_hash"), state=ItemState.OPEN)
    states = {
        "accepted": Exists(label.filter(source__in=BY_MACHINE)),
        "decided": Exists(label.filter(source__in=BY_PERSON)),
        "review": Exists(waiting),
        "unlabeled": ~Exists(label),
    }
    if values.state in states:
        samples = samples.filter(states[values.state])
    if values.source:
        samples = samples.filter(Exists(label.filter(source=values.source)))
    if values.class_id:
        samples = samples.filter(Exists(label.filter(label_class_id=values.class_id)))
    if values.text:
        samples = samples.filter(text__icontains=values.text)
    return samples
