"""How many people answer an item, and what follows when that number changes."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from labeling.datasets.models import Dataset
from labeling.labels.actions.judging import judge, standing_on
from labeling.labels.actions.screens import lock_item
from labeling.labels.models import ItemReason, ItemState, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Project
from labeling.runs.actions import lock_runs_of_item
from labeling.runs.models import Run

PART = 10_000  # chosen: a moment of waiting for those who decide meanwhile


@dataclass(frozen=True, slots=True)
class Needed:
    """How many people answer a text of the project, and one of an audit."""

    ordinary: int
    audit: int

    def of(self, reason: str) -> int:
        """The number for an item in the queue for that reason."""
        return self.audit if reason == ItemReason.AUDIT else self.ordinary


def needed_people(project_id: int) -> Needed:
    """The project's overlap, as far as it has that many members, one at least."""
    found = Project.objects.filter(pk=project_id).annotate(people=Count("memberships"))
    overlap, audit_overlap, people = found.values_list("overlap", "audit_overlap", "people").get()
    return Needed(max(1, min(overlap, people)), max(1, min(audit_overlap, people)))


def settle_overlap(*, project: Project) -> int:
    """Bring the open items to the project's overlap of now; returns how many of them it decided.

    Call it after the overlap or the members have changed, outside of any transaction. Decided items stay decided, and
    what waits for a reviewer waits on. Items that become overlapped are blind from now on; others are as they were
    made, unless somebody has answered.
    """
    needed = needed_people(project.pk)
    for reason, number in ((Q(reason=ItemReason.AUDIT), needed.audit), (~Q(reason=ItemReason.AUDIT), needed.ordinary)):
        _set_needed(project, reason, number)
    answers = Verdict.objects.filter(item__project=project, item__state=ItemState.OPEN, item__escalation="")
    own = answers.filter(is_current=True, is_undo=False, is_stale=False).exclude(mode=VerdictMode.ADJUDICATED)
    enough = own.values("item").annotate(n=Count("id")).filter(n__gte=F("item__needed"))
    ids = list(enough.order_by("item").values_list("item", flat=True))
    return sum(_judge_one(project, item_id) for item_id in ids)


def _set_needed(project: Project, reason: Q, number: int) -> None:
    """Give the open items their number. Whoever moves many items holds the runs, so these are held for each part."""
    others = ReviewItem.objects.filter(reason, project=project, state=ItemState.OPEN).exclude(needed=number)
    for low, high in _parts(others):
        with transaction.atomic():
            list(Run.objects.select_for_update(no_key=True).filter(project=project).order_by("id").values_list("id"))
            part = others.filter(pk__gte=low, pk__lte=high)
            fresh = part.filter(~Exists(Verdict.objects.filter(item=OuterRef("pk"))))
            if number > 1:
                fresh.update(is_blind=True)
            else:
                _show_again(project, fresh)
            part.update(needed=number, version=F("version") + 1)


def _show_again(project: Project, items: QuerySet[ReviewItem]) -> None:
    """Items that only their overlap made blind are so no more: those outside every audit frame."""
    items = items.exclude(reason__in=(ItemReason.AUDIT, ItemReason.SEED))
    for dataset_id, frame_until in Dataset.objects.filter(project=project).values_list("id", "frame_until"):
        items.filter(dataset=dataset_id, text_hash__gt=frame_until, is_blind=True).update(is_blind=False)


def _parts(items: QuerySet[ReviewItem]) -> Iterator[tuple[int, int]]:
    """The ids of the items as ranges of PART items at most."""
    last = 0
    while ids := list(items.filter(pk__gt=last).order_by("id").values_list("id", flat=True)[:PART]):
        yield ids[0], ids[-1]
        last = ids[-1]


def _judge_one(project: Project, item_id: int) -> bool:
    with transaction.atomic():
        lock_runs_of_item(item_id)
        item = lock_item(project, item_id)
        if item.state == ItemState.OPEN and not item.escalation:
            judge(item, standing_on(item))
    return item.state == ItemState.DECIDED
