"""The queue: claim the next texts, keep them, let them go."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from labeling.labels.actions.verdicts import LEASE_MINUTES
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


@dataclass(frozen=True, slots=True)
class Holding:
    """What a person holds after asking: items new to the page, those it has already, and which of them were lost."""

    fresh: list[Held]
    kept: list[int]
    lost: list[int]
    until: datetime | None


def claim(*, project: Project, user_id: int, n: int = 1) -> list[Held]:
    """The items on the person's screen: those held already, then the next ones in the project's order.

    Items that the person skipped come when nothing else is left, the longest ago first. Fewer than `n` when the queue
    has no more that are free.
    """
    return hold(project=project, user_id=user_id, n=max(1, n)).fresh


def hold(*, project: Project, user_id: int, n: int, have: Collection[int] = (), back: Sequence[int] = ()) -> Holding:
    """Renew the person's leases on the items that the page has, and claim until it has `n` in all.

    Those of `back`, which an undo gave back to the person, come first and beyond `n`.
    """
    n = min(n, ITEMS_AT_MOST)
    until = timezone.now() + LEASE
    kept = _renewed(project, user_id, have, until) if have else []
    fresh = [Held(one, until) for one in _mine(project, user_id, back)]
    kept = [pk for pk in kept if pk not in back]
    if len(kept) + len(fresh) < n:
        fresh += _held_elsewhere(project, user_id, n - len(kept) - len(fresh), [*kept, *back], until)
    if len(kept) + len(fresh) < n:
        taken = [*kept, *(one.item.pk for one in fresh)]
        fresh += _claim_next(project, user_id, n - len(taken), taken, until)
    return Holding(fresh, kept, sorted(set(have) - set(kept)), until if kept or fresh else None)


def release(
    *, project: Project, user_id: int, item_ids: Collection[int] | None = None, until: datetime | None = None
) -> int:
    """Give the person's items back to the queue, only those named if any are; returns how many.

    `until` is the end of the lease that a leaving page knew: one renewed since then belongs to another page and stays.
    """
    mine = Lease.objects.filter(item__project=project, user_id=user_id)
    if item_ids is not None:
        mine = mine.filter(item__in=list(item_ids))
    if until is not None:
        mine = mine.filter(expires_at__lte=until)
    return mine.delete()[0]


def _mine(project: Project, user_id: int, item_ids: Sequence[int]) -> list[ReviewItem]:
    mine = ReviewItem.objects.filter(pk__in=item_ids, project=project, leases__user=user_id)
    found = {item.pk: item for item in mine.select_related("sample", "dataset")}
    return [found[pk] for pk in item_ids if pk in found]


def _renewed(project: Project, user_id: int, have: Collection[int], until: datetime) -> list[int]:
    mine = Lease.objects.filter(user_id=user_id, item__project=project, item__state=ItemState.OPEN, item__in=have)
    kept = list(mine.values_list("item_id", flat=True))
    Lease.objects.filter(user_id=user_id, item__in=kept).update(expires_at=until)
    return kept


def _held_elsewhere(project: Project, user_id: int, n: int, without: list[int], until: datetime) -> list[Held]:
    """Open items that the person holds, the newest first. A lease that ended is theirs until somebody takes it over."""
    mine = Lease.objects.filter(user_id=user_id, item__project=project, item__state=ItemState.OPEN)
    mine = mine.exclude(item__in=without)
    leases = list(mine.select_related("item__sample", "item__dataset").order_by("-expires_at", "-id")[:n])
    # Conditional, so that a takeover in the same moment wins or loses as a whole.
    kept = [lease for lease in leases if mine.filter(pk=lease.pk).update(expires_at=until)]
    return [Held(lease.item, until) for lease in kept]


def _claim_next(project: Project, user_id: int, n: int, without: list[int], until: datetime) -> list[Held]:
    held: list[Held] = []
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
    return ReviewItem.objects.filter(~Exists(live), project=project, state=ItemState.OPEN, escalation="")


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
