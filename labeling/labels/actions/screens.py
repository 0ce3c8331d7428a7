"""An item in one person's hands: locked for a change, and leased to a screen."""

from collections.abc import Collection
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.models import Lease, ReviewItem
from labeling.projects.models import Project
from labeling.web.errors import ActionError

LEASE_MINUTES = 10  # review.md, "The queue"


class NotInQueue(ActionError):
    """The project has no such review item."""


def lock_item(project: Project, item_id: int) -> ReviewItem:
    """The project's item, locked. Raises NotInQueue where there is none. Lock the runs first if labels may change."""
    item = ReviewItem.objects.select_for_update().filter(pk=item_id, project=project).first()
    if item is None:
        raise NotInQueue(_("This text is not in the project's queue."))
    return item


def live_holders(item: ReviewItem) -> set[int]:
    """The people on whose screens the item stands."""
    live = Lease.objects.filter(item=item, expires_at__gt=timezone.now())
    return set(live.values_list("user_id", flat=True))


def put_on_screen(item: ReviewItem, user_id: int, answered: Collection[int] = ()) -> None:
    """Lease the locked item to the person, unless others hold or have `answered` it as many times as it needs."""
    leases = list(Lease.objects.filter(item=item))
    now = timezone.now()
    until = now + timedelta(minutes=LEASE_MINUTES)
    mine = next((lease for lease in leases if lease.user_id == user_id), None)
    if mine:
        Lease.objects.filter(pk=mine.pk).update(expires_at=until)
        return
    live = {lease.slot for lease in leases if lease.expires_at > now}
    free = [slot for slot in range(item.needed) if slot not in live]
    if len(free) > len(set(answered) - {user_id}):
        Lease.objects.update_or_create(item=item, slot=free[0], defaults={"user_id": user_id, "expires_at": until})
