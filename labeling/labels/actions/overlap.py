"""What follows for the queue when a project's overlap or its members change."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from labeling.datasets.models import Dataset
from labeling.labels.actions.judging import judge, standing_on
from labeling.labels.actions.people import needed_people
from labeling.labels.actions.screens import lock_item
from labeling.labels.models import ItemReason, ItemState, Lease, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Membership, Project
from labeling.runs.actions import lock_runs_of_item
from labeling.runs.models import Run

PART = 10_000  # chosen: a moment of waiting for those who decide meanwhile


def settle_overlap(*, project: Project) -> int:
    """Bring the open items to the project's overlap and members of now; returns how many of them it decided.

    Decided items stay decided, and what waits for a reviewer waits on. Items that become overlapped are blind from now
    on; others as they were made, unless somebody has answered. Nobody who has left holds an item or has one waiting.
    """
    _let_go(project)
    needed = needed_people(project.pk)
    for reason in ItemReason:
        _set_needed(project, reason, needed.of(reason))
    answers = Verdict.objects.filter(item__project=project, item__state=ItemState.OPEN, item__escalation="")
    own = answers.filter(is_current=True, is_undo=False, is_stale=False).exclude(mode=VerdictMode.ADJUDICATED)
    enough = own.values("item").annotate(n=Count("id")).filter(n__gte=F("item__needed"))
    ids = list(enough.order_by("item").values_list("item", flat=True))
    return sum(_judge_one(project, item_id) for item_id in ids)


def _let_go(project: Project) -> None:
    """Give everybody what stands on the screens of people who are no members any more, or waits for them."""
    members = Membership.objects.filter(project=project).values("user_id")
    Lease.objects.filter(item__project=project).exclude(user_id__in=members).delete()
    assigned = ReviewItem.objects.filter(project=project, assignee__isnull=False).exclude(assignee_id__in=members)
    assigned.update(assignee=None, version=F("version") + 1)


def _set_needed(project: Project, reason: ItemReason, number: int) -> None:
    """Give the open items their number. Whoever moves many items holds the runs, so these are held for each part."""
    of_reason = ReviewItem.objects.filter(project=project, reason=reason, state=ItemState.OPEN)
    for others in (of_reason.filter(needed__lt=number), of_reason.filter(needed__gt=number)):
        for low, high in _parts(others):
            with transaction.atomic():
                list(
                    Run.objects.select_for_update(no_key=True).filter(project=project).order_by("id").values_list("id")
                )
                part = others.filter(pk__gte=low, pk__lte=high)
                _set_blind(project, part.filter(~Exists(Verdict.objects.filter(item=OuterRef("pk")))), number)
                part.update(needed=number, version=F("version") + 1)


def _set_blind(project: Project, items: QuerySet[ReviewItem], number: int) -> None:
    """Items that several people answer are blind; those that only their overlap made blind are so no more."""
    if number > 1:
        items.update(is_blind=True)
        return
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
