"""What the triage grid shows: texts for which the specialists propose the same class, and why it may be closed."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Length
from django.utils import timezone

from labeling.labels.actions.people import needed_people
from labeling.labels.actions.screens import DESK_SLOT
from labeling.labels.models import Consensus, ItemReason, ItemState, Lease, ReviewItem, Verdict, VerdictMode
from labeling.labels.queries import start_of_day
from labeling.projects.models import LabelClass, Project, VotesShown
from labeling.projects.queries import active_classes
from labeling.review.desk.queries import is_audit_waiting
from labeling.review.triage.marks import marks_beside

WINDOW = 3_000
"""How many texts of the queue are looked through for proposals, the surest first: chosen, some 50 ms."""
LONGEST = 2_000
"""Characters of the longest text that is offered: chosen. A longer one is read alone."""
HEAD, HEAD_LINES = 240, 5  # chosen: what a tile shows of a text before it is opened
# Drawn at random, for an audit or for training, contradicted by a language model, reopened: each is read alone.
READ_ALONE = (ItemReason.RANDOM, ItemReason.SEED, ItemReason.AUDIT, ItemReason.CONFLICT, ItemReason.REOPENED)


class Closed(StrEnum):
    """Why no proposal may be shown now."""

    NEVER = "never"
    OVERLAP = "overlap"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Proposals:
    """What waits with a proposal: each class with its number of texts, and the texts of one class, the surest first."""

    classes: list[tuple[LabelClass, int]]
    chosen: LabelClass | None
    item_ids: list[int]


@dataclass(frozen=True, slots=True)
class Tile:
    """A text of the grid in two parts, the second behind a fold; `sure` is the specialists' confidence in the class."""

    item_id: int
    head: str
    rest: str
    copies: int
    sure: float | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The person's last confirmation of today that stands: its mark, how many texts of it, the class."""

    mark: UUID
    count: int
    label_class: LabelClass


def why_closed(project: Project) -> Closed | None:
    """Why the grid is closed, None while it is open: a text there tells what the specialists think of it."""
    if project.votes_shown == VotesShown.NEVER:
        return Closed.NEVER
    if needed_people(project.pk).ordinary > 1:
        return Closed.OVERLAP
    return Closed.AUDIT if is_audit_waiting(project) else None


def proposals_for(project: Project, user_id: int, class_id: int | None, without: Collection[int]) -> Proposals:
    """Open texts that this person may confirm, by proposed class; of the class asked for, else the most frequent one.

    Texts in `without` are left out. The queue is looked through from its surest end: the least certain texts deserve a
    look of their own. Two statements, whatever the length of the queue.
    """
    classes = active_classes(project)
    found: dict[int, list[int]] = {one.pk: [] for one in classes}
    left_out = set(without)
    for item_id, proposed in _window(project, user_id):
        if proposed in found and item_id not in left_out:
            found[proposed].append(item_id)
    counts = [(one, len(found[one.pk])) for one in classes]
    chosen = next((one for one in classes if one.pk == class_id), None)
    if chosen is None:
        most = Counter({one: count for one, count in counts if count}).most_common(1)
        chosen = most[0][0] if most else None
    return Proposals(counts, chosen, found[chosen.pk] if chosen else [])


def tiles_of(item_ids: Sequence[int]) -> list[Tile]:
    """The texts in the order of the ids: one statement."""
    current = Consensus.objects.filter(run=OuterRef("run"), sample=OuterRef("sample"), is_current=True)
    items = ReviewItem.objects.filter(pk__in=item_ids).annotate(sure=Subquery(current.values("confidence")[:1]))
    found = {row[0]: row for row in items.values_list("pk", "sample__text", "copies", "sure")}
    return [_tile(*found[pk]) for pk in item_ids if pk in found]


def last_confirmation(project: Project, user_id: int) -> Confirmation | None:
    """What the person may take back as a whole: the newest confirmation of today of which anything stands."""
    mine = Verdict.objects.filter(user_id=user_id, mode=VerdictMode.BULK, is_current=True, is_undo=False)
    mine = mine.filter(item__project=project, created_at__gte=start_of_day(), is_stale=False)
    newest = mine.select_related("label_class").order_by("-created_at", "-id").first()
    if newest is None or newest.label_class is None:
        return None
    count = mine.filter(client_id__range=marks_beside(newest.client_id)).count()
    return Confirmation(newest.client_id, count, newest.label_class)


def confirmed_together(project: Project, user_id: int, mark: UUID) -> list[Verdict]:
    """The answers of one confirmation that stand, by any of its marks, in the order of their items."""
    mine = Verdict.objects.filter(user_id=user_id, item__project=project, mode=VerdictMode.BULK)
    standing = mine.filter(client_id__range=marks_beside(mark), is_current=True, is_undo=False, is_stale=False)
    return list(standing.order_by("item_id"))


def may_confirm(project: Project, user_id: int, item_id: int) -> bool:
    """Whether the item may be answered beside others: not blind, one person's, and not answered by this one already."""
    answers = Verdict.objects.filter(item=OuterRef("pk"), user_id=user_id, is_current=True, is_undo=False)
    items = ReviewItem.objects.filter(pk=item_id, project=project, is_blind=False, needed=1)
    return items.filter(~Exists(answers)).exists()


def _window(project: Project, user_id: int) -> list[tuple[int, int | None]]:
    """(item, class that the pool proposes) of the surest texts that wait for anybody and are on no other screen."""
    held = Lease.objects.filter(item=OuterRef("pk"), slot__lt=DESK_SLOT, expires_at__gt=timezone.now())
    current = Consensus.objects.filter(run=OuterRef("run"), sample=OuterRef("sample"), is_current=True)
    waiting = ReviewItem.objects.filter(project=project, state=ItemState.OPEN, escalation="", crowd="")
    free = waiting.filter(~Exists(held.exclude(user_id=user_id)), assignee=None)
    # Named by what is left out: else SQLite takes the index by reason, and sorts all that waits.
    short = free.filter(is_blind=False, needed=1).exclude(reason__in=READ_ALONE).annotate(size=Length("sample__text"))
    proposed = short.filter(size__lte=LONGEST).annotate(proposed=Subquery(current.values("label_class")[:1]))
    return list(proposed.order_by("-priority", "-id").values_list("pk", "proposed")[:WINDOW])


def _tile(item_id: int, text: str, copies: int, sure: float | None) -> Tile:
    head = "\n".join(text[:HEAD].split("\n")[:HEAD_LINES])
    cut = len(head)
    if cut < len(text) and " " in head[cut // 2 :]:
        cut = head.rindex(" ")  # between words
    return Tile(item_id, text[:cut], text[cut:], copies, sure)
