"""The samples list: filtered by allow-listed fields, paged by position, bounded in what one page looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Left
from django.utils.translation import gettext as _

from labeling.datasets.models import Dataset, Sample
from labeling.labels.answer_history import ShownAnswer, answers_on
from labeling.labels.audit_queries import is_audit_open
from labeling.labels.models import ItemReason, ItemState, Label, ReviewItem
from labeling.overview.forms import FilterValues
from labeling.refinement.models import RoundSample

PAGE = 50
WINDOW = 20_000  # chosen: rows that one page looks through at most, so that a rare match never makes a page slow
EXCERPT = 240
BY_MACHINE = ("consensus", "verifier", "fused")
BY_PERSON = ("human", "adjudicated", "imported")
WAITING = Q(state=ItemState.OPEN) & ~Q(run=None, reason=ItemReason.AUDIT)
"""What waits for a person, but for texts that only an audit asks for: nothing may tell that they were drawn."""


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


@dataclass(frozen=True, slots=True)
class ShownItem:
    """A review item with what a person may know of why it is there."""

    item: ReviewItem
    reason: str


def items_shown(sample: Sample, items: Sequence[ReviewItem]) -> list[ShownItem]:
    """The text's review items. While an audit waits nothing tells its texts from others: no open item has a reason."""
    if not any(item.state == ItemState.OPEN for item in items) or not is_audit_open(sample.dataset):
        return [ShownItem(item, item.get_reason_display()) for item in items]
    return [
        ShownItem(item, _("In the queue") if item.state == ItemState.OPEN else item.get_reason_display())
        for item in items
        if not (item.state == ItemState.OPEN and item.run_id is None and item.reason == ItemReason.AUDIT)
    ]


@dataclass(frozen=True, slots=True)
class ShownAnswers:
    """What language models answered on a text; `is_kept_back` while an audit may still ask a person about it."""

    answers: list[ShownAnswer]
    is_kept_back: bool = False


def answers_shown(sample: Sample, *, is_audited: bool) -> ShownAnswers:
    """The answers of language models. While an audit waits, those on the texts it draws from are kept back.

    On all of them, so that nothing tells which were drawn; `is_audited` where a person has answered this one.
    """
    answers = answers_on(sample)
    is_framed = sample.text_hash <= sample.dataset.frame_until
    if answers and is_framed and not is_audited and is_audit_open(sample.dataset):
        return ShownAnswers([], is_kept_back=True)
    return ShownAnswers(answers)


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
    waiting = ReviewItem.objects.filter(WAITING, dataset=dataset, text_hash__in=hashes)
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
    waiting = ReviewItem.objects.filter(WAITING, dataset=dataset, text_hash=OuterRef("text_hash"))
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
