"""Items that come back to the queue by somebody's hand, to everybody or to one person; and whose item it is."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions.returns import assign, reopen
from labeling.labels.actions.screens import lock_item
from labeling.labels.models import ItemState, ReviewItem
from labeling.projects.models import Project
from labeling.review.actions.skips import note_skippers
from labeling.review.models import Flag, Return, Skip
from labeling.web.errors import ActionError


@dataclass(frozen=True, slots=True)
class Bulk:
    """What became of many items: how many were changed, and why the first of the others was not ("" for none)."""

    done: int
    left: int
    why: str


def return_item(
    *, project: Project, item_id: int, by_id: int, reason: str = "", to_id: int | None = None
) -> ReviewItem:
    """Put an item back into the queue, decided, on the desk or waiting; for one person alone with `to_id`.

    Its label is taken back; its skips and flags are settled. Raises ActionError for an item that is withdrawn, waits
    already or is not the project's, and for a person who is no member.
    """
    with transaction.atomic():
        item = _put_back(project, item_id, to_id)
        settle_marks(item)
        Return.objects.create(item=item, by_id=by_id, to_id=to_id, reason=reason)
    return item


def return_items(
    *, project: Project, item_ids: Collection[int], by_id: int, reason: str = "", to_id: int | None = None
) -> Bulk:
    """The same for many items, each by itself: one that cannot come back does not keep the others."""
    return _each(
        item_ids,
        lambda item_id: return_item(project=project, item_id=item_id, by_id=by_id, reason=reason, to_id=to_id),
    )


def assign_items(*, project: Project, item_ids: Collection[int], to_id: int | None) -> Bulk:
    """Say who alone gets these waiting items, or with None that anybody may; off other people's screens at once."""
    return _each(item_ids, lambda item_id: _assign(project, item_id, to_id))


def give_items(*, project: Project, item_ids: Collection[int], by_id: int, to_id: int, reason: str = "") -> Bulk:
    """Let one person alone have these items next: with a reason, or off the desk, that is a return; else no more."""
    on_desk = set(ReviewItem.objects.filter(project=project, pk__in=item_ids).exclude(escalation="").values_list("pk"))

    def give(item_id: int) -> None:
        if reason or (item_id,) in on_desk:
            return_item(project=project, item_id=item_id, by_id=by_id, reason=reason, to_id=to_id)
        else:
            _assign(project, item_id, to_id)

    return _each(item_ids, give)


def settle_marks(item: ReviewItem) -> None:
    """End the open skips and flags of the locked item."""
    now = timezone.now()
    Skip.objects.filter(item=item, ended_at=None).update(ended_at=now)
    note_skippers(item)
    Flag.objects.filter(item=item, ended_at=None).update(ended_at=now)


def _put_back(project: Project, item_id: int, to_id: int | None) -> ReviewItem:
    """A text that waits in the queue already comes back, too, where somebody skipped it or it is one person's."""
    item = ReviewItem.objects.filter(pk=item_id, project=project).first()
    if item is None or to_id is not None or item.state != ItemState.OPEN or item.escalation:
        return reopen(project=project, item_id=item_id, to=to_id)
    if item.assignee_id is None and not Skip.objects.filter(item=item, ended_at=None).exists():
        raise ActionError(_("The text waits in the queue already."))
    return assign(project=project, item_id=item_id, to=None)


def _assign(project: Project, item_id: int, to_id: int | None) -> None:
    with transaction.atomic():
        if lock_item(project, item_id).escalation:
            raise ActionError(_("The text waits for a reviewer. Put it back into the queue, or send it to a person."))
        assign(project=project, item_id=item_id, to=to_id)


def _each(item_ids: Collection[int], change: Callable[[int], object]) -> Bulk:
    done, why = 0, ""
    for item_id in sorted(set(item_ids)):
        try:
            change(item_id)
            done += 1
        except ActionError as error:
            why = why or error.message
    return Bulk(done, len(set(item_ids)) - done, why)
