"""Writes of the desk: take a text up, adjudicate it, take an adjudication back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.actions.screens import DESK_SLOT, LEASE_MINUTES, lock_item, note_sight
from labeling.labels.actions.verdicts import Decision, undo
from labeling.labels.models import ItemState, Lease, ReviewItem, Verdict
from labeling.projects.models import Project
from labeling.review.actions.returns import settle_marks
from labeling.review.actions.skips import note_skippers
from labeling.review.desk.queries import escalated, has_others_words, is_framed, undoable_adjudication
from labeling.review.models import Flag, Skip
from labeling.runs.actions import lock_runs_of_item
from labeling.web.errors import ActionError

LEASE = timedelta(minutes=LEASE_MINUTES)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A reviewer's answer to a text on the desk, with why people had disagreed and a note, both perhaps empty."""

    item_id: int
    class_id: int
    client_id: UUID
    finding: str = ""
    note: str = ""
    has_seen_votes: bool = False
    elapsed_ms: int | None = None


def take_up(
    *, project: Project, user_id: int, kind: str | None = None, after: int | None = None, item_id: int | None = None
) -> ReviewItem | None:
    """The text before this reviewer: the one asked for, the one held, or the next that lies before nobody else.

    `after` puts that text back and goes on behind it, from the beginning when there is none. One text at a time lies
    before a reviewer. None: nothing is free.
    """
    if after:
        put_down(project=project, user_id=user_id)
    with transaction.atomic():
        item = next((one for one in _candidates(project, user_id, kind, after, item_id) if _lease(one, user_id)), None)
        _desk_leases().filter(item__project=project, user_id=user_id).exclude(item=item).delete()
    return item


def keep(*, project: Project, user_id: int, item_id: int) -> bool:
    """Heartbeat of an open page: whether the text still lies before this reviewer, and will for some minutes more."""
    mine = _desk_leases().filter(item_id=item_id, item__project=project, user_id=user_id)
    return bool(mine.update(expires_at=timezone.now() + LEASE))


def leave(*, project: Project, user_id: int, item_id: int, until: datetime) -> int:
    """A page was left: its text is free for other reviewers; returns how many were.

    `until` is the end of the lease that the page knew: one renewed since then belongs to another page and stays.
    """
    mine = _desk_leases().filter(item=item_id, item__project=project, user_id=user_id)
    return mine.filter(expires_at__lte=until).delete()[0]


def put_down(*, project: Project, user_id: int) -> int:
    """Leave the desk's texts to other reviewers; returns how many lay before this one."""
    return _desk_leases().filter(item__project=project, user_id=user_id).delete()[0]


def correct(*, project: Project, user_id: int, ruling: Ruling) -> Decision:
    """Overrule what a text was decided as (C49): what stood before stays as history, and an undo brings it back.

    The reviewer has seen all that is known of it, so that a text by which an audit may measure is refused: it goes back
    to the queue instead, where somebody answers it blind. Raises ActionError.
    """
    with transaction.atomic():
        lock_runs_of_item(ruling.item_id)
        item = lock_item(project, ruling.item_id)
        if is_framed(item):
            raise ActionError(_("An audit may measure by this text. Send it back, so that somebody answers it anew."))
        if item.state != ItemState.DECIDED and not Verdict.objects.filter(client_id=ruling.client_id).exists():
            raise ActionError(_("Only a decided text is corrected."))
        return rule(project=project, user_id=user_id, ruling=replace(ruling, has_seen_votes=True), corrects=True)


def rule(*, project: Project, user_id: int, ruling: Ruling, corrects: bool = False) -> Decision:
    """Decide a text for good; its open flags and skips are settled.

    A repeat changes nothing. Raises ActionError for a text or class that is not the project's.
    """
    with transaction.atomic():
        decision = adjudicate(
            project=project,
            item_id=ruling.item_id,
            user_id=user_id,
            class_id=ruling.class_id,
            client_id=ruling.client_id,
            finding=ruling.finding,
            note=ruling.note,
            has_seen_votes=ruling.has_seen_votes,
            elapsed_ms=ruling.elapsed_ms,
            corrects=corrects,
        )
        if not (decision.is_repeat or decision.is_stale):
            settle_marks(ReviewItem(pk=ruling.item_id))
    return decision


def take_back(*, project: Project, user_id: int, client_id: UUID) -> ReviewItem:
    """Undo the reviewer's last adjudication: the text lies on the desk again, for the reason it lay there before.

    Raises ActionError when there is none.
    """
    with transaction.atomic():
        repeated = Verdict.objects.select_related("item").filter(client_id=client_id, user_id=user_id, is_undo=True)
        if done := repeated.filter(item__project=project).first():
            return done.item
        latest = undoable_adjudication(project, user_id)
        if latest is None:
            raise ActionError(_("There is no adjudication to undo."))
        item = undo(project=project, user_id=user_id, client_id=client_id, of=latest.client_id)
        # Flags and skips that the adjudication settled count again; not those that came when the text was decided.
        at = latest.created_at
        settled = {"item": item, "undo_id": None, "created_at__lt": at, "ended_at__gte": at}
        Flag.objects.filter(**settled).update(ended_at=None)
        Skip.objects.filter(**settled).update(ended_at=None)
        note_skippers(item)
        if item.state == ItemState.OPEN and item.escalation:
            lay_before(project=project, user_id=user_id, item=item)
    return item


def lay_before(*, project: Project, user_id: int, item: ReviewItem) -> None:
    """Put the locked text of the desk before the reviewer, and the one that lay there back."""
    put_down(project=project, user_id=user_id)
    Lease.objects.filter(item=item, user_id=user_id).delete()
    _lease(item, user_id)


def _candidates(
    project: Project, user_id: int, kind: str | None, after: int | None, item_id: int | None
) -> Iterator[ReviewItem]:
    """Locked texts that lie before no other reviewer, the best first; each is asked for anew."""
    others = _desk_leases().filter(item=OuterRef("pk"), expires_at__gt=timezone.now()).exclude(user_id=user_id)
    waiting = escalated(project).filter(~Exists(others)).order_by("id")
    free = waiting.filter(escalation=kind) if kind else waiting
    held = Exists(_desk_leases().filter(item=OuterRef("pk"), user_id=user_id))
    wanted = [waiting.filter(pk=item_id)] if item_id else []
    seen: list[int] = []
    for some in (*wanted, free.filter(held), free.filter(pk__gt=after or 0), free):
        while (item := _lock_first(some.exclude(pk__in=seen))) is not None:
            seen.append(item.pk)
            yield item


def _desk_leases() -> QuerySet[Lease]:
    return Lease.objects.filter(slot=DESK_SLOT)


def _lock_first(candidates: QuerySet[ReviewItem]) -> ReviewItem | None:
    if connection.features.has_select_for_update_skip_locked:
        candidates = candidates.select_for_update(skip_locked=True, of=("self",))
    return candidates.select_related("sample__upload", "dataset", "run").first()


def _lease(item: ReviewItem, user_id: int) -> bool:
    """Put the locked text before the reviewer. A second statement sees a lease committed while the first one looked."""
    given = {"user_id": user_id, "expires_at": timezone.now() + LEASE}
    lease = _desk_leases().filter(item=item).first()
    if lease is None:
        Lease.objects.create(item=item, slot=DESK_SLOT, **given)
    else:
        is_free = Q(expires_at__lte=timezone.now()) | Q(user_id=user_id)
        if not Lease.objects.filter(is_free, pk=lease.pk).update(**given):
            return False
    is_new = lease is None or lease.user_id != user_id
    # No run asked for it and no vote is shown here: where nobody else said a word either, the desk tells nothing that
    # would make an answer less blind. Looked at each time, for somebody may have said one since.
    is_mute = item.run_id is None and is_framed(item)
    if has_others_words(item, user_id) if is_mute else is_new:
        note_sight(user_id, [item.pk])
    return True
