"""Seed items: random texts that people label blind, so that a project without a model can train its own."""

import hashlib
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django.utils.translation import gettext as _

from labeling.datasets.models import Dataset, Sample
from labeling.labels.actions.labels import BATCH, batched_ids
from labeling.labels.actions.people import needed_people, set_needed
from labeling.labels.models import ItemReason, ItemState, Lease, ReviewItem
from labeling.labels.seed_queries import draw_texts
from labeling.projects.models import Project
from labeling.runs.models import Run
from labeling.web.errors import ActionError

DRAWN_LEAST, DRAWN_MOST = 20, BATCH  # chosen: fewer teach nothing; more should be a run's hard rows
DRAWN_BY_DEFAULT = 100  # engine.md 3: about a hundred labeled rows


def draw_seeds(*, dataset: Dataset, count: int = DRAWN_BY_DEFAULT) -> int:
    """Put random texts of the data set into the queue, in random order; returns how many (fewer when few are left).

    They lie outside the audit frame, and drawing again gives others. Raises ActionError when nothing can be drawn.
    """
    if not DRAWN_LEAST <= count <= DRAWN_MOST:
        limits = {"least": DRAWN_LEAST, "most": DRAWN_MOST}
        raise ActionError(_("Between %(least)d and %(most)d texts can be drawn at once.") % limits, field="count")
    if not dataset.is_ready or dataset.archived_at:
        raise ActionError(_("This data set is archived or still being imported."), field="dataset")
    with transaction.atomic():
        # One draw at a time, so that two clicks draw different texts.
        Project.objects.select_for_update().get(pk=dataset.project_id)
        hashes = draw_texts(dataset, count, _mark(dataset, "start"))
        if not hashes:
            raise ActionError(
                _("Every text of this data set is labeled, in the queue or kept apart for the audit."), field="dataset"
            )
        _reopen(dataset, hashes)
        ReviewItem.objects.bulk_create(_new_items(dataset, hashes), ignore_conflicts=True)
    return len(hashes)


def withdraw_seeds(*, project: Project) -> int:
    """Take the seed texts that wait out of the queue; returns how many. Labels stay."""
    with transaction.atomic():
        waiting = ReviewItem.objects.filter(run=None, project=project, reason=ItemReason.SEED, state=ItemState.OPEN)
        ids = list(waiting.select_for_update().order_by("id").values_list("id", flat=True))
        for some in batched_ids(ids):
            Lease.objects.filter(item__in=some).delete()
            ReviewItem.objects.filter(pk__in=some).update(state=ItemState.WITHDRAWN, version=F("version") + 1)
    return len(ids)


def hand_over_seeds(*, run: Run, hashes: Sequence[str]) -> set[str]:
    """Make texts that wait without a run the run's own items, so that no person sees a text twice.

    Call before the run's items of these texts are locked. One whose text has an item of the run is withdrawn, unless
    an audit waits for a second answer; returns those of an audit, whose own item now waits for the audit's sake.
    """
    audited: set[str] = set()
    own = ReviewItem.objects.filter(run=run, text_hash=OuterRef("text_hash"))
    decided = own.filter(state=ItemState.DECIDED)
    for low in range(0, len(hashes), BATCH):
        some = hashes[low : low + BATCH]
        waiting = ReviewItem.objects.filter(run=None, dataset_id=run.dataset_id, state=ItemState.OPEN)
        waiting = waiting.filter(text_hash__in=some)
        waiting = waiting.filter(~Exists(decided) | ~Q(reason=ItemReason.AUDIT))
        waiting.filter(~Exists(own)).update(run=run, version=F("version") + 1)
        audited.update(waiting.filter(reason=ItemReason.AUDIT).values_list("text_hash", flat=True))
        waiting.update(state=ItemState.WITHDRAWN, version=F("version") + 1)
    return audited


def _reopen(dataset: Dataset, hashes: Sequence[str]) -> None:
    """Texts that were drawn and withdrawn before come back as the items they were."""
    withdrawn = ReviewItem.objects.filter(run=None, dataset=dataset, state=ItemState.WITHDRAWN, text_hash__in=hashes)
    set_needed(withdrawn, needed_people(dataset.project_id))
    withdrawn.update(state=ItemState.OPEN, version=F("version") + 1)


def _new_items(dataset: Dataset, hashes: Sequence[str]) -> list[ReviewItem]:
    items: list[ReviewItem] = []
    needed = needed_people(dataset.project_id).ordinary
    texts = Sample.objects.filter(dataset=dataset, text_hash__in=hashes).order_by("text_hash")
    for text_hash, sample_id, copies in texts.values_list("text_hash").annotate(first=Min("id"), n=Count("id")):
        item = ReviewItem(project_id=dataset.project_id, dataset=dataset, sample_id=sample_id, text_hash=text_hash)
        item.reason, item.is_blind, item.copies, item.needed = ItemReason.SEED, True, copies, needed
        item.priority = int(_mark(dataset, text_hash), 16) / 16**32
        items.append(item)
    return items


def _mark(dataset: Dataset, word: str) -> str:
    """32 hex characters, the same for the same data set and word."""
    return hashlib.blake2b(word.encode(), digest_size=16, key=str(dataset.pk).encode()).hexdigest()
