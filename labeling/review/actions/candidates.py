"""Which items a person may get next, in which order: one query an arm, each arm tried when those before are empty.

The queue is read crowd by crowd, a crowd being the items that the same people have answered or passed over (`crowd`):
each has its own stretch of the queue's index, so that the stretches that the person is done with stay unread.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from labeling.labels.actions.screens import DESK_SLOT
from labeling.labels.models import ItemReason, ItemState, Lease, ReviewItem, Sight, Verdict, VerdictMode
from labeling.projects.models import Membership, Project, ReviewOrder
from labeling.review.models import Skip

# review.md, "The queue": the mix is 60% least certain, 30% random, 10% conflicts; one draw a claim.
MIX_UNCERTAIN, MIX_RANDOM = 0.6, 0.3


CROWD = RawSQL("crowd.people", ())
"""In a statement of leasing: the crowd whose items are read."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Items by (id, slot of the lease). Those that the person holds are not locked: nobody else may take them.

    With an `order` it is an arm of the queue: `items` are then those of one crowd, whose `crowd` is CROWD, in
    this order, and the arm takes the first of all crowds.
    """

    items: "QuerySet[Any]"
    is_held: bool = False
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asker:
    """The person who asks, in which project and when; the order of this claim, and where a random one begins."""

    project_id: int
    user_id: int
    now: datetime
    order: str
    point: str


def ask(project: Project, user_id: int, now: datetime) -> Asker:
    """The person asks now: a mix draws one of its parts (MIX stands for its conflicts), a random order its point."""
    order: str = project.review_order
    if order == ReviewOrder.MIX:
        draw = random.random()  # noqa: S311 (places in the queue are no secret)
        if draw < MIX_UNCERTAIN:
            order = ReviewOrder.UNCERTAIN
        elif draw < MIX_UNCERTAIN + MIX_RANDOM:
            order = ReviewOrder.RANDOM
    point = f"{random.getrandbits(128):032x}" if order == ReviewOrder.RANDOM else ""
    return Asker(project.pk, user_id, now, order, point)


def held_arm(asker: Asker, item_ids: Collection[int]) -> Arm:
    """What the person holds of these items, also on the way to a reviewer: a screen keeps what it has."""
    held = ReviewItem.objects.filter(project=asker.project_id, state=ItemState.OPEN, pk__in=list(item_ids))
    held = held.filter(leases__user=asker.user_id, leases__slot__lt=DESK_SLOT)
    return _arm(held.annotate(slot=F("leases__slot")).order_by(), is_held=True)


def next_arms(asker: Asker, without: Collection[int]) -> list[Arm]:
    """What the person holds besides, then what is the person's alone, then the queue, then what the person skipped.

    A lease that ended is the person's until somebody takes the item over.
    """
    held = _open(asker).filter(leases__user=asker.user_id, leases__slot__lt=DESK_SLOT).exclude(pk__in=list(without))
    skips = Skip.objects.filter(item=OuterRef("pk"), user_id=asker.user_id, ended_at=None)
    places = _places(asker)
    sights = Sight.objects.filter(item=OuterRef("pk"), user_id=asker.user_id)
    # A blind one that a reviewer knows from the desk is for others while there are any, unless somebody assigned it.
    is_for_all = Q(assignee=None) & (Q(is_blind=False, needed=1) | ~Exists(sights) | ~Exists(_others(asker)))
    skipped = places.filter(is_for_all | Q(assignee=asker.user_id)).filter(
        skips__user_id=asker.user_id, skips__ended_at=None
    )
    return [
        _arm(held.annotate(slot=F("leases__slot")).order_by("-leases__expires_at", "-leases__id"), is_held=True),
        _arm(places.filter(~Exists(skips), assignee=asker.user_id).order_by("id")),
        *_ordered(asker, places.filter(is_for_all, crowd=CROWD)),
        _arm(skipped.order_by("skips__created_at", "id")),
    ]


def _open(asker: Asker) -> "QuerySet[ReviewItem]":
    return ReviewItem.objects.filter(project=asker.project_id, state=ItemState.OPEN, escalation="")


def _places(asker: Asker) -> "QuerySet[ReviewItem]":
    """Open items that the person neither holds nor has answered, and that need one more person, with a free `slot`."""
    leases = Lease.objects.filter(slot__lt=DESK_SLOT)
    taken = leases.filter(expires_at__gt=asker.now).exclude(user_id=asker.user_id)
    mine, live = leases.filter(item=OuterRef("pk"), user_id=asker.user_id), taken.filter(item=OuterRef("pk"))
    answers = Verdict.objects.filter(item=OuterRef("pk"), is_current=True, is_undo=False, is_stale=False)
    answers = answers.exclude(mode=VerdictMode.ADJUDICATED)
    return (
        _open(asker)
        .filter(~Exists(mine), ~Exists(answers.filter(user_id=asker.user_id)))
        # Follows from the next line, and is much cheaper to look at: the best items are those that a crowd holds.
        .filter(Q(needed__gt=1) | ~Q(pk__in=taken.values("item_id")))
        .filter(needed__gt=_count(live) + _count(answers))
        .annotate(slot=Case(When(~Exists(live.filter(slot=0)), then=Value(0)), default=_first_gap(live)))
    )


def _others(asker: Asker) -> "QuerySet[Membership]":
    """Other people who could answer an item that they do not know from the desk."""
    of_item = {"item": OuterRef(OuterRef("pk")), "user": OuterRef("user")}
    answers = Verdict.objects.filter(**of_item, is_current=True, is_undo=False, is_stale=False)
    members = Membership.objects.filter(project=asker.project_id, user__is_active=True).exclude(user=asker.user_id)
    return members.filter(~Exists(answers), ~Exists(Sight.objects.filter(**of_item)))


def _count(rows: "QuerySet[Any]") -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values("item").annotate(n=Count("pk")).values("n")), 0)


def _first_gap(live: "QuerySet[Lease]") -> Subquery:
    """The first slot after a live lease's that no live lease has."""
    after = live.filter(item=OuterRef("item"), slot=OuterRef("slot") + 1)
    return Subquery(live.filter(~Exists(after)).order_by("slot").annotate(after=F("slot") + 1).values("after")[:1])


def _arm(items: "QuerySet[Any]", *, is_held: bool = False) -> Arm:
    return Arm(items.values_list("id", "slot"), is_held)


def _ordered(asker: Asker, items: "QuerySet[ReviewItem]") -> list[Arm]:
    """The queue in the order of this claim.

    An audit's items stand among the others: they have the places of random items, and their samples are a random draw.
    In the order of the data its first texts are answered first, so that until a draw is whole its answers are no random
    sample (a remark of the assessment). Their hashes are the smallest of all: at random, too, each of them comes before
    another one by chance alone.
    """
    if asker.order == ReviewOrder.OLDEST:
        return _by("sample_id", items)
    if asker.order == ReviewOrder.RANDOM:
        return _by("text_hash", items.filter(text_hash__gte=asker.point), items.filter(text_hash__lt=asker.point))
    if asker.order == ReviewOrder.MIX:
        conflicts = Q(reason=ItemReason.CONFLICT)
        return _by("priority", items.filter(conflicts), items.exclude(conflicts))
    return _by("priority", items)


def _by(column: str, *parts: "QuerySet[ReviewItem]") -> list[Arm]:
    return [Arm(part.order_by(column, "id"), order=(column, "id")) for part in parts]
