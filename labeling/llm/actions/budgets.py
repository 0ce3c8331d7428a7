"""Budgets: what may be spent at most. Money is only ever moved under the budget's row lock."""

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from labeling.llm.models import Budget
from labeling.projects.models import Project
from labeling.web.errors import ActionError

MOST_NANO = 10**15  # a million dollars: more is a slip of the keyboard


def set_cap(*, project: Project, run: int, cap_nano: int) -> Budget:
    """Set what the run (0: all that is asked outside runs) may cost at most.

    A cap below what is spent already only stops what was not asked yet. Raises ActionError for a cap that cannot be.
    """
    if not 0 <= cap_nano <= MOST_NANO:
        raise ActionError(_("The most that it may cost is between 0 and 1,000,000 dollars."), field="cap")
    with transaction.atomic():
        budget, _is_new = Budget.objects.get_or_create(project=project, run=run)
        Budget.objects.filter(pk=budget.pk).update(cap_nano=cap_nano)
    budget.refresh_from_db()
    return budget


def open_room(*, project_id: int, run: int, room_nano: int) -> None:
    """Give the budget exactly this much room, whatever was spent on it before."""
    with transaction.atomic():
        budget, _is_new = Budget.objects.get_or_create(project_id=project_id, run=run)
        locked = Budget.objects.filter(pk=budget.pk)
        locked.update(cap_nano=F("spent_nano") + F("reserved_nano") + room_nano)


def add_room(*, project_id: int, run: int, room_nano: int) -> None:
    """Give the budget this much more room than it has: what others were given stays theirs."""
    with transaction.atomic():
        budget, _is_new = Budget.objects.get_or_create(project_id=project_id, run=run)
        taken = F("spent_nano") + F("reserved_nano")
        Budget.objects.filter(pk=budget.pk).update(cap_nano=Greatest(F("cap_nano"), taken) + room_nano)


def set_aside(project_id: int, run: int, amounts: Sequence[int], *, share: Callable[[], int] | None = None) -> int:
    """Reserve the first amounts that the cap has room for, whole ones only; returns how many.

    `share` says how much of the room is the caller's, once the budget is locked; None for all of it. Call inside a
    transaction: the budget stays locked until its end.
    """
    budget = Budget.objects.select_for_update().filter(project=project_id, run=run).first()
    left = budget.left_nano if budget else 0
    count, total = _fitting(amounts, min(left, share()) if share else left)
    if budget is None or not count:
        return 0
    room = Budget.objects.filter(pk=budget.pk, cap_nano__gte=F("spent_nano") + F("reserved_nano") + total)
    return count if room.update(reserved_nano=F("reserved_nano") + total) else 0


def _fitting(amounts: Sequence[int], room: int) -> tuple[int, int]:
    """How many of the first amounts fit into the room, and their sum."""
    total = 0
    for count, amount in enumerate(amounts):
        if total + amount > room:
            return count, total
        total += amount
    return len(amounts), total


def lock_budget(project_id: int, run: int) -> None:
    """Hold the budget until the end of the transaction: taken before any lock on its calls."""
    list(Budget.objects.select_for_update().filter(project=project_id, run=run).values_list("pk"))


def book(project_id: int, run: int, *, released_nano: int, spent_nano: int) -> None:
    """Turn what was set aside into what was spent. Call inside a transaction."""
    Budget.objects.filter(project=project_id, run=run).update(
        reserved_nano=F("reserved_nano") - released_nano, spent_nano=F("spent_nano") + spent_nano
    )
