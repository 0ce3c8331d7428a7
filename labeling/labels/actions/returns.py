"""Items that people move: back to the queue or to one person, onto the reviewers' desk and off it again."""

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.labels.actions.judging import Standing, judge, judge_anew, move, standing_on
from labeling.labels.actions.screens import lock_item, put_on_screen
from labeling.labels.models import Escalation, ItemState, Lease, ReviewItem, Verdict
from labeling.projects.models import Membership, Project
from labeling.runs.actions import lock_runs_of_item
from labeling.web.errors import ActionError


def reopen(*, project: Project, item_id: int, to: int | None = None) -> ReviewItem:
    """Put a decided item, or one on the reviewers' desk, back into the queue; `to` makes one member its only reader.

    Verdicts stay as history. A decided item's labels are taken back. Sent to a person, only that one's answer counts no
    more, and the others' where they would be enough without it; else all answers of a decided or disputed item. Who did
    it and why is the caller's to store (review: Return), in the same transaction. Raises ActionError for an item that
    waits already or was withdrawn, and for a person who is no member.
    """
    with transaction.atomic():
        lock_runs_of_item(item_id)
        item = lock_item(project, item_id)
        if item.state == ItemState.WITHDRAWN or (item.state == ItemState.OPEN and not item.escalation and to is None):
            raise ActionError(_("Only a decided text or one that waits for a reviewer can go back to the queue."))
        _check_member(project, to)
        _set_aside(item, standing_on(item), to)
        Lease.objects.filter(item=item).delete()
        item.assignee_id, item.escalation = to, ""
        standing = standing_on(item)
        if item.state == ItemState.DECIDED:
            judge_anew(item, standing)
        else:
            judge(item, standing)
    return item


def assign(*, project: Project, item_id: int, to: int | None) -> ReviewItem:
    """Let one member alone have an open item next, or (None) everybody again; it leaves all other screens.

    Raises ActionError for an item that is not open, and for a person who is no member or has answered it.
    """
    with transaction.atomic():
        item = lock_item(project, item_id)
        if item.state != ItemState.OPEN:
            raise ActionError(_("This text does not wait any more."))
        _check_member(project, to)
        if to in standing_on(item).people:
            raise ActionError(_("This person has answered the text already. Send it back to them instead."))
        Lease.objects.filter(item=item).exclude(user_id=to or 0).delete()
        item.assignee_id = to
        move(item, ItemState.OPEN)
    return item


def escalate(*, project: Project, item_id: int, why: Escalation) -> ReviewItem:
    """Let an open item wait for a reviewer; one that does already keeps its first reason. Screens keep it.

    Raises ActionError for an item that is not open.
    """
    with transaction.atomic():
        item = lock_item(project, item_id)
        if item.state != ItemState.OPEN:
            raise ActionError(_("This text does not wait any more."))
        if not item.escalation:
            item.escalation, item.assignee_id = why, None
            move(item, ItemState.OPEN)
    return item


def deescalate(*, project: Project, item_id: int, why: Escalation, user_id: int) -> ReviewItem:
    """Take back an escalation of this reason, and give the item back to the person; nothing where it waits no more."""
    with transaction.atomic():
        lock_runs_of_item(item_id)
        item = lock_item(project, item_id)
        if item.state == ItemState.OPEN and item.escalation == why:
            item.escalation = ""
            standing = standing_on(item)
            judge(item, standing)
            if item.state == ItemState.OPEN and not item.escalation:
                put_on_screen(item, user_id, standing.people)
    return item


def _check_member(project: Project, user_id: int | None) -> None:
    if user_id is not None and not Membership.objects.filter(project=project, user_id=user_id).exists():
        raise ActionError(_("This person is no member of the project."), field="to")


def _set_aside(item: ReviewItem, standing: Standing, to: int | None) -> None:
    """Let answers count no more: the adjudication, and of the others those that stand in the way of another answer."""
    others = [one for one in standing.own if one.user_id != to]
    if to is not None:
        kept = others if len(others) < item.needed else []
    else:
        kept = standing.own if item.escalation in {Escalation.FLAGGED, Escalation.SKIPPED} else []
    ids = {one.pk for one in kept}
    Verdict.objects.filter(item=item, is_current=True, is_undo=False).exclude(pk__in=ids).update(is_current=False)
