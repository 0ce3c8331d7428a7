"""What the samples pages keep to themselves: nothing of a text that somebody still has to answer without knowing it.

An open item is answered blind when it is an audit's or when several people answer it. While an audit waits, nothing
may tell its texts from others either: what machines said is kept back for all texts that it draws from, and for all
that wait for a person. Items that only an audit asks for are not shown at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull
from django.utils.translation import gettext as _

from labeling.datasets.models import Dataset, Sample
from labeling.labels.audit_queries import is_audit_open
from labeling.labels.models import ItemReason, ItemState, Label, ReviewItem

BY_PERSON = ("human", "adjudicated", "imported")
WAITING = Q(state=ItemState.OPEN) & ~Q(run=None, reason=ItemReason.AUDIT)
"""What waits for a person, but for texts that only an audit asks for: nothing may tell that they were drawn."""
BLIND = Q(is_blind=True) | Q(needed__gt=1)
IS_TOLD = ~Q(state=ItemState.OPEN) | ~BLIND
"""Items on which it may be told what people said: those that nobody answers blind any more."""


@dataclass(frozen=True, slots=True)
class Veil:
    """What one text's page keeps back: what machines said of it, and what people said on the items in `untold`."""

    hides_machines: bool
    untold: frozenset[int]
    hides_reasons: bool


@dataclass(frozen=True, slots=True)
class ShownItem:
    """A review item with what a person may know of why it is there."""

    item: ReviewItem
    reason: str
    is_told: bool


def is_blind(item: ReviewItem) -> bool:
    """Whether the item still gets answers that must not know of one another."""
    return item.state == ItemState.OPEN and (item.is_blind or item.needed > 1)


def is_waiting(item: ReviewItem) -> bool:
    """Whether the item is one of WAITING."""
    is_audit_alone = item.run_id is None and item.reason == ItemReason.AUDIT
    return item.state == ItemState.OPEN and not is_audit_alone


def veil_of(sample: Sample, items: Sequence[ReviewItem], *, is_audited: bool) -> Veil:
    """What is kept back of the text with these items; `is_audited` where people have answered it for an audit."""
    is_open = is_audit_open(sample.dataset)
    is_framed = sample.text_hash <= sample.dataset.frame_until and not is_audited
    waits, untold = any(map(is_waiting, items)), frozenset(item.pk for item in items if is_blind(item))
    is_anywhere_blind = any(is_waiting(item) and is_blind(item) for item in items)
    return Veil(is_anywhere_blind or (is_open and (is_framed or waits)), untold, hides_reasons=is_open)


def items_shown(items: Iterable[ReviewItem], veil: Veil) -> list[ShownItem]:
    """The text's items that may be known of. While an audit waits, no open one says why it is there."""
    return [
        ShownItem(
            item,
            _("In the queue") if item.state == ItemState.OPEN and veil.hides_reasons else item.get_reason_display(),
            item.pk not in veil.untold,
        )
        for item in items
        if item.state != ItemState.OPEN or is_waiting(item)
    ]


def kept_back(dataset: Dataset) -> Q:
    """A condition on samples: those of which no list may tell what machines said of them.

    Where a person has labeled a text of the audit's frame, its label is that person's, and shown.
    """
    blind = ReviewItem.objects.filter(WAITING, BLIND, dataset=dataset, text_hash=OuterRef("text_hash"))
    hidden = Q(IsNull(first(blind, "pk"), False))
    if is_audit_open(dataset):
        by_person = Label.objects.filter(sample=OuterRef("pk"), is_current=True, source__in=BY_PERSON)
        hidden |= Q(text_hash__lte=dataset.frame_until) & Q(IsNull(first(by_person, "pk"), True))
    return hidden


def first(rows: QuerySet[Any], name: str) -> Subquery:
    """The field of the first of the rows, NULL without any; looked up anew for each row of the outer query."""
    return Subquery((rows if rows.query.order_by else rows.order_by()).values(name)[:1])
