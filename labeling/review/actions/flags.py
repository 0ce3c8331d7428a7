"""Flags: a person hands an item to a reviewer."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions import deescalate, escalate
from labeling.labels.actions.screens import lock_item
from labeling.labels.models import Escalation, ItemState, Lease, ReviewItem
from labeling.projects.models import Project
from labeling.review.actions.comments import check_length
from labeling.review.models import Flag
from labeling.runs.actions import lock_runs_of_item
from labeling.web.errors import ActionError


def flag(*, project: Project, user_id: int, item_id: int, client_id: UUID, note: str) -> bool:
    """Hand the item to a reviewer, off the person's screen; False when it was decided or withdrawn meanwhile.

    The flag is kept in any case; the same `client_id` again changes nothing. Raises NotInQueue, ActionError.
    """
    check_length(note)
    with transaction.atomic():
        item = lock_item(project, item_id)
        is_waiting = item.state == ItemState.OPEN
        ended_at = None if is_waiting else timezone.now()
        given = {"item": item, "user_id": user_id, "note": note, "ended_at": ended_at}
        _made, is_new = Flag.objects.get_or_create(client_id=client_id, defaults=given)
        if is_new and is_waiting:
            Lease.objects.filter(item=item, user_id=user_id).delete()
            escalate(project=project, item_id=item.pk, why=Escalation.FLAGGED)
    return is_waiting


def undo_flag(*, project: Project, flag: Flag, client_id: UUID) -> ReviewItem:
    """End the flag and put its item back on the person's screen, unless another one keeps it with the reviewers.

    Raises ActionError when a reviewer has settled it meanwhile.
    """
    with transaction.atomic():
        lock_runs_of_item(flag.item_id)
        item = lock_item(project, flag.item_id)
        waits = Flag.objects.filter(pk=flag.pk, ended_at=None)
        if item.state != ItemState.OPEN or not waits.update(ended_at=timezone.now(), undo_id=client_id):
            raise ActionError(_("A reviewer has settled this text meanwhile: there is nothing to undo."))
        if Flag.objects.filter(item=item, ended_at=None).exists():
            return item
        return deescalate(project=project, item_id=item.pk, why=Escalation.FLAGGED, user_id=flag.user_id)
