"""What a manager sees of the queue: how much waits and where, who holds what, and texts to move in bulk."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Left
from django.utils import timezone

from labeling.accounts.models import User
from labeling.labels.actions.labels import batched_ids
from labeling.labels.models import Escalation, ItemReason, ItemState, Lease, ReviewItem
from labeling.labels.queries import EXCERPT
from labeling.projects.models import Project
from labeling.review.desk.queries import escalated, is_audit_waiting
from labeling.review.models import Flag, Return, Skip

PAGE = 50
NAMED = 5  # chosen: as many as a page holds
AUDIT_ONLY = Q(run=None, reason=ItemReason.AUDIT)
"""Texts that only an audit asks for: while they wait, no total may tell how many or which they are."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many texts wait: for anybody, on the desk by why, and by the reason why they are in the queue.

    `by_reason` is None while an audit waits: nothing may tell how much of the queue is the audit's.
    """

    waiting: int
    on_desk: dict[Escalation, int]
    by_reason: dict[ItemReason, int] | None

    @property
    def desk(self) -> int:
        """All texts on the desk."""
        return sum(self.on_desk.values())


@dataclass(frozen=True, slots=True)
class Holding:
    """A person and the texts on their screen. `texts` are named unless an audit waits."""

    user: User
    count: int
    until: datetime
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Remark:
    """A flag or skip: who, when, and what the person said."""

    by: User
    at: datetime
    text: str = ""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A text that waits, with the marks on it, oldest first, and its last return to the person whose it is."""

    item: ReviewItem
    text: str
    remarks: list[Remark]
    returned: Return | None


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Rows, the newest text first; `older` is the id before which the next page begins."""

    rows: list[QueueRow]
    older: int | None


def totals_of(project: Project) -> Totals:
    """What waits in the project, without what only an audit asks for. Three queries, four while no audit waits."""
    on_desk = dict(escalated(project).values_list("escalation").annotate(n=Count("id")).order_by())
    is_secret = is_audit_waiting(project)
    reasons = dict(_open(project).exclude(AUDIT_ONLY).values_list("reason").annotate(n=Count("id")).order_by())
    shared = escalated(project).exclude(AUDIT_ONLY).count()
    return Totals(
        waiting=sum(reasons.values()) - shared,
        on_desk={one: on_desk[one] for one in Escalation if one in on_desk},
        by_reason=None if is_secret else {one: reasons[one] for one in ItemReason if one in reasons},
    )


def counts_of(project: Project) -> dict[str, int]:
    """How many texts each list of the page holds."""
    return {name: items.count() for name, items in lists_of(project).items()}


def lists_of(project: Project) -> dict[str, QuerySet[ReviewItem]]:
    """The lists of the page by name: on the desk, flagged, skipped by somebody, meant for one person."""
    waiting = _open(project)
    return {
        "desk": escalated(project),
        "flagged": waiting.filter(pk__in=Flag.objects.filter(item__project=project, ended_at=None).values("item")),
        "skipped": waiting.filter(pk__in=Skip.objects.filter(item__project=project, ended_at=None).values("item")),
        "assigned": waiting.exclude(assignee=None),
    }


def holdings_of(project: Project) -> list[Holding]:
    """Who has open texts on the screen, by name, and of each the first few texts. Three queries for 500 texts held."""
    live = Lease.objects.filter(expires_at__gt=timezone.now()).order_by("item_id")
    # Two steps: leases are few, and SQLite would walk through all that waits to find them.
    leases = list(live.values_list("item_id", "user_id", "expires_at"))
    texts = _open_texts(project, {item_id for item_id, _user, _until in leases})
    is_secret = is_audit_waiting(project)
    held: dict[int, list[tuple[int, datetime]]] = {}
    for item_id, user_id, until in leases:
        if item_id in texts:
            held.setdefault(user_id, []).append((item_id, until))
    return [
        Holding(
            user=user,
            count=len({item_id for item_id, _until in held[user.pk]}),
            until=max(until for _item, until in held[user.pk]),
            texts=[] if is_secret else [texts[item_id] for item_id, _until in held[user.pk][:NAMED]],
        )
        for user in User.objects.filter(pk__in=held).order_by("username")
    ]


def _open_texts(project: Project, item_ids: Collection[int]) -> dict[int, str]:
    """The beginning of the text of each of these items that waits in the project."""
    found: dict[int, str] = {}
    for ids in batched_ids(item_ids):
        here = _open(project).filter(pk__in=ids)
        found.update(here.values_list("id", Left("sample__text", EXCERPT)))
    return found


def rows_of(items: QuerySet[ReviewItem], *, before: int | None) -> QueuePage:
    """A page of the items. Four queries, however many rows."""
    if before is not None:
        items = items.filter(pk__lt=before)
    shown = items.select_related("assignee").annotate(excerpt=Left("sample__text", EXCERPT)).order_by("-id")
    found = list(shown[: PAGE + 1])
    page = found[:PAGE]
    remarks, returns = _remarks(page), _returns(page)
    rows = [
        QueueRow(
            item=item,
            text=item.excerpt,
            remarks=remarks.get(item.pk, []),
            returned=returns.get((item.pk, item.assignee_id)),
        )
        for item in page
    ]
    return QueuePage(rows, page[-1].pk if len(found) > PAGE else None)


def _open(project: Project) -> QuerySet[ReviewItem]:
    return ReviewItem.objects.filter(project=project, state=ItemState.OPEN)


def _remarks(items: Sequence[ReviewItem]) -> dict[int, list[Remark]]:
    found: dict[int, list[Remark]] = {}
    for flag in Flag.objects.filter(item__in=items, ended_at=None).select_related("user"):
        found.setdefault(flag.item_id, []).append(Remark(flag.user, flag.created_at, flag.note))
    for skip in Skip.objects.filter(item__in=items, ended_at=None).select_related("user"):
        found.setdefault(skip.item_id, []).append(Remark(skip.user, skip.created_at))
    return {pk: sorted(remarks, key=lambda one: one.at) for pk, remarks in found.items()}


def _returns(items: Sequence[ReviewItem]) -> dict[tuple[int, int | None], Return]:
    """The last return of each item to each person, by item and person."""
    returns = Return.objects.filter(item__in=items, undo_id=None).exclude(to=None).select_related("by").order_by("id")
    return {(one.item_id, one.to_id): one for one in returns}
