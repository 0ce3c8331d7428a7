"""The queue: claim the next items, keep them, let them go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from labeling.labels.actions.screens import DESK_SLOT, LEASE_MINUTES, drop_leases
from labeling.labels.models import Lease, ReviewItem
from labeling.projects.models import Project
from labeling.review.actions.candidates import ask
from labeling.review.actions.leasing import lease_from

LEASE = timedelta(minutes=LEASE_MINUTES)
ITEMS_AT_MOST = 20  # S22: what a client asks for is clamped


@dataclass(frozen=True, slots=True)
class Held:
    """An item on a person's screen, theirs until `until` at least."""

    item: ReviewItem
    until: datetime


@dataclass(frozen=True, slots=True)
class Holding:
    """Item ids on a person's screen: those new to the page, those it has already; those of them it has no more."""

    fresh: list[int]
    kept: list[int]
    lost: list[int]
    until: datetime | None


def claim(*, project: Project, user_id: int, n: int = 1) -> list[Held]:
    """The items on the person's screen: those held already, then the next ones in the project's order.

    Items that the person skipped come when nothing else is left, the longest ago first. Fewer than `n` when the queue
    has no more that are free.
    """
    held = hold(project=project, user_id=user_id, n=max(1, n))
    items = {item.pk: item for item in ReviewItem.objects.select_related("sample", "dataset").filter(pk__in=held.fresh)}
    return [Held(items[pk], held.until) for pk in held.fresh] if held.until else []


def hold(*, project: Project, user_id: int, n: int, have: Collection[int] = (), back: Sequence[int] = ()) -> Holding:
    """Renew the person's leases on the items that the page has, and claim until it has `n` in all.

    Those of `back`, which an undo gave back to the person, come first and count, too. One statement; a second one where
    a page that had enough has lost some.
    """
    now = timezone.now()
    asker, until, shown = ask(project, user_id, now), now + LEASE, list(dict.fromkeys([*back, *have]))
    n = min(n, ITEMS_AT_MOST)
    ids = lease_from(asker, shown, None, until) if shown and len(shown) >= n else []
    if len(ids) < n:
        ids = lease_from(asker, shown, n, until)
    kept = [pk for pk in have if pk in ids and pk not in back]
    fresh = [pk for pk in back if pk in ids] + [pk for pk in ids if pk not in shown]
    lost = [pk for pk in have if pk not in ids]
    return Holding(fresh, kept, lost, until if ids else None)


def release(
    *, project: Project, user_id: int, item_ids: Collection[int] | None = None, until: datetime | None = None
) -> int:
    """Give the person's items back to the queue, only those named if any are; returns how many.

    `until` is the end of the lease that a leaving page knew: one renewed since then belongs to another page and stays.
    """
    mine = Lease.objects.filter(item__project=project, user_id=user_id, slot__lt=DESK_SLOT)
    if item_ids is not None:
        mine = mine.filter(item__in=list(item_ids))
    if until is not None:
        mine = mine.filter(expires_at__lte=until)
    return drop_leases(mine)
