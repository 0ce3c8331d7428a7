"""The queue's items as routes make them: one for each hard text, opened again where it had been taken off."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, F

from labeling.datasets.models import Dataset, Sample
from labeling.labels.actions.audit import release_audit_items
from labeling.labels.actions.labels import BATCH, batched_ids
from labeling.labels.actions.people import Needed, needed_people, set_needed
from labeling.labels.actions.rows import ConsensusRow, person_labeled
from labeling.labels.actions.seeds import hand_over_seeds
from labeling.labels.models import ItemReason, ItemState, Lease, ReviewItem
from labeling.runs.models import Run
from labeling.web.bulk import insert_rows, set_column

ITEM_FIELDS = (
    "project_id",
    "dataset_id",
    "sample_id",
    "run_id",
    "text_hash",
    "reason",
    "is_blind",
    "needed",
    "priority",
    "copies",
    "state",
    "version",
)


@dataclass(frozen=True, slots=True)
class ItemFound:
    """A locked item of a text. `is_with_people` where it waits for a reviewer or for one person by somebody's hand."""

    pk: int
    state: str
    reason: str
    is_with_people: bool


def open_items(run: Run, hard: Sequence[ConsensusRow]) -> int:
    """One open item for each text that no person has decided; how many of the rows a person had decided already.

    A verdict or an undo on a copy may be on its way: labels are read only while the texts' items are locked, once for
    the items that are there and once for those that came meanwhile, so that either the verdict counts this row or
    this call does, never both or neither.
    """
    hashes = sorted({row.text_hash for row in hard})
    audited = hand_over_seeds(run=run, hashes=hashes)
    lock_items(run, hashes)
    known = person_labeled(row.sample_id for row in hard)
    waiting = [row for row in hard if row.sample_id not in known]
    first = {row.text_hash: row for row in reversed(waiting)}
    needed = needed_people(run.project_id)
    insert_rows(ReviewItem, ITEM_FIELDS, _item_rows(run, first, needed))
    found = lock_items(run, list(first))
    late = person_labeled(row.sample_id for row in waiting if found[row.text_hash].state == ItemState.DECIDED)
    again = {found[h].pk: row for h, row in first.items() if found[h].state == ItemState.WITHDRAWN}
    _open_again(again, audited, needed)
    return len(known) + len(late)


def lock_items(run: Run, hashes: Sequence[str]) -> dict[str, ItemFound]:
    """Lock the run's items of these texts, in one order; by text hash."""
    locked: dict[str, ItemFound] = {}
    for start in range(0, len(hashes), BATCH):
        items = ReviewItem.objects.select_for_update().filter(run=run, text_hash__in=hashes[start : start + BATCH])
        for item in items.order_by("id"):
            is_with_people = bool(item.escalation) or item.assignee_id is not None
            locked[item.text_hash] = ItemFound(item.pk, item.state, item.reason, is_with_people)
    return locked


def set_priorities(priorities: dict[int, float]) -> None:
    """Give locked items their places in the queue."""
    set_column(ReviewItem, "priority", ((priority, pk) for pk, priority in priorities.items()))


def set_states(item_ids: Iterable[int], state: ItemState) -> None:
    """Move locked items to `state`."""
    for ids in batched_ids(item_ids):
        ReviewItem.objects.filter(pk__in=ids).update(state=state, version=F("version") + 1)


def withdraw_items(*, run: Run) -> int:
    """Take the run's open items out of the queue; returns how many. Decided ones and those of an audit stay."""
    with transaction.atomic():
        audited = ReviewItem.objects.filter(run=run, state=ItemState.OPEN, reason=ItemReason.AUDIT)
        release_audit_items(list(audited.select_for_update().order_by("id").values_list("id", flat=True)))
        open_items = ReviewItem.objects.filter(run=run, state=ItemState.OPEN)
        count = open_items.update(state=ItemState.WITHDRAWN, version=F("version") + 1)
        # After the items, as everybody does who asks for the next ones: else each would wait for the other.
        Lease.objects.filter(item__run=run, item__state=ItemState.WITHDRAWN).delete()
    return count


def _open_again(rows: dict[int, ConsensusRow], audited: Collection[str], needed: Needed) -> None:
    """Items that a re-vote took off stand in the queue again, for the row that is hard now; some for an audit, too."""
    set_states(rows, ItemState.OPEN)
    items = [
        ReviewItem(
            pk=pk,
            priority=row.score,
            reason=ItemReason.AUDIT if row.text_hash in audited else row.reason,
            sample_id=row.sample_id,
        )
        for pk, row in rows.items()
    ]
    ReviewItem.objects.bulk_update(items, ["priority", "reason", "sample"], batch_size=BATCH)
    for ids in batched_ids(rows):
        set_needed(ReviewItem.objects.filter(pk__in=ids), needed)


def _item_rows(run: Run, first: dict[str, ConsensusRow], needed: Needed) -> list[tuple[object, ...]]:
    dataset = run.dataset
    copies = _count_copies(dataset, list(first))
    return [
        (
            *(run.project_id, dataset.pk, row.sample_id, run.pk, text_hash, row.reason.value),
            *(
                needed.of(row.reason) > 1 or (run.has_frame and text_hash <= dataset.frame_until),
                needed.of(row.reason),
                row.score,
                copies.get(text_hash, 1),
                ItemState.OPEN.value,
                0,
            ),
        )
        for text_hash, row in sorted(first.items())
    ]


def _count_copies(dataset: Dataset, hashes: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for start in range(0, len(hashes), BATCH):
        part = Sample.objects.filter(dataset=dataset, text_hash__in=hashes[start : start + BATCH])
        counts.update(part.values_list("text_hash").annotate(n=Count("id")).values_list("text_hash", "n"))
    return counts
