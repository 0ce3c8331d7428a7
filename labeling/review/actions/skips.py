"""Passing an item over: free for others at once, a reviewer's once everybody passed it over."""

from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions import deescalate, escalate, put_on_screen
from labeling.labels.actions.judging import crowd_of, standing_on
from labeling.labels.actions.screens import lock_item
from labeling.labels.models import Escalation, ItemState, Lease, ReviewItem
from labeling.projects.models import Project
from labeling.review.models import Skip
from labeling.review.queries.skipped import is_skipped_by_all
from labeling.runs.actions import lock_runs_of_item
from labeling.web.errors import ActionError


def skip(*, project: Project, user_id: int, item_id: int, client_id: UUID | None = None) -> Skip:
    """Pass an item over: it comes back to this person when nothing else is left, and at last to a reviewer.

    The same `client_id` again changes nothing. Raises NotInQueue.
    """
    with transaction.atomic():
        item = lock_item(project, item_id)
        earlier = Skip.objects.filter(client_id=client_id).first() if client_id else None
        if earlier:
            return earlier
        Skip.objects.filter(item=item, user_id=user_id, ended_at=None).update(ended_at=timezone.now())
        made = Skip.objects.create(item=item, user_id=user_id, client_id=client_id or uuid4())
        note_skippers(item)
        Lease.objects.filter(item=item, user_id=user_id).delete()
        if item.state == ItemState.OPEN and not item.escalation and is_skipped_by_all(item, last=user_id):
            escalate(project=project, item_id=item.pk, why=Escalation.SKIPPED)
    return made


def undo_skip(*, project: Project, skip: Skip, client_id: UUID) -> ReviewItem:
    """End the skip and put its item back on the person's screen. Raises ActionError when it does not count any more."""
    with transaction.atomic():
        lock_runs_of_item(skip.item_id)
        item = lock_item(project, skip.item_id)
        counts = Skip.objects.filter(pk=skip.pk, ended_at=None)
        if item.state != ItemState.OPEN or not counts.update(ended_at=timezone.now(), undo_id=client_id):
            raise ActionError(_("This text was decided or given back meanwhile: there is nothing to undo."))
        note_skippers(item)
        if item.escalation == Escalation.SKIPPED:
            return deescalate(project=project, item_id=item.pk, why=Escalation.SKIPPED, user_id=skip.user_id)
        if not item.escalation:
            put_on_screen(item, skip.user_id, standing_on(item).people)
    return item


def note_skippers(item: ReviewItem) -> None:
    """Write on the locked item who passes it over now: called wherever a skip begins or ends to count."""
    people = Skip.objects.filter(item=item, ended_at=None).values_list("user_id", flat=True)
    ReviewItem.objects.filter(pk=item.pk).update(skipped_by=crowd_of(people))
