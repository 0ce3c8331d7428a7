"""Which items a person may get next, in which order: one query an arm, each arm tried when those before are empty."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from labeling.labels.actions.screens import DESK_SLOT
from labeling.labels.models import ItemReason, ItemState, Lease, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Project, ReviewOrder
from labeling.review.models import Skip

# review.md, "The queue": the mix is 60% least certain, 30% random, 10% conflicts; one draw a claim.
MIX_UNCERTAIN, MIX_RANDOM = 0.6, 0.3


@dataclass(frozen=True, slots=True)
class Arm:
    """Items by (id, slot of the lease). Those that the person holds are not locked: nobody else may take them."""

    items: "QuerySet[Any, tuple[Any, ...]]"
    is_held: bool = False


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
    free = _free(asker)
    new = free.filter(~Exists(skips))
    skipped = free.filter(Q(assignee=None) | Q(assignee=asker.user_id)).filter(
        skips__user_id=asker.user_id, skips__ended_at=None
    )
    return [
        _arm(held.annotate(slot=F("leases__slot")).order_by("-leases__expires_at", "-leases__id"), is_held=True),
        _arm(new.filter(assignee=asker.user_id).order_by("id")),
        *(_arm(part) for part in _ordered(asker, new.filter(assignee=None))),
        _arm(skipped.order_by("skips__created_at", "id")),
    ]


def _open(asker: Asker) -> "QuerySet[ReviewItem]":
    return ReviewItem.objects.filter(project=asker.project_id, state=ItemState.OPEN, escalation="")


def _free(asker: Asker) -> "QuerySet[ReviewItem]":
    """Open items that the person neither holds nor has answered, and that need one more person, with a free `slot`."""
    leases = Lease.objects.filter(item=OuterRef("pk"), slot__lt=DESK_SLOT)
    live = leases.filter(expires_at__gt=asker.now).exclude(user_id=asker.user_id)
    answers = Verdict.objects.filter(item=OuterRef("pk"), is_current=True, is_undo=False, is_stale=False)
    answers = answers.exclude(mode=VerdictMode.ADJUDICATED)
    return (
        _open(asker)
        .filter(~Exists(leases.filter(user_id=asker.user_id)), ~Exists(answers.filter(user_id=asker.user_id)))
        .filter(needed__gt=_count(live) + _count(answers))
        .annotate(slot=Case(When(~Exists(live.filter(slot=0)), then=Value(0)), default=_first_gap(live)))
    )


def _count(rows: "QuerySet[Any]") -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values("item").annotate(n=Count("pk")).values("n")), 0)


def _first_gap(live: "QuerySet[Lease]") -> Subquery:
    """The first slot after a live lease's that no live lease has."""
    after = live.filter(item=OuterRef("item"), slot=OuterRef("slot") + 1)
    return Subquery(live.filter(~Exists(after)).order_by("slot").annotate(after=F("slot") + 1).values("after")[:1])


def _arm(items: "QuerySet[Any]", *, is_held: bool = False) -> Arm:
    return Arm(items.values_list("id", "slot"), is_held)


def _ordered(asker: Asker, items: "QuerySet[ReviewItem]") -> "list[QuerySet[ReviewItem]]":
    """The queue in the order of this claim.

    An audit's items stand among the others in each: they have the places of random items, their samples are a random
    draw, and so are their hashes.
    """
    surest_last = items.order_by("priority", "id")
    if asker.order == ReviewOrder.OLDEST:
        return [items.order_by("sample_id", "id")]
    if asker.order == ReviewOrder.RANDOM:
        by_hash = items.order_by("text_hash", "id")
        return [by_hash.filter(text_hash__gte=asker.point), by_hash.filter(text_hash__lt=asker.point)]
    if asker.order == ReviewOrder.MIX:
        conflicts = Q(reason=ItemReason.CONFLICT)
        return [surest_last.filter(conflicts), surest_last.exclude(conflicts)]
    return [surest_last]
