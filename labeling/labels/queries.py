"""Reads about the review: what is left, at which pace, who said what about one text."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Least, Left
from django.utils import timezone

from labeling.labels.models import Consensus, ItemReason, ItemState, ReviewItem, Verdict, Vote
from labeling.labels.work_queries import work_of
from labeling.projects.models import Project
from labeling.runs.models import PoolGeneration, PoolMember, Run
from labeling.web.prepared import Prepared

EXCERPT = 90
PACE_DECISIONS = 20  # chosen: enough to be steady, few enough to follow the person's pace of today
PACE_GUESS_S = 5.0  # chosen: what a short text takes before anybody decided one
PACE_KNOWN_FROM = 5  # chosen: one quick decision says nothing about hours
PACE_ALL_DECISIONS = 200  # chosen: the same for all people of a project
ROUTED = (ItemReason.HARD, ItemReason.UNCERTAIN, ItemReason.RANDOM, ItemReason.CONFLICT, ItemReason.REOPENED)
"""Why a run's own texts are in the queue."""
PACE_SPAN = timedelta(days=30)  # chosen: older ones say little, and the index ends there
PACE_LONGEST_S = 120.0  # chosen: beyond it somebody was away


@dataclass(frozen=True, slots=True)
class Pace:
    """A person's work in a project: decisions since midnight, median seconds for one, rows left for all people, of all.

    Rows that the person answered today and that wait for others are not left: else the number would tell what others
    said, and which texts are an audit's.
    """

    today: int
    seconds: float
    left: int
    total: int

    @property
    def remaining_s(self) -> float:
        """Seconds until nothing is left at this pace."""
        return self.left * self.seconds


def rows_to_review(project: Project) -> int:
    """Rows that wait for a person: of the project's active runs, from their counters, and the seed texts."""
    return work_of(project).left


def pace_of(project: Project, user_id: int) -> Pace:
    """The person's pace in the project."""
    mine = Verdict.objects.filter(user_id=user_id, item__project=project, is_current=True, is_undo=False)
    since_midnight = mine.filter(created_at__gte=start_of_day())
    waiting = Sum("item__copies", filter=Q(item__state=ItemState.OPEN), default=0)
    today = since_midnight.aggregate(decided=Count("id"), waiting=waiting)
    spent = mine.exclude(elapsed_ms=None).order_by("-created_at").values_list("elapsed_ms", flat=True)
    seconds = [min(ms / 1000, PACE_LONGEST_S) for ms in spent[:PACE_DECISIONS] if ms]
    is_known = len(seconds) >= PACE_KNOWN_FROM
    work = work_of(project)
    left = max(0, work.left - today["waiting"])
    return Pace(today["decided"], median(seconds) if is_known else PACE_GUESS_S, left, work.total)


def people_seconds(project: Project) -> float:
    """Median seconds of a decision by the project's people in the last thirty days, a guess before they are known."""
    known = known_seconds(project)
    return PACE_GUESS_S if known is None else known


def known_seconds(project: Project) -> float | None:
    """The same; None before the project's people have decided enough."""
    members = project.memberships.values("user_id")
    lately = Verdict.objects.filter(user__in=members, created_at__gte=timezone.now() - PACE_SPAN)
    mine = lately.filter(item__project=project, is_current=True, is_undo=False, elapsed_ms__gt=0)
    spent = mine.order_by("-created_at").values_list("elapsed_ms", flat=True)[:PACE_ALL_DECISIONS]
    seconds = [min(ms / 1000, PACE_LONGEST_S) for ms in spent if ms]
    return median(seconds) if len(seconds) >= PACE_KNOWN_FROM else None


@dataclass(frozen=True, slots=True)
class PeopleTime:
    """Seconds that people spent on a run's texts, of `timed` answers; `untimed` ones came without a time."""

    seconds: float
    timed: int
    untimed: int


def people_time(run: Run) -> PeopleTime | None:
    """Of all answers that were given, undone ones too; time beyond two minutes counts as two. None without answers."""
    given = Verdict.objects.filter(item__run=run, is_undo=False).order_by()
    spent = Sum(Least("elapsed_ms", int(PACE_LONGEST_S * 1000)), filter=Q(elapsed_ms__gt=0))
    found = given.aggregate(spent=spent, all=Count("id"), timed=Count("id", filter=Q(elapsed_ms__gt=0)))
    if not found["all"]:
        return None
    return PeopleTime((found["spent"] or 0) / 1000, found["timed"], found["all"] - found["timed"])


def rows_taken_off(project: Project) -> int:
    """Rows that left the queue since yesterday because newer specialists agreed on them, from counters."""
    opened = PoolGeneration.objects.filter(run__project=project, created_at__gte=timezone.now() - timedelta(days=1))
    return opened.aggregate(rows=Sum("taken_off"))["rows"] or 0


def start_of_day() -> datetime:
    """Midnight in the site's time zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def audit_waits(project_id: int | OuterRef) -> Q:
    """A condition: whether a text of the project waits for an audit (FOR_AUDIT), each kind by an index of its own."""
    waiting = ReviewItem.objects.filter(project_id=project_id, state=ItemState.OPEN)
    return Q(Exists(waiting.filter(reason=ItemReason.AUDIT)) | Exists(waiting.filter(is_audited=True)))


def blind_waits(project_id: int | OuterRef) -> Q:
    """A condition: whether a text waits that one person answers blind though no audit waits: one of the audit frame.

    An audit may draw it at any time, and takes the answer as it is. By an index of its own.
    """
    waiting = ReviewItem.objects.filter(project_id=project_id, state=ItemState.OPEN, escalation="")
    return Q(Exists(waiting.filter(reason__in=ROUTED, is_blind=True, needed=1)))


def latest_verdict(project: Project, user_id: int) -> tuple[Verdict, bool] | None:
    """The person's newest answer in the project that is not undone, stale ones too, with item, class and `excerpt`.

    And whether a text of the project waits for an audit or of its frame, when nothing may be told of votes.
    """
    found = next(iter(_latest_verdicts(project.pk, user_id)), None)
    return None if found is None else (found, found.is_silent)


def _latest(project_id: int, user_id: int) -> "QuerySet[Any]":
    stands = Q(is_current=True) | Q(is_stale=True)
    mine = Verdict.objects.filter(stands, user_id=user_id, item__project=project_id, is_undo=False)
    shown = mine.select_related("item", "label_class").annotate(excerpt=Left("item__sample__text", EXCERPT))
    silent = shown.annotate(is_silent=audit_waits(project_id) | blind_waits(project_id))
    return silent.order_by("-created_at", "-id")[:1]


_latest_verdicts = Prepared(_latest)


def standing_verdict(item: ReviewItem) -> Verdict | None:
    """The answer that decides the item now, with its person and class."""
    current = Verdict.objects.filter(item=item, is_current=True, is_undo=False, is_stale=False)
    return current.select_related("user", "label_class").order_by("-id").first()


def vote_tally(item: ReviewItem) -> list[tuple[str, int]]:
    """(class name, votes) of the pool that voted last on the item's text in its run, most votes first."""
    return [] if item.run_id is None else _vote_tallies(item.run_id, item.sample_id)


def _tally(run_id: int, sample_id: int) -> "QuerySet[Any, Any]":
    current = Consensus.objects.filter(run=run_id, sample=sample_id, is_current=True).values("generation")
    pool = PoolMember.objects.filter(generation__run=run_id, generation__number__in=current)
    votes = Vote.objects.filter(sample_id=sample_id, version_id__in=pool.values("version_id")).exclude(label_class=None)
    return votes.values_list("label_class__name").annotate(n=Count("id")).order_by("-n", "label_class__position")


_vote_tallies = Prepared(_tally)
