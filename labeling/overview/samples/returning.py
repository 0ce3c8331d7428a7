"""Texts sent back to the queue from the samples pages: whole pages of them, or one."""

from collections.abc import Sequence
from dataclasses import dataclass

from labeling.datasets.models import Sample
from labeling.labels.models import ItemState, ReviewItem
from labeling.overview.samples.blind import WAITING
from labeling.projects.models import Project
from labeling.review.actions.returns import return_items


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of the texts: `back` are in the queue again, `refused` could not come back (why: of the first).

    `unasked` are texts about which no person was asked, as far as may be known.
    """

    back: int
    refused: int
    why: str
    unasked: int


def return_samples(
    *, project: Project, sample_ids: Sequence[int], by_id: int, reason: str, to_id: int | None
) -> Returned:
    """Put the samples' texts back into the queue, for one person alone with `to_id`; equal texts are one."""
    samples = Sample.objects.filter(dataset__project=project, pk__in=sample_ids)
    texts = set(samples.values_list("dataset_id", "text_hash"))
    items = ReviewItem.objects.filter(project=project, text_hash__in={text_hash for _dataset, text_hash in texts})
    known = items.filter(WAITING) | items.filter(state=ItemState.DECIDED)
    chosen: dict[tuple[int, str], int] = {}
    # The one that waits before one that is decided, of equals the newest.
    for pk, dataset_id, text_hash in known.order_by("-state", "-id").values_list("id", "dataset_id", "text_hash"):
        chosen.setdefault((dataset_id, text_hash), pk)
    item_ids = [chosen[text] for text in texts if text in chosen]
    bulk = return_items(project=project, item_ids=item_ids, by_id=by_id, reason=reason, to_id=to_id)
    return Returned(bulk.done, bulk.left, bulk.why, unasked=len(texts) - len(item_ids))
