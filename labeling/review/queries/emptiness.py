"""Why a person has nothing to do."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from labeling.labels.actions.screens import DESK_SLOT
from labeling.labels.models import ItemState, Lease, ReviewItem, Verdict, VerdictMode
from labeling.labels.seed_queries import seed_counts
from labeling.projects.models import Project
from labeling.runs.models import Run, RunState

LEASES_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Why nothing is on the screen. `leases` are of texts that the person may get when they come free.

    `at_desk`: texts wait for a reviewer; `at_others`: for people who have not answered them yet.
    """

    leases: list[Lease]
    people: list[str]
    voting: Run | None
    has_run: bool
    has_seeds: bool
    at_desk: bool
    at_others: bool


def emptiness_of(project: Project, user_id: int) -> Emptiness:
    """What the person is told who has nothing to do."""
    leases = _leases(project, user_id)
    runs = list(Run.objects.filter(project=project)[:20])
    voting = next((run for run in runs if run.state in {RunState.RUNNING, RunState.PAUSED}), None)
    people = list(dict.fromkeys(lease.user.get_username() for lease in leases))
    waiting = ReviewItem.objects.filter(project=project, state=ItemState.OPEN)
    return Emptiness(
        leases=leases,
        people=people,
        voting=voting,
        has_run=bool(runs),
        has_seeds=not runs and seed_counts(project).decided > 0,
        at_desk=waiting.exclude(escalation="").exists(),
        at_others=waiting.filter(escalation="").exists(),
    )


def _leases(project: Project, user_id: int) -> list[Lease]:
    """Live leases of others on texts that the person may answer, the first to come free first."""
    live = Lease.objects.filter(item__project=project, expires_at__gt=timezone.now(), slot__lt=DESK_SLOT)
    answered = Verdict.objects.filter(item=OuterRef("item"), user_id=user_id, is_current=True, is_undo=False)
    mine = Q(item__assignee=None) | Q(item__assignee=user_id)
    open_to = live.filter(mine, ~Exists(answered.exclude(mode=VerdictMode.ADJUDICATED)), item__state=ItemState.OPEN)
    found = open_to.filter(item__escalation="").exclude(user_id=user_id).select_related("user")
    return list(found.order_by("expires_at")[:LEASES_AT_MOST])
