"""Data sets with an audit frame, drawn audits, and people who answer them."""

from uuid import uuid4

from annotator_core.texts import hash_text
from labeling.datasets.engine import frame_threshold
from labeling.datasets.models import Sample
from labeling.datasets.queries import smallest_hash
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ItemReason, ItemState, ReviewItem
from tests.labeling.factories import make_dataset


def make_framed(project, texts=200, copies=10, frame=None):
    """A data set of different texts, some of them twice; a fifth of them, or `frame` many, in the audit frame."""
    dataset = make_dataset(project, [f"text {number % (texts - copies)}" for number in range(texts)])
    dataset.frame_until = smallest_hash(dataset.pk, frame) if frame else frame_threshold(dataset.pk)
    dataset.save()
    return dataset


def append_rows(dataset, texts):
    """More rows, as an import appends them."""
    upload = dataset.uploads.get()
    Sample.objects.bulk_create(
        Sample(dataset=dataset, upload=upload, position=at, text=text, text_hash=hash_text(text), cells="[null, null]")
        for at, text in enumerate(texts, dataset.row_count)
    )
    dataset.row_count += len(texts)
    dataset.save()


def framed(dataset):
    return set(dataset.samples.filter(text_hash__lte=dataset.frame_until).values_list("text_hash", flat=True))


def audit_items(dataset, state=ItemState.OPEN):
    items = ReviewItem.objects.filter(dataset=dataset, reason=ItemReason.AUDIT, state=state)
    return list(items.select_related("sample").order_by("priority", "id"))


def answer_items(items, user, name="positive", seen=False):
    """Decide the items with the class of that name, or with what `name` says of an item."""
    for item in items:
        chosen = name(item) if callable(name) else item.project.classes.get(name=name).pk
        decide(
            item_id=item.pk,
            project=item.project,
            user_id=user.pk,
            class_id=chosen,
            client_id=uuid4(),
            has_seen_votes=seen,
        )
