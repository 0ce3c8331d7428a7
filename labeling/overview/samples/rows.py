"""The rows of the samples list: where each text stands, its label, and one specialist's vote on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from labeling.datasets.models import Dataset, Sample
from labeling.labels.models import Escalation, ItemState, Label, ReviewItem, Vote
from labeling.overview.samples.blind import WAITING, kept_back
from labeling.review.models import Return, Skip


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample in the list with its current label. `standing` says what it waits for ("" where for nobody).

    While `is_kept_back` nothing tells what machines said of it: `label` and `vote` are None then.
    """

    pk: int
    position: int
    text: str
    label: Label | None
    standing: str
    is_on_desk: bool
    vote: Vote | None
    is_kept_back: bool


def rows_of(dataset: Dataset, samples: Sequence[Sample], *, specialist_id: int | None) -> list[SampleRow]:
    """The rows of samples that carry an `excerpt`: five queries at most, one more with a specialist."""
    ids = [sample.pk for sample in samples]
    current = Label.objects.filter(sample__in=ids, is_current=True).select_related("label_class")
    labels = {label.sample_id: label for label in current}
    waiting = _waiting(dataset, samples)
    hidden = set(Sample.objects.filter(kept_back(dataset), pk__in=ids).values_list("pk", flat=True))
    votes = _votes(ids, specialist_id) if specialist_id else {}
    return [
        SampleRow(
            pk=one.pk,
            position=one.position,
            text=one.excerpt,  # type: ignore[attr-defined]  # annotated by the search
            label=None if one.pk in hidden else labels.get(one.pk),
            standing=_standing(waiting[one.text_hash]) if one.text_hash in waiting else "",
            is_on_desk=one.text_hash in waiting and waiting[one.text_hash].escalation != "",
            vote=None if one.pk in hidden else votes.get(one.pk),
            is_kept_back=one.pk in hidden and one.pk in labels,
        )
        for one in samples
    ]


def _waiting(dataset: Dataset, samples: Sequence[Sample]) -> dict[str, ReviewItem]:
    """The item that waits for a person, by text hash, with what became of it."""
    skips = Skip.objects.filter(item=OuterRef("pk"), ended_at=None)
    returns = Return.objects.filter(item=OuterRef("pk"))
    items = ReviewItem.objects.filter(WAITING, dataset=dataset, text_hash__in={one.text_hash for one in samples})
    shown = items.select_related("assignee").annotate(is_skipped=Exists(skips), is_returned=Exists(returns))
    return {item.text_hash: item for item in shown.order_by("id")}


def _standing(item: ReviewItem) -> str:
    """What the item waits for, in words."""
    if item.escalation:
        return str(Escalation(item.escalation).label)
    if item.assignee:
        return _("For %(name)s") % {"name": item.assignee.get_username()}
    if item.is_skipped:  # type: ignore[attr-defined]  # annotated by _waiting
        return _("Skipped")
    if item.is_returned:  # type: ignore[attr-defined]  # annotated by _waiting
        return _("Sent back")
    return str(ItemState.OPEN.label)


def _votes(ids: Sequence[int], specialist_id: int) -> dict[int, Vote]:
    """The vote of the specialist's newest version, by sample."""
    votes = Vote.objects.filter(sample__in=ids, version__specialist=specialist_id)
    return {vote.sample_id: vote for vote in votes.select_related("label_class").order_by("version_id")}
