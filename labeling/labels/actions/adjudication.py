"""What a reviewer settles: an answer that stands beside the others and decides the item alone."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from labeling.labels.actions.judging import judge, standing_of
from labeling.labels.actions.screens import lock_item_and_class
from labeling.labels.actions.verdicts import (
    Decision,
    Stale,
    append,
    decided,
    repeat_decision,
    store_stale,
)
from labeling.labels.models import Finding, ItemState, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Project
from labeling.runs.actions import lock_runs_of_item
from labeling.web.errors import ActionError


def adjudicate(  # noqa: PLR0913 (an adjudication has these parts; all are named at the call)
    *,
    project: Project,
    item_id: int,
    user_id: int,
    class_id: int,
    client_id: UUID,
    finding: str = "",
    note: str = "",
    has_seen_votes: bool = False,
    elapsed_ms: int | None = None,
    corrects: bool = False,
) -> Decision:
    """Store a reviewer's answer, decide the item by it alone and label all copies of the text with source ADJUDICATED.

    Stale when the item waits for a reviewer no more: decided, withdrawn, or back in the queue. The own adjudication may
    be changed; `corrects` lets a reviewer overrule any decided or open item. The caller has checked the person's role.
    Raises ActionError for an item or class that is not the project's, and for an unknown finding.
    """
    if finding and finding not in Finding.values:
        raise ActionError(_("Choose one of the reasons."), field="finding")
    with transaction.atomic():
        lock_runs_of_item(item_id)
        item, is_retired, _is_known = lock_item_and_class(project, item_id, class_id, user_id)
        found = list(Verdict.objects.filter(Q(client_id=client_id) | Q(item=item, is_current=True)))
        earlier = next((one for one in found if one.client_id == client_id), None)
        if earlier:
            return repeat_decision(earlier, item, user_id)
        before = next((one for one in found if one.mode == VerdictMode.ADJUDICATED), None)
        verdict = Verdict(item=item, user_id=user_id, label_class_id=class_id, client_id=client_id)
        verdict.mode, verdict.finding, verdict.note = VerdictMode.ADJUDICATED, finding, note
        verdict.has_seen_votes, verdict.elapsed_ms = has_seen_votes, elapsed_ms
        verdict.escalation = before.escalation if before and item.state == ItemState.DECIDED else item.escalation
        why = _why_stale(item, user_id, before, corrects=corrects) or (Stale.RETIRED if is_retired else Stale.NO)
        if why:
            return store_stale(verdict, why)
        append(verdict, before)
        return decided(verdict, judge(item, standing_of([*(one for one in found if one != before), verdict])))


def _why_stale(item: ReviewItem, user_id: int, before: Verdict | None, *, corrects: bool) -> Stale:
    if item.state == ItemState.WITHDRAWN:
        return Stale.WITHDRAWN
    if corrects:
        return Stale.NO
    if item.state == ItemState.DECIDED:
        is_own = before is not None and before.user_id == user_id and not before.is_undo
        return Stale.NO if is_own else Stale.DECIDED
    return Stale.NO if item.escalation else Stale.DESK
