"""What follows for the queue when a project's overlap or its members change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from labeling.datasets.models import Dataset
from labeling.jobs.actions import mark_dirty, open_job, restart_job
from labeling.jobs.queries import job_of
from labeling.labels.actions.judging import judge, standing_on
from labeling.labels.actions.people import FOR_AUDIT, Needed, needed_people
from labeling.labels.actions.screens import drop_leases, lock_item
from labeling.labels.models import ItemReason, ItemState, Lease, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Membership, Project
from labeling.runs.actions import lock_runs_of_item
from labeling.runs.models import Run

SETTLE = "queue"
"""The kind of the job that brings a long queue to the project's numbers of people; its subject is the project."""

PART = 10_000  # chosen: a moment of waiting for those who decide meanwhile
AT_ONCE = 200  # chosen: a second, even where each of them is decided; longer queues follow in the background


@dataclass(frozen=True, slots=True)
class Group:
    """Open items that all need the same number of people."""

    reason: ItemReason
    is_audited: bool = False

    def items(self, project: Project) -> QuerySet[ReviewItem]:
        """Those of the project."""
        return ReviewItem.objects.filter(
            project=project, reason=self.reason, is_audited=self.is_audited, state=ItemState.OPEN
        )

    def others(self, project: Project, needed: Needed) -> tuple[QuerySet[ReviewItem], QuerySet[ReviewItem]]:
        """Those that have another number now: less, and more."""
        number, items = needed.of(self.reason, is_audited=self.is_audited), self.items(project)
        return items.filter(needed__lt=number), items.filter(needed__gt=number)


GROUPS = (*map(Group, ItemReason), Group(ItemReason.RANDOM, is_audited=True))


def follow_overlap(*, project: Project) -> int | None:
    """Bring the queue to the project's overlap and members of now; returns how many items that decided.

    A long queue follows in a job, and None comes back. What stands on the screens of people who have left, or waits for
    them, is free at once in any case.
    """
    let_go(project=project)
    if count_unsettled(project, AT_ONCE + 1) <= AT_ONCE:
        return settle_overlap(project=project)
    with transaction.atomic():
        # Two managers in one moment: one job.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        job = job_of(SETTLE, project.pk)
        if job is None:
            open_job(project_id=project.pk, kind=SETTLE, subject=project.pk)
        elif job.is_over:
            restart_job(job=job)
        else:
            mark_dirty(kind=SETTLE, subject=project.pk)
    return None


def settle_overlap(*, project: Project, tell: Callable[[int], object] = lambda _done: None) -> int:
    """Bring the open items to the project's overlap and members of now; returns how many of them it decided.

    Decided items stay decided, and what waits for a reviewer waits on. Items that become overlapped are blind from now
    on; others as they were made, unless somebody has answered. Nobody who has left holds an item or has one waiting.
    Done again, it changes nothing more. `tell` gets the number of items looked after so far.
    """
    let_go(project=project)
    done = decided = 0
    needed = needed_people(project.pk)
    for group in GROUPS:
        for count in _set_needed(project, group, needed):
            done += count
            tell(done)
    for ids in _answered_enough(project):
        for item_id in ids:
            decided += _judge_one(project, item_id)
            done += 1
            tell(done)
    return decided


def count_unsettled(project: Project, most: int | None = None) -> int:
    """How many open items have not the number of people that they should have, or have answers enough; up to `most`."""
    needed = needed_people(project.pk)
    others = (part[:most].count() for group in GROUPS for part in group.others(project, needed))
    return sum(others) + _enough(project)[:most].count()


def let_go(*, project: Project) -> None:
    """Give everybody what stands on the screens of people who are no members any more, or waits for them.

    An account that is switched off is nobody's.
    """
    members = Membership.objects.filter(project=project, user__is_active=True).values("user_id")
    drop_leases(Lease.objects.filter(item__project=project).exclude(user_id__in=members))
    assigned = ReviewItem.objects.filter(project=project, assignee__isnull=False).exclude(assignee_id__in=members)
    assigned.update(assignee=None, version=F("version") + 1)


def _set_needed(project: Project, group: Group, needed: Needed) -> Iterator[int]:
    """Give the open items their number, part by part; how many at each."""
    if any(part.exists() for part in group.others(project, needed)):
        while count := _set_part(project, group):
            yield count


def _set_part(project: Project, group: Group) -> int:
    """The same for the next part; 0 when there is none.

    Whoever moves many items holds the runs, then the data sets, so these are held for each part, and the number is read
    under them: a second change that came meanwhile is not undone by what is left of the first.
    """
    with transaction.atomic():
        _hold(project)
        needed = needed_people(project.pk)
        part = next((found for one in group.others(project, needed) if (found := _first_part(one))), None)
        if part is None:
            return 0
        number, items = needed.of(group.reason, is_audited=group.is_audited), group.items(project).filter(part)
        _set_blind(project, items.filter(~Exists(Verdict.objects.filter(item=OuterRef("pk")))), number)
        return items.update(needed=number, version=F("version") + 1)


def _hold(project: Project) -> None:
    """In the order of everybody else (audit.lock_queue). SQLite has one writer anyway."""
    if connection.features.has_select_for_update:
        for model in (Run, Dataset):
            rows = model.objects.select_for_update(no_key=True).filter(project=project).order_by("id")
            list(rows.values_list("id"))


def _first_part(items: QuerySet[ReviewItem]) -> Q | None:
    """The first PART of the items, of one number, as a range of the index; None for no item."""
    found = list(items.order_by("needed", "id").values_list("needed", "id")[:PART])
    if not found:
        return None
    number, low = found[0]
    high = max(pk for needed, pk in found if needed == number)
    return Q(needed=number, pk__gte=low, pk__lte=high)


def _set_blind(project: Project, items: QuerySet[ReviewItem], number: int) -> None:
    """Items that several people answer are blind; those that only their overlap made blind are so no more."""
    if number > 1:
        # On a screen its votes may have been seen: what is said of them there is believed.
        items.filter(~Exists(Lease.objects.filter(item=OuterRef("pk")))).update(is_blind=True)
        return
    items = items.exclude(FOR_AUDIT).exclude(reason=ItemReason.SEED)
    for dataset_id, frame_until in Dataset.objects.filter(project=project).values_list("id", "frame_until"):
        items.filter(dataset=dataset_id, text_hash__gt=frame_until, is_blind=True).update(is_blind=False)


def _enough(project: Project) -> "QuerySet[Verdict, int]":
    """Open items of the ordinary queue with as many answers as they need."""
    answers = Verdict.objects.filter(item__project=project, item__state=ItemState.OPEN, item__escalation="")
    own = answers.filter(is_current=True, is_undo=False, is_stale=False).exclude(mode=VerdictMode.ADJUDICATED)
    counted = own.order_by().values("item").annotate(n=Count("id")).filter(n__gte=F("item__needed"))
    return counted.values_list("item", flat=True)


def _answered_enough(project: Project) -> Iterator[list[int]]:
    last = 0
    while ids := list(_enough(project).filter(item__gt=last).order_by("item")[:PART]):
        yield ids
        last = ids[-1]


def _judge_one(project: Project, item_id: int) -> bool:
    with transaction.atomic():
        lock_runs_of_item(item_id)
        item = lock_item(project, item_id)
        if item.state == ItemState.OPEN and not item.escalation:
            judge(item, standing_on(item))
    return item.state == ItemState.DECIDED
