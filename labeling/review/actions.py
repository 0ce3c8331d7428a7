"""The queue: claim the next text, keep it, let it go, pass it over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions.verdicts import LEASE_MINUTES, NotInQueue
from labeling.labels.models import ItemState, Lease, ReviewItem
from labeling.projects.models import Project
from labeling.review.models import Skip

LEASE = timedelta(minutes=LEASE_MINUTES)
ITEMS_AT_MOST = 20  # S22: what a client asks for is clamped


@dataclass(frozen=True, slots=True)
class Held:
    """An item on a person's screen, theirs until `until` at least."""

    item: ReviewItem
    until: datetime


def claim(*, project: Project, user_id: int, n: int = 1) -> list[Held]:
    """The items on the person's screen: those held already, then the next ones, least certain first.

    Items that the person skipped come when nothing else is left, the longest ago first. Fewer than `n` when the queue
    has no more that are free.
    """
    n = max(1, min(n, ITEMS_AT_MOST))
    held = _renewed(project, user_id, n)
    if len(held) < n:
        held += _claim_next(project, user_id, n - len(held), [one.item.pk for one in held])
    return held


def keep(*, project: Project, user_id: int, item_id: int) -> datetime | None:
    """Push the end of the person's lease; its new end, None when the item is not theirs any more."""
    until = timezone.now() + LEASE
    mine = Lease.objects.filter(item_id=item_id, item__project=project, item__state=ItemState.OPEN, user_id=user_id)
    return until if mine.update(expires_at=until) else None


def release(*, project: Project, user_id: int, until: datetime | None = None) -> int:
    """Give the person's items back to the queue; returns how many.

    `until` is the end of the lease that a leaving page knew: one renewed since then belongs to another page and stays.
    """
    mine = Lease.objects.filter(item__project=project, user_id=user_id)
    if until is not None:
        mine = mine.filter(expires_at__lte=until)
    return mine.delete()[0]


def skip(*, project: Project, user_id: int, item_id: int) -> None:
    """Pass an item over: free for others at once, for this person when nothing else is left."""
    with transaction.atomic():
        item = ReviewItem.objects.filter(pk=item_id, project=project).first()
        if item is None:
            raise NotInQueue(_("This text is not in the project's queue."))
        Skip.objects.filter(item=item, user_id=user_id, ended_at=None).update(ended_at=timezone.now())
        Skip.objects.create(item=item, user_id=user_id, client_id=uuid4())
        Lease.objects.filter(item=item, user_id=user_id).delete()


def _renewed(project: Project, user_id: int, n: int) -> list[Held]:
    """Open items that the person holds, the newest first. A lease that ended is theirs until somebody takes it over."""
    mine = Lease.objects.filter(user_id=user_id, item__project=project, item__state=ItemState.OPEN)
    leases = list(mine.select_related("item__sample", "item__dataset").order_by("-expires_at", "-id")[:n])
    until = timezone.now() + LEASE
    # Conditional, so that a takeover in the same moment wins or loses as a whole.
    kept = [lease for lease in leases if mine.filter(pk=lease.pk).update(expires_at=until)]
    return [Held(lease.item, until) for lease in kept]


def _claim_next(project: Project, user_id: int, n: int, without: list[int]) -> list[Held]:
    held: list[Held] = []
    until = timezone.now() + LEASE
    with transaction.atomic():
        for item in _free_items(project, user_id, without):
            if _take(item, user_id, until):
                held.append(Held(item, until))
            if len(held) == n:
                break
    return held


def _free_items(project: Project, user_id: int, without: list[int]) -> Iterator[ReviewItem]:
    """Locked candidates one by one; each is asked for anew, since another claim may have changed the queue."""
    seen = list(without)
    skipped = Skip.objects.filter(item=OuterRef("pk"), user_id=user_id, ended_at=None)
    for candidates in (
        _unleased(project, user_id).filter(~Exists(skipped)).order_by("priority", "id"),
        _unleased(project, user_id)
        .filter(skips__user_id=user_id, skips__ended_at=None)
        .order_by("skips__created_at", "id"),
    ):
        while (item := _lock_first(candidates.exclude(pk__in=seen) if seen else candidates)) is not None:
            seen.append(item.pk)
            yield item


def _unleased(project: Project, user_id: int) -> QuerySet[ReviewItem]:
    live = Lease.objects.filter(item=OuterRef("pk"), expires_at__gt=timezone.now()).exclude(user_id=user_id)
    return ReviewItem.objects.filter(~Exists(live), project=project, state=ItemState.OPEN)


def _lock_first(candidates: Any) -> ReviewItem | None:
    if connection.features.has_select_for_update_skip_locked:
        candidates = candidates.select_for_update(skip_locked=True, of=("self",))
    found: ReviewItem | None = candidates.select_related("sample", "dataset").first()
    return found


def _take(item: ReviewItem, user_id: int, until: datetime) -> bool:
    """Lease the locked item. A second statement sees a lease that was committed while the first one looked."""
    given = {"user_id": user_id, "expires_at": until}
    lease = Lease.objects.filter(item=item).first()
    if lease is None:
        Lease.objects.create(item=item, **given)
        return True
    is_free = Q(expires_at__lte=timezone.now()) | Q(user_id=user_id)
    return bool(Lease.objects.filter(is_free, pk=lease.pk).update(**given))
