"""An item in one person's hands: locked for a change, and leased to a screen."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.models import Lease, ReviewItem, Sight
from labeling.projects.models import LabelClass, Project
from labeling.web.errors import ActionError
from labeling.web.prepared import Prepared

LEASE_MINUTES = 10  # review.md, "The queue"
DESK_SLOT = 1000
"""The slot of a reviewer's lease on an item of the desk, far beyond those of the people who answer it."""


class NotInQueue(ActionError):
    """The project has no such review item."""


def lock_item(project: Project, item_id: int) -> ReviewItem:
    """The project's item, locked. Raises NotInQueue where there is none. Lock the runs first if labels may change."""
    item = ReviewItem.objects.select_for_update().filter(pk=item_id, project=project).first()
    if item is None:
        raise NotInQueue(_("This text is not in the project's queue."))
    return item


class Locked(NamedTuple):
    """An item locked for an answer; whether the class is retired, and whether the person saw the item at the desk."""

    item: ReviewItem
    is_retired: bool
    is_known: bool


def _item_and_class(project_id: int, item_id: int, class_id: int, user_id: int) -> QuerySet[Any]:
    chosen = LabelClass.objects.filter(pk=class_id, project_id=project_id).values("is_retired")[:1]
    sights = Sight.objects.filter(item=OuterRef("pk"), user_id=user_id)
    items = ReviewItem.objects.select_for_update().filter(pk=item_id, project_id=project_id)
    return items.annotate(is_retired=Subquery(chosen), is_known=Exists(sights))


_locked_items = Prepared(_item_and_class)
_leases = Prepared(lambda item_id: Lease.objects.filter(item_id=item_id, slot__lt=DESK_SLOT))


def lock_item_and_class(project: Project, item_id: int, class_id: int, user_id: int) -> Locked:
    """The project's item, locked for this person's answer. Raises ActionError where item or class is not its own."""
    item = next(iter(_locked_items(project.pk, item_id, class_id, user_id)), None)
    if item is None:
        raise NotInQueue(_("This text is not in the project's queue."))
    if item.is_retired is None:
        raise ActionError(_("This class is not in use here. Nothing was stored; choose another."), field="class")
    return Locked(item, item.is_retired, item.is_known)


def drop_leases(leases: QuerySet[Lease]) -> int:
    """Take the leases away, in the order in which a claim takes them over: else each would wait for the other."""
    with transaction.atomic():
        held = leases.select_for_update(of=("self",)).order_by("item_id", "slot")
        return Lease.objects.filter(pk__in=list(held.values_list("pk", flat=True))).delete()[0]


@dataclass(frozen=True, slots=True)
class Holders:
    """On whose screens an item stands, reviewers' desks apart; `late` have a lease that ended and nobody took over."""

    live: frozenset[int]
    late: frozenset[int]


def holders_of(item: ReviewItem) -> Holders:
    """The people who hold the item."""
    now = timezone.now()
    leases: list[Lease] = _leases(item.pk)
    live = frozenset(lease.user_id for lease in leases if lease.expires_at > now)
    return Holders(live, frozenset(lease.user_id for lease in leases) - live)


def note_sight(user_id: int, item_ids: Collection[int]) -> None:
    """Keep that the person knows what was said of these items: no answer of theirs to them is blind from now on."""
    seen = [Sight(item_id=item_id, user_id=user_id) for item_id in sorted(item_ids)]
    Sight.objects.bulk_create(seen, ignore_conflicts=True)


def put_on_screen(item: ReviewItem, user_id: int, answered: Collection[int] = ()) -> None:
    """Lease the locked item to the person, unless others hold or have `answered` it as many times as it needs."""
    leases = list(Lease.objects.filter(item=item, slot__lt=DESK_SLOT))
    now = timezone.now()
    until = now + timedelta(minutes=LEASE_MINUTES)
    if any(lease.user_id == user_id for lease in leases):
        Lease.objects.filter(item=item, user_id=user_id, slot__lt=DESK_SLOT).update(expires_at=until)
        return
    live = {lease.slot for lease in leases if lease.expires_at > now}
    if len(live) + len(set(answered) - {user_id}) < item.needed:
        slot = next(number for number in range(DESK_SLOT) if number not in live)
        Lease.objects.update_or_create(item=item, slot=slot, defaults={"user_id": user_id, "expires_at": until})
