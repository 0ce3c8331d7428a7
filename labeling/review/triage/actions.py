"""Writes of the triage grid: take texts up together, confirm them, take a confirmation back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions import decide, undo
from labeling.labels.actions.screens import DESK_SLOT, note_sight
from labeling.labels.models import ItemState, Lease, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Project
from labeling.review.actions.queue import LEASE, release
from labeling.review.triage.marks import mark_of
from labeling.review.triage.queries import confirmed_together, may_confirm, why_closed
from labeling.runs.actions import lock_runs_of_item
from labeling.web.errors import ActionError

GRID = 24  # review.md, "Triage grid": as many as a screen holds


@dataclass(frozen=True, slots=True)
class Batch:
    """What a grid sends: the class, the texts confirmed, those left out, and the mark of the whole."""

    mark: UUID
    class_id: int
    confirmed: Sequence[int]
    left_out: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """Texts on a person's grid, theirs until `until` at least."""

    item_ids: list[int]
    until: datetime


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of the texts: `stored` have the class, `late` came too late, `refused` are read alone."""

    stored: int
    late: int
    refused: int


def take(*, project: Project, user_id: int, item_ids: Sequence[int], most: int = GRID) -> Taken:
    """Lease the first of these texts to the person, `most` at most; those that are theirs now stand in this order.

    A text that somebody else holds or changes in this moment is passed over. Leases of a page that shows them already
    are renewed.
    """
    now = timezone.now()
    until = now + LEASE
    with transaction.atomic():
        items = ReviewItem.objects.filter(pk__in=item_ids, project=project, state=ItemState.OPEN, escalation="")
        if connection.features.has_select_for_update_skip_locked:
            items = items.select_for_update(skip_locked=True)
        free = set(items.order_by("id").values_list("pk", flat=True))
        leases = Lease.objects.filter(item__in=free, slot__lt=DESK_SLOT, expires_at__gt=now)
        holders = dict(leases.values_list("item_id", "user_id"))
        taken = [pk for pk in item_ids if pk in free and holders.get(pk, user_id) == user_id][:most]
        Lease.objects.filter(item__in=holders.keys() & set(taken), user_id=user_id).update(expires_at=until)
        _lease(sorted(set(taken) - holders.keys()), user_id, until)
        note_sight(user_id, taken)  # the grid tells what the specialists propose
    return Taken(taken, until)


def let_go(*, project: Project, user_id: int, item_ids: Collection[int]) -> None:
    """Leave the texts to others."""
    if item_ids:
        release(project=project, user_id=user_id, item_ids=item_ids)


def confirm(*, project: Project, user_id: int, batch: Batch) -> Confirmed:
    """Give each of the texts the class, as an answer of its own that says it was given with others.

    Sent again it changes nothing. Texts that are blind by now, or that the person has answered alone meanwhile, are
    refused: they wait on. The texts left out are free for everybody. Raises ActionError, before anything is stored,
    while the grid is closed and for a class that is not the project's.
    """
    if why_closed(project):
        raise ActionError(_("The grid was closed meanwhile. Nothing was stored; the texts wait in the queue."))
    let_go(project=project, user_id=user_id, item_ids=batch.left_out)
    became = [_confirm_one(project, user_id, item_id, batch) for item_id in sorted(set(batch.confirmed))]
    return Confirmed(became.count("stored"), became.count("late"), became.count("refused"))


def take_back(*, project: Project, user_id: int, of: UUID, client_id: UUID) -> int:
    """Undo all of a confirmation that stands, by any of its marks; returns how many texts came back.

    They are on this person's screen again. What somebody changed in this moment stays as it is. Sent again it changes
    nothing.
    """
    return sum(
        _take_back_one(project, user_id, verdict, mark_of(client_id, verdict.item_id))
        for verdict in confirmed_together(project, user_id, of)
    )


def _lease(item_ids: Sequence[int], user_id: int, until: datetime) -> None:
    """Lease the locked items, on which no lease lives; one that ended is taken over."""
    Lease.objects.bulk_create(
        (Lease(item_id=pk, slot=0, user_id=user_id, expires_at=until) for pk in item_ids),
        update_conflicts=True,
        unique_fields=["item", "slot"],
        update_fields=["user", "expires_at"],
    )


def _confirm_one(project: Project, user_id: int, item_id: int, batch: Batch) -> str:
    """One text in a transaction of its own, so that nobody who decides waits for the whole grid.

    Whoever makes texts blind, or answers one, holds the runs: what is seen here holds until the answer is stored.
    """
    mark = mark_of(batch.mark, item_id)
    with transaction.atomic():
        lock_runs_of_item(item_id)
        is_known = Verdict.objects.filter(client_id=mark, user_id=user_id).exists()
        if not is_known and not may_confirm(project, user_id, item_id):
            return "refused"
        made = decide(
            item_id=item_id,
            project=project,
            user_id=user_id,
            class_id=batch.class_id,
            client_id=mark,
            has_seen_votes=True,  # the grid tells what the specialists propose
            mode=VerdictMode.BULK,
        )
    return "late" if made.is_stale else "stored"


def _take_back_one(project: Project, user_id: int, verdict: Verdict, mark: UUID) -> bool:
    try:
        undo(project=project, user_id=user_id, client_id=mark, of=verdict.client_id)
    except ActionError:  # changed in this moment, by the person's other page: that holds
        return False
    return True
