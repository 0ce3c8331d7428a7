"""What people decide on review items: decide, undo, reopen, withdraw. Verdicts are only ever appended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator_core.types import LabelSource, Route, rank_source
from labeling.datasets.models import Sample
from labeling.labels.actions.audit import release_audit_items, tell_assessment
from labeling.labels.actions.labels import LabelRow, retract_labels, set_labels
from labeling.labels.actions.waiting import count_decided, is_wanted
from labeling.labels.models import Consensus, ItemReason, ItemState, Lease, ReviewItem, Verdict
from labeling.projects.models import LabelClass, Project
from labeling.runs.actions import lock_runs_of_item
from labeling.runs.models import Run, RunState
from labeling.web.errors import ActionError

LEASE_MINUTES = 10  # review.md, "The queue"
UNDO_LEVELS = 20  # review.md, "Keys"
PERSON_RANK = rank_source(LabelSource.IMPORTED)


class NotInQueue(ActionError):
    """The project has no such review item."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an answer. A stale one is stored and changed nothing; `copies` is how many samples it labeled."""

    verdict_id: int
    item_id: int
    class_id: int
    is_stale: bool
    is_repeat: bool
    copies: int


def decide(  # noqa: PLR0913 (an answer has these parts; all are named at the call)
    *,
    item_id: int,
    project: Project,
    user_id: int,
    class_id: int,
    client_id: UUID,
    has_seen_votes: bool = False,
    elapsed_ms: int | None = None,
) -> Decision:
    """Store a person's answer and label all copies of the text with it.

    The same `client_id` again gives the same answer. When the item was decided or withdrawn meanwhile, or stands on
    another screen, the verdict is stored as stale. Raises ActionError for an item or class that is not the project's.
    """
    with transaction.atomic():
        lock_runs_of_item(item_id)
        item = _lock_item(project, item_id)
        found = list(Verdict.objects.filter(Q(client_id=client_id) | Q(item=item, user_id=user_id, is_current=True)))
        earlier = next((verdict for verdict in found if verdict.client_id == client_id), None)
        if earlier:
            return _repeated(earlier, item, user_id)
        _check_class(project, class_id)
        verdict = Verdict(item=item, user_id=user_id, label_class_id=class_id, client_id=client_id)
        verdict.has_seen_votes, verdict.elapsed_ms = has_seen_votes, elapsed_ms
        mine = found[0] if found else None
        # Whoever decided a text before has seen its votes since, unless it is blind.
        verdict.has_seen_votes |= mine is not None and not item.is_blind
        if not _is_decidable(item, user_id, mine):
            _store_stale(verdict)
            return Decision(verdict.pk, item.pk, class_id, is_stale=True, is_repeat=False, copies=0)
        _append(verdict, mine)
        if mine:
            _retract([mine.pk])
        return Decision(
            verdict.pk, item.pk, class_id, is_stale=False, is_repeat=False, copies=_conclude(item, verdict, class_id)
        )


def undo(*, project: Project, user_id: int, client_id: UUID) -> ReviewItem:
    """Take back the person's latest verdict in the project; returns its item, reopened on the person's screen.

    It stays decided when another person's verdict stands, and is withdrawn when only cancelled runs asked for it.

    Raises ActionError when there is nothing to undo, or twenty undone in sequence.
    """
    with transaction.atomic():
        earlier = Verdict.objects.select_related("item").filter(client_id=client_id, user_id=user_id).first()
        if earlier and earlier.is_undo and earlier.item.project_id == project.pk:
            return earlier.item
        latest = _undoable(project, user_id)
        lock_runs_of_item(latest.item_id)
        item = _lock_item(project, latest.item_id)
        if not Verdict.objects.filter(pk=latest.pk, is_current=True).exists():
            raise ActionError(_("This decision was changed at the same moment. Try again."))
        _append(Verdict(item=item, user_id=user_id, client_id=client_id, is_undo=True), latest)
        _take_back(item, [latest.pk])
        if item.state == ItemState.OPEN:
            _lease(item, user_id)
    return item


def reopen(*, project: Project, item_id: int) -> ReviewItem:
    """Put a decided item back into the queue; its verdicts stay as history, their labels are taken back."""
    with transaction.atomic():
        lock_runs_of_item(item_id)
        item = _lock_item(project, item_id)
        if item.state != ItemState.DECIDED:
            raise ActionError(_("Only a decided text can be reopened."))
        standing = Verdict.objects.filter(item=item, is_current=True, is_undo=False)
        ids = list(standing.values_list("id", flat=True))
        standing.update(is_current=False)
        _take_back(item, ids)
    return item


def withdraw_items(*, run: Run) -> int:
    """Take the run's open items out of the queue; returns how many. Decided ones and those of an audit stay."""
    with transaction.atomic():
        audited = ReviewItem.objects.filter(run=run, state=ItemState.OPEN, reason=ItemReason.AUDIT)
        release_audit_items(list(audited.select_for_update().order_by("id").values_list("id", flat=True)))
        open_items = ReviewItem.objects.filter(run=run, state=ItemState.OPEN)
        Lease.objects.filter(item__in=open_items).delete()
        return open_items.update(state=ItemState.WITHDRAWN, version=F("version") + 1)


def _lock_item(project: Project, item_id: int) -> ReviewItem:
    item = ReviewItem.objects.select_for_update().filter(pk=item_id, project=project).first()
    if item is None:
        raise NotInQueue(_("This text is not in the project's queue."))
    return item


def _check_class(project: Project, class_id: int) -> None:
    if not LabelClass.objects.filter(pk=class_id, project=project, is_retired=False).exists():
        raise ActionError(_("This class is not in use any more. Nothing was stored; choose another."), field="class")


def _repeated(earlier: Verdict, item: ReviewItem, user_id: int) -> Decision:
    """The answer that was given the first time."""
    if earlier.item_id != item.pk or earlier.user_id != user_id or earlier.label_class_id is None:
        raise ActionError(_("This answer carries the mark of another one. Reload the page and decide again."))
    copies = earlier.labels.count()
    return Decision(earlier.pk, item.pk, earlier.label_class_id, earlier.is_stale, is_repeat=True, copies=copies)


def _is_decidable(item: ReviewItem, user_id: int, mine: Verdict | None) -> bool:
    """Whether the answer counts: the item waits and is on no other screen, or the person changes the own answer."""
    if item.state == ItemState.OPEN or _was_taken_off(item):
        live = Lease.objects.filter(item=item, expires_at__gt=timezone.now())
        return not live.exclude(user_id=user_id).exists()
    return item.state == ItemState.DECIDED and mine is not None and not mine.is_undo


def _was_taken_off(item: ReviewItem) -> bool:
    """Whether newer specialists took it off the queue: the answer of a person who still had it counts all the same."""
    if item.state != ItemState.WITHDRAWN or item.run is None or item.run.state == RunState.CANCELLED:
        return False
    elsewhere = Consensus.objects.filter(run=item.run, is_current=True, route__in=(Route.ACCEPT, Route.VERIFY))
    return elsewhere.filter(sample=item.sample_id).exists()


def _store_stale(verdict: Verdict) -> None:
    verdict.is_stale, verdict.is_current = True, False
    verdict.save()
    Lease.objects.filter(item_id=verdict.item_id, user_id=verdict.user_id).delete()


def _append(verdict: Verdict, superseded: Verdict | None) -> None:
    if superseded:
        Verdict.objects.filter(pk=superseded.pk).update(is_current=False)
        verdict.supersedes = superseded
    verdict.save()


def _conclude(item: ReviewItem, verdict: Verdict, class_id: int) -> int:
    """Close the item and label every sample of the data set with its text; returns how many."""
    Lease.objects.filter(item=item).delete()
    ReviewItem.objects.filter(pk=item.pk).update(state=ItemState.DECIDED, version=F("version") + 1)
    copies = Sample.objects.filter(dataset_id=item.dataset_id, text_hash=item.text_hash)
    sample_ids = list(copies.order_by("id").values_list("id", flat=True))
    rows = [LabelRow(one, class_id, run_id=item.run_id, verdict_id=verdict.pk) for one in sample_ids]
    before = set_labels(rows=rows, source=LabelSource.HUMAN)
    count_decided((one for one in sample_ids if not _is_by_person(before.get(one))), sign=1)
    tell_assessment(item)
    return len(rows)


def _is_by_person(source: LabelSource | None) -> bool:
    """Whether a label of this source ends the wait for a person: a verified import does, too."""
    return source is not None and rank_source(source) >= PERSON_RANK


def _undoable(project: Project, user_id: int) -> Verdict:
    mine = Verdict.objects.filter(user_id=user_id, item__project=project, is_stale=False).order_by("-created_at", "-id")
    latest = mine.filter(is_current=True, is_undo=False).first()
    if latest is None:
        raise ActionError(_("There is nothing to undo."))
    if list(mine.values_list("is_undo", flat=True)[:UNDO_LEVELS]) == [True] * UNDO_LEVELS:
        raise ActionError(_("Twenty decisions were undone in sequence. Decide one before you undo more."))
    return latest


def _take_back(item: ReviewItem, verdict_ids: Iterable[int]) -> None:
    """Retract the verdicts' labels, correct the counters, and reopen the item unless another verdict decides it."""
    run_ids = _retract(verdict_ids)
    tell_assessment(item)
    if item.state != ItemState.DECIDED or _has_verdict(item):
        return
    item.state = ItemState.OPEN if is_wanted(item, run_ids) else ItemState.WITHDRAWN
    item.version += 1
    item.save(update_fields=["state", "version"])


def _retract(verdict_ids: Iterable[int]) -> dict[int, int]:
    """Retract the verdicts' labels and correct the counters; returns how many samples of each run wait again."""
    left: dict[int, LabelSource | None] = {}
    for verdict_id in verdict_ids:
        left |= retract_labels(verdict_id=verdict_id)
    return count_decided((one for one, source in left.items() if not _is_by_person(source)), sign=-1)


def _has_verdict(item: ReviewItem) -> bool:
    return Verdict.objects.filter(item=item, is_current=True, is_undo=False, is_stale=False).exists()


def _lease(item: ReviewItem, user_id: int) -> None:
    """Put the locked item on the person's screen, unless it stands on another one."""
    live = Lease.objects.filter(item=item, expires_at__gt=timezone.now()).exclude(user_id=user_id)
    if not live.exists():
        until = timezone.now() + timedelta(minutes=LEASE_MINUTES)
        Lease.objects.update_or_create(item=item, slot=0, defaults={"user_id": user_id, "expires_at": until})
