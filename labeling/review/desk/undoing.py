"""Sending a text back from the desk, and taking back what a reviewer did there last."""

from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions.judging import judge, standing_on
from labeling.labels.actions.screens import DESK_SLOT, lock_item
from labeling.labels.models import ItemState, Lease, ReviewItem, Verdict
from labeling.projects.models import Project
from labeling.review.actions.returns import return_item
from labeling.review.actions.skips import note_skippers
from labeling.review.desk.actions import lay_before, take_back
from labeling.review.desk.queries import undoable_adjudication, undoable_return
from labeling.review.models import Flag, Return, Skip
from labeling.runs.actions import lock_runs_of_item
from labeling.web.errors import ActionError


@dataclass(frozen=True, slots=True)
class Before:
    """How a text lay on the desk: why, the answers that counted, and the open flags and skips, by their ids.

    `version` is the item's after it went back: as long as it has this one, nobody has done anything about it.
    """

    escalation: str
    assignee: int | None
    verdicts: list[int]
    flags: list[int]
    skips: list[int]
    version: int = 0


def send_back(*, project: Project, item_id: int, by_id: int, reason: str = "", to_id: int | None = None) -> ReviewItem:
    """Put a text of the desk back into the queue, for one person alone with `to_id`, so that it can be undone.

    Raises ActionError as `return_item` does.
    """
    with transaction.atomic():
        lock_runs_of_item(item_id)
        before = _as_it_lies(lock_item(project, item_id))
        item = return_item(project=project, item_id=item_id, by_id=by_id, reason=reason, to_id=to_id)
        if before.escalation and item.state == ItemState.OPEN:
            made = Return.objects.filter(item=item, by=by_id).latest("id")
            made.before = asdict(before) | {"version": item.version}
            made.save(update_fields=["before"])
    return item


def take_back_last(*, project: Project, user_id: int, client_id: UUID) -> ReviewItem:
    """Undo what this reviewer did last at the desk and can be undone: an adjudication, or sending a text back.

    Sent again it changes nothing. Raises ActionError when there is nothing, and while another person has the text that
    was sent back on the screen.
    """
    repeated = Return.objects.filter(undo_id=client_id, by=user_id, item__project=project)
    if done := repeated.select_related("item").first():
        return done.item
    sent, settled = undoable_return(project, user_id), undoable_adjudication(project, user_id)
    is_repeat = Verdict.objects.filter(client_id=client_id).exists()
    if sent is None or is_repeat or (settled is not None and settled.created_at > sent.created_at):
        return take_back(project=project, user_id=user_id, client_id=client_id)
    return _bring_back(project, user_id, sent, client_id)


def _bring_back(project: Project, user_id: int, sent: Return, client_id: UUID) -> ReviewItem:
    """The text lies on the desk as before: its answers count, its flags and skips are open again."""
    before = Before(**(sent.before or {}))
    with transaction.atomic():
        lock_runs_of_item(sent.item_id)
        item = lock_item(project, sent.item_id)
        if item.version != before.version or item.state != ItemState.OPEN:
            raise ActionError(_("Somebody has answered or moved this text meanwhile: there is nothing to undo."))
        if _is_on_a_screen(item, user_id):
            raise ActionError(_("Somebody has this text on the screen. Try again once it is free."))
        Verdict.objects.filter(pk__in=before.verdicts, item=item).update(is_current=True)
        Flag.objects.filter(pk__in=before.flags, item=item).update(ended_at=None)
        Skip.objects.filter(pk__in=before.skips, item=item).update(ended_at=None)
        note_skippers(item)
        Return.objects.filter(pk=sent.pk).update(undo_id=client_id)
        item.escalation, item.assignee_id = before.escalation, before.assignee
        judge(item, standing_on(item))
        Lease.objects.filter(item=item).delete()
        lay_before(project=project, user_id=user_id, item=item)
    return item


def _as_it_lies(item: ReviewItem) -> Before:
    """The locked item as it is on the desk."""
    verdicts = Verdict.objects.filter(item=item, is_current=True).order_by("id")
    return Before(
        escalation=item.escalation,
        assignee=item.assignee_id,
        verdicts=list(verdicts.values_list("id", flat=True)),
        flags=list(Flag.objects.filter(item=item, ended_at=None).order_by("id").values_list("id", flat=True)),
        skips=list(Skip.objects.filter(item=item, ended_at=None).order_by("id").values_list("id", flat=True)),
    )


def _is_on_a_screen(item: ReviewItem, user_id: int) -> bool:
    """Whether anybody else reads the text: it is never taken from under their eyes."""
    live = Lease.objects.filter(item=item, slot__lt=DESK_SLOT, expires_at__gt=timezone.now())
    return live.exclude(user_id=user_id).exists()
