"""What people decide on review items: decide and undo. Verdicts are only ever appended."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from annotator_core.types import Route
from labeling.labels.actions.judging import Standing, judge, judge_anew, standing_of, standing_on
from labeling.labels.actions.screens import (
    holders_of,
    lock_item,
    lock_item_and_class,
    put_on_screen,
)
from labeling.labels.models import Consensus, ItemState, Lease, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Project
from labeling.runs.actions import lock_runs_of_item
from labeling.runs.models import RunState
from labeling.web.errors import ActionError
from labeling.web.prepared import Prepared, insert_prepared

UNDO_LEVELS = 20  # review.md, "Keys"


class Stale(StrEnum):
    """Why an answer was stored and changed nothing."""

    NO = ""
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    DESK = "desk"
    ASSIGNED = "assigned"
    ELSEWHERE = "elsewhere"
    RETIRED = "retired"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an answer. A stale one is stored and changed nothing, `why` says why (not of a repeat).

    `copies` is how many samples it labeled: none while others are to answer, too, or a reviewer is. `is_settled`: a
    reviewer has settled the text, so that the changed answer stands beside a label that stays.
    """

    verdict_id: int
    item_id: int
    class_id: int
    is_stale: bool
    is_repeat: bool
    copies: int
    why: Stale = Stale.NO
    is_settled: bool = False


_sent_or_current = Prepared(
    lambda client_id, item_id: Verdict.objects.filter(Q(client_id=client_id) | Q(item_id=item_id, is_current=True))
)


def decide(  # noqa: PLR0913 (an answer has these parts; all are named at the call)
    *,
    item_id: int,
    project: Project,
    user_id: int,
    class_id: int,
    client_id: UUID,
    has_seen_votes: bool = False,
    elapsed_ms: int | None = None,
    mode: VerdictMode = VerdictMode.SINGLE,
    made_at: datetime | None = None,
) -> Decision:
    """Store a person's answer; once enough agree, all copies of the text are labeled with it.

    The same `client_id` again gives the same answer. When the item was decided or withdrawn meanwhile, stands on other
    screens or waits for somebody else, or the class was retired, the verdict is stored as stale; so is one that waited
    in a browser since `made_at`, where the same person has answered elsewhere since. Raises ActionError for an item or
    class that is not the project's.
    """
    with transaction.atomic():
        lock_runs_of_item(item_id)
        item, is_retired, is_known = lock_item_and_class(project, item_id, class_id, user_id)
        found: list[Verdict] = _sent_or_current(client_id, item_id)
        earlier = next((one for one in found if one.client_id == client_id), None)
        if earlier:
            return repeat_decision(earlier, item, user_id)
        mine = next((one for one in found if one.user_id == user_id and one.mode != VerdictMode.ADJUDICATED), None)
        verdict = Verdict(item=item, user_id=user_id, label_class_id=class_id, client_id=client_id, mode=mode)
        verdict.elapsed_ms = elapsed_ms
        # Whoever decided a text before has seen its votes since. Of a blind one nobody was shown any, whatever a page
        # says: an answer to an audit must not be made worthless by a word. Only a reviewer may know it from the desk.
        verdict.has_seen_votes = is_known or (not item.is_blind and (has_seen_votes or mine is not None))
        why = _why_stale(item, user_id, mine, standing_of(found)) or (Stale.RETIRED if is_retired else Stale.NO)
        if mine and not mine.is_undo and made_at and made_at < mine.created_at:
            why = Stale.OLDER
        if why:
            return store_stale(verdict, why)
        append(verdict, mine)
        rest = [one for one in found if one != mine]
        standing = standing_of([*rest, verdict])
        made = decided(verdict, _follow(item, standing, user_id))
        return replace(made, is_settled=standing.adjudication is not None)


def undo(*, project: Project, user_id: int, client_id: UUID, of: UUID | None = None) -> ReviewItem:
    """Take back the person's latest verdict in the project, or the one with the mark `of`; returns its item.

    The item is judged anew by the answers left: it comes back to the person's screen, stays decided where the others
    are enough, and is withdrawn when only cancelled runs asked for it. What a reviewer settled waits for one again.

    Raises ActionError when there is nothing to undo, or twenty undone in sequence.
    """
    with transaction.atomic():
        earlier = Verdict.objects.select_related("item").filter(client_id=client_id, user_id=user_id).first()
        if earlier and earlier.is_undo and earlier.item.project_id == project.pk:
            return earlier.item
        latest = _undoable(project, user_id, of)
        lock_runs_of_item(latest.item_id)
        item = lock_item(project, latest.item_id)
        if not Verdict.objects.filter(pk=latest.pk, is_current=True).exists():
            raise ActionError(_("This decision was changed at the same moment. Try again."))
        append(Verdict(item=item, user_id=user_id, client_id=client_id, is_undo=True, mode=latest.mode), latest)
        is_settled = latest.mode == VerdictMode.ADJUDICATED
        if is_settled and item.state == ItemState.DECIDED:
            item.escalation = latest.escalation
        standing = standing_on(item)
        if is_settled or standing.adjudication is None:
            judge_anew(item, standing)
        if item.state == ItemState.OPEN and not item.escalation and not is_settled:
            put_on_screen(item, user_id, standing.people)
    return item


def append(verdict: Verdict, superseded: Verdict | None) -> None:
    """Store the verdict in the place of the one before."""
    if superseded:
        Verdict.objects.filter(pk=superseded.pk).update(is_current=False)
        verdict.supersedes = superseded
    insert_prepared(verdict)


def store_stale(verdict: Verdict, why: Stale) -> Decision:
    """Keep an answer that changes nothing. The item leaves the person's screen, unless only the class was wrong."""
    verdict.is_stale, verdict.is_current = True, False
    verdict.save()
    if why != Stale.RETIRED:
        Lease.objects.filter(item_id=verdict.item_id, user_id=verdict.user_id).delete()
    return decided(verdict, 0, why)


def repeat_decision(earlier: Verdict, item: ReviewItem, user_id: int) -> Decision:
    """The answer that was given the first time. Raises ActionError where the mark is another answer's."""
    if earlier.item_id != item.pk or earlier.user_id != user_id or earlier.label_class_id is None:
        raise ActionError(_("This answer carries the mark of another one. Reload the page and decide again."))
    copies = earlier.labels.count()
    return Decision(earlier.pk, item.pk, earlier.label_class_id, earlier.is_stale, is_repeat=True, copies=copies)


def decided(verdict: Verdict, copies: int, why: Stale = Stale.NO) -> Decision:
    """What became of a verdict that was stored just now."""
    return Decision(
        verdict_id=verdict.pk,
        item_id=verdict.item_id,
        class_id=verdict.label_class_id or 0,
        is_stale=bool(why),
        is_repeat=False,
        copies=copies,
        why=why,
    )


def _follow(item: ReviewItem, standing: Standing, user_id: int) -> int:
    """What an answer of this person sets off, now that it stands; returns how many samples are labeled by it."""
    if item.assignee_id == user_id:
        item.assignee_id = None
    if item.state == ItemState.DECIDED:
        # A changed answer; what a reviewer settled stays as it is.
        if standing.adjudication is None:
            judge_anew(item, standing)
        return standing.own[-1].labels.filter(is_retracted=False).count()
    copies = judge(item, standing)
    if not copies:
        Lease.objects.filter(item=item, user_id=user_id).delete()
    return copies


def _why_stale(item: ReviewItem, user_id: int, mine: Verdict | None, standing: Standing) -> Stale:
    """Whether the answer counts: the item waits for this person, or the person changes the own answer."""
    is_change = mine is not None and not mine.is_undo
    if item.state == ItemState.DECIDED:
        return Stale.NO if is_change else Stale.DECIDED
    holders = holders_of(item)
    others = (holders.live | standing.people) - {user_id}
    if item.state == ItemState.WITHDRAWN:
        return Stale.NO if not others and _was_taken_off(item) else Stale.WITHDRAWN
    if is_change or user_id in holders.live:
        return Stale.NO
    if user_id not in holders.late:
        if item.escalation:
            return Stale.DESK
        if item.assignee_id not in {None, user_id}:
            return Stale.ASSIGNED
    return Stale.NO if len(others) < item.needed else Stale.ELSEWHERE


def _was_taken_off(item: ReviewItem) -> bool:
    """Whether newer specialists took it off the queue: the answer of a person who still had it counts all the same."""
    if item.state != ItemState.WITHDRAWN or item.run is None or item.run.state == RunState.CANCELLED:
        return False
    elsewhere = Consensus.objects.filter(run=item.run, is_current=True, route__in=(Route.ACCEPT, Route.VERIFY))
    return elsewhere.filter(sample=item.sample_id).exists()


def _undoable(project: Project, user_id: int, of: UUID | None) -> Verdict:
    mine = Verdict.objects.filter(user_id=user_id, item__project=project, is_stale=False).order_by("-created_at", "-id")
    standing = mine.filter(is_current=True, is_undo=False)
    latest = standing.first() if of is None else standing.filter(client_id=of).first()
    if latest is None:
        raise ActionError(_("There is nothing to undo."))
    single = mine.exclude(mode=VerdictMode.BULK, is_undo=True)  # those confirmed together are undone together
    if list(single.values_list("is_undo", flat=True)[:UNDO_LEVELS]) == [True] * UNDO_LEVELS:
        raise ActionError(_("Twenty decisions were undone in sequence. Decide one before you undo more."))
    return latest
