"""One item under lock: escalated to a reviewer or back, given back to a person's screen."""

from datetime import datetime, timedelta

from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions.verdicts import LEASE_MINUTES, NotInQueue
from labeling.labels.models import Escalation, Lease, ReviewItem
from labeling.projects.models import Project
from labeling.review.queries import DESK_SLOT

LEASE = timedelta(minutes=LEASE_MINUTES)


def lock_item(project: Project, item_id: int) -> ReviewItem:
    """The project's item, locked until the transaction ends. Raises NotInQueue."""
    item = ReviewItem.objects.select_for_update().filter(pk=item_id, project=project).first()
    if item is None:
        raise NotInQueue(_("This text is not in the project's queue."))
    return item


def escalate(item: ReviewItem, why: Escalation | str) -> None:
    """Let the locked open item wait for a reviewer, off every screen; with "" it waits in the ordinary queue again."""
    ReviewItem.objects.filter(pk=item.pk).update(escalation=why, version=F("version") + 1)
    item.escalation = why
    if why:
        Lease.objects.filter(item=item).delete()


def give_back(item: ReviewItem, user_id: int) -> datetime | None:
    """Put the locked item on the person's screen again; None when other people's screens have all its places."""
    now = timezone.now()
    until = now + LEASE
    if Lease.objects.filter(item=item, user_id=user_id, slot__lt=DESK_SLOT).update(expires_at=until):
        return until
    others = Lease.objects.filter(item=item, expires_at__gt=now, slot__lt=DESK_SLOT).exclude(user_id=user_id)
    if others.count() >= item.needed:
        return None
    top = others.aggregate(top=Max("slot"))["top"]
    slot = 0 if top is None else top + 1
    Lease.objects.update_or_create(item=item, slot=slot, defaults={"user_id": user_id, "expires_at": until})
    return until
