"""Audit items: texts drawn at random that people label blind among the others, whatever a run says of them."""

import hashlib
from collections.abc import Collection, Iterator, Sequence

from django.db import connection
from django.db.models import Count, Exists, F, Min, OuterRef, QuerySet

from labeling.datasets.models import Dataset, Sample
from labeling.jobs.actions import mark_dirty
from labeling.labels.actions.labels import BATCH, batched_ids
from labeling.labels.actions.people import needed_people, set_needed
from labeling.labels.models import ItemReason, ItemState, Lease, ReviewItem, Verdict
from labeling.runs.models import Run
from labeling.runs.queries import measured_runs

ASSESS = "assess"
"""The kind of the job that measures a run by its audit; its subject is the run."""


def lock_queue(dataset: Dataset) -> None:
    """Hold the data set's runs, then the data set: two draws come one after the other, and no route changes meanwhile.

    SQLite has one writer anyway.
    """
    if connection.features.has_select_for_update:
        runs = Run.objects.select_for_update(no_key=True).filter(dataset=dataset).order_by("id")
        list(runs.values_list("id"))
        Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)


def open_audit_items(*, dataset: Dataset, hashes: Collection[str]) -> None:
    """Let the texts wait for a person, blind. The caller has called `lock_queue`.

    An item that waits already keeps its place. The others get the places of random items of the queue, so that nothing
    tells them apart.
    """
    rest = sorted(set(hashes) - _join_open_items(dataset, sorted(hashes)))
    places, needed = dict(zip(rest, _places(dataset, rest), strict=True)), needed_people(dataset.project_id)
    for some in _parts(rest):
        ReviewItem.objects.bulk_create(_new_items(dataset, some, places, needed.audit), ignore_conflicts=True)
        withdrawn = ReviewItem.objects.filter(run=None, dataset=dataset, text_hash__in=some, state=ItemState.WITHDRAWN)
        back = list(withdrawn.select_for_update().order_by("id"))
        for item in back:
            item.state, item.reason, item.is_blind = ItemState.OPEN, ItemReason.AUDIT, True
            item.priority, item.version = places[item.text_hash], item.version + 1
        ReviewItem.objects.bulk_update(back, ["state", "reason", "is_blind", "priority", "version"])
        set_needed(ReviewItem.objects.filter(pk__in=[item.pk for item in back]), needed)


def withdraw_audit_items(*, dataset: Dataset) -> int:
    """Take the data set's texts that wait for the audit alone out of the queue; returns how many.

    What a run asks for stays, as that run's. Labels stay, too. The caller has called `lock_queue`.
    """
    joined = ReviewItem.objects.filter(dataset=dataset, is_audited=True, state=ItemState.OPEN)
    joined_ids = list(joined.select_for_update().order_by("id").values_list("id", flat=True))
    for some in batched_ids(joined_ids):
        items = ReviewItem.objects.filter(pk__in=some)
        items.update(is_audited=False, version=F("version") + 1)
        set_needed(items, needed_people(dataset.project_id))
    waiting = ReviewItem.objects.filter(dataset=dataset, reason=ItemReason.AUDIT, state=ItemState.OPEN)
    ids = list(waiting.select_for_update().order_by("id").values_list("id", flat=True))
    count = 0
    for some in batched_ids(ids):
        items = ReviewItem.objects.filter(pk__in=some)
        items.exclude(run=None).update(reason=ItemReason.HARD, version=F("version") + 1)
        set_needed(items.exclude(run=None), needed_people(dataset.project_id))
        Lease.objects.filter(item__in=items.filter(run=None)).delete()
        count += items.filter(run=None).update(state=ItemState.WITHDRAWN, version=F("version") + 1)
    return count


def release_audit_items(item_ids: Collection[int]) -> None:
    """Locked items that a run does not ask for any more wait for the audit alone, on whatever screen they stand."""
    twin = ReviewItem.objects.filter(run=None, dataset=OuterRef("dataset"), text_hash=OuterRef("text_hash"))
    for some in batched_ids(item_ids):
        ReviewItem.objects.filter(~Exists(twin), pk__in=some).update(run=None, version=F("version") + 1)
        left = list(ReviewItem.objects.filter(pk__in=some).exclude(run=None))
        for item in left:
            _return_to_twin(item)


def tell_assessment(item: ReviewItem) -> None:
    """Let the jobs that measure runs by the item's audit look whether enough answers came; nothing for other items."""
    if item.reason != ItemReason.AUDIT and not item.is_audited:
        return
    for run in measured_runs(item.dataset_id):
        mark_dirty(kind=ASSESS, subject=run.pk)


def _join_open_items(dataset: Dataset, hashes: Sequence[str]) -> set[str]:
    """Mark the items on these texts that wait already; returns their texts. One drawn at random keeps its reason."""
    joined: dict[str, int] = {}
    for some in _parts(hashes):
        waiting = ReviewItem.objects.filter(dataset=dataset, text_hash__in=some, state=ItemState.OPEN)
        joined |= dict(waiting.select_for_update().order_by("id").values_list("text_hash", "id"))
    seen, needed = Verdict.objects.filter(item=OuterRef("pk")), needed_people(dataset.project_id).audit
    for ids in batched_ids(joined.values()):
        items = ReviewItem.objects.filter(pk__in=ids)
        items.filter(reason=ItemReason.RANDOM).update(is_audited=True)
        items.exclude(reason=ItemReason.RANDOM).update(reason=ItemReason.AUDIT)
        # On a screen its votes may have been seen: what is said of them there is believed.
        items.filter(~Exists(seen), ~Exists(Lease.objects.filter(item=OuterRef("pk")))).update(is_blind=True)
        items.filter(needed__lt=needed, escalation="").update(needed=needed)
    return set(joined)


def _places(dataset: Dataset, hashes: Sequence[str]) -> list[float]:
    """Priorities of items that wait now, drawn at random: hashes have nothing to do with places in the queue."""
    count, point = len(hashes), _mark(dataset, "".join(hashes[:1]))
    waiting = ReviewItem.objects.filter(dataset=dataset, state=ItemState.OPEN).order_by("text_hash")
    found = list(waiting.filter(text_hash__gt=point).values_list("priority", flat=True)[:count])
    found += waiting.filter(text_hash__lte=point).values_list("priority", flat=True)[: count - len(found)]
    if not found:
        return [int(_mark(dataset, f"place {number}"), 16) / 16**32 for number in range(count)]
    return [found[number % len(found)] for number in range(count)]


def _new_items(dataset: Dataset, hashes: Sequence[str], places: dict[str, float], needed: int) -> list[ReviewItem]:
    texts = Sample.objects.filter(dataset=dataset, text_hash__in=hashes).order_by("text_hash")
    return [
        ReviewItem(
            project_id=dataset.project_id,
            dataset=dataset,
            sample_id=sample_id,
            text_hash=text_hash,
            reason=ItemReason.AUDIT,
            is_blind=True,
            needed=needed,
            priority=places[text_hash],
            copies=copies,
        )
        for text_hash, sample_id, copies in texts.values_list("text_hash").annotate(first=Min("id"), n=Count("id"))
    ]


def _return_to_twin(item: ReviewItem) -> None:
    """The text has an item without a run from before: that one waits, this one does not."""
    twin: QuerySet[ReviewItem] = ReviewItem.objects.filter(run=None, dataset=item.dataset_id, text_hash=item.text_hash)
    Lease.objects.filter(item=item).delete()
    ReviewItem.objects.filter(pk=item.pk).update(state=ItemState.WITHDRAWN, version=F("version") + 1)
    set_needed(twin.filter(state=ItemState.WITHDRAWN), needed_people(item.project_id))
    twin.filter(state=ItemState.WITHDRAWN).update(
        state=ItemState.OPEN, reason=ItemReason.AUDIT, priority=item.priority, version=F("version") + 1
    )


def _parts(hashes: Sequence[str]) -> Iterator[Sequence[str]]:
    for low in range(0, len(hashes), BATCH):
        yield hashes[low : low + BATCH]


def _mark(dataset: Dataset, word: str) -> str:
    """32 hex characters, the same for the same data set and word."""
    return hashlib.blake2b(f"audit {word}".encode(), digest_size=16, key=str(dataset.pk).encode()).hexdigest()
