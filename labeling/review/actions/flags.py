"""Flags: a person hands an item to a reviewer."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.models import Escalation, ItemState, ReviewItem
from labeling.projects.models import Project
from labeling.review.actions.comments import check_length
from labeling.review.actions.items import escalate, give_back, lock_item
from labeling.review.models import Flag
from labeling.web.errors import ActionError


def flag(*, project: Project, user_id: int, item_id: int, client_id: UUID, note: str) -> bool:
    """Hand the item to a reviewer, off every screen; False when it was decided or handed over meanwhile.

    The flag is kept in any case; the same `client_id` again changes nothing. Raises NotInQueue, ActionError.
    """
    check_length(note)
    with transaction.atomic():
        item = lock_item(project, item_id)
        is_waiting = item.state == ItemState.OPEN
        _made, is_new = Flag.objects.get_or_create(
            client_id=client_id,
            defaults={
                "item": item,
                "user_id": user_id,
                "note": note,
                "ended_at": None if is_waiting else timezone.now(),
            },
        )
        if is_new and is_waiting and item.escalation in {"", Escalation.SKIPPED}:
            escalate(item, Escalation.FLAGGED)
    return is_waiting


def undo_flag(*, project: Project, flag: Flag, client_id: UUID) -> ReviewItem:
    """End the flag and put its item back on the person's screen, unless another flag or conflict keeps it."""
    with transaction.atomic():
        item = lock_item(project, flag.item_id)
        waits = Flag.objects.filter(pk=flag.pk, ended_at=None)
        if item.state != ItemState.OPEN or not waits.update(ended_at=timezone.now(), undo_id=client_id):
            raise ActionError(_("A reviewer has settled this text meanwhile: there is nothing to undo."))
        if item.escalation == Escalation.FLAGGED and not Flag.objects.filter(item=item, ended_at=None).exists():
            escalate(item, "")
        if not item.escalation:
            give_back(item, flag.user_id)
    return item
