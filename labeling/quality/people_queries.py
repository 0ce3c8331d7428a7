"""Reads about people's work in a project. Each is one statement, whatever the number of people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber, TruncDate
from django.utils import timezone

from annotator_core.types import LabelSource
from labeling.accounts.models import User
from labeling.labels.models import ItemState, Verdict, VerdictMode
from labeling.labels.queries import PACE_LONGEST_S, PACE_SPAN, start_of_day
from labeling.projects.models import LabelClass, Membership, Project
from labeling.review.models import Flag, Return, Skip

DAYS_SHOWN = 30
PACE_ANSWERS = 500  # chosen: a person's newest answers, enough to be steady and few enough to follow them
AGREEMENT_ANSWERS = 6_000  # chosen: the newest ones; 3,000 texts give kappa to about 0.03, and a page in a second

ADJUDICATED = Q(mode=VerdictMode.ADJUDICATED)


@dataclass(frozen=True, slots=True)
class Decided:
    """How many answers of a person stand: all, those since midnight, those that settled others' conflicts."""

    count: int
    today: int
    settled: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Hits:
    """How many of a person's answers were compared with something, and how many were the same."""

    compared: int
    same: float

    @property
    def share(self) -> float | None:
        """0 to 1; None where nothing was compared."""
        return self.same / self.compared if self.compared else None


@dataclass(frozen=True, slots=True)
class SharedAnswer:
    """One person's answer on a text that another one answered, too; `text` is the same for equal texts."""

    text: tuple[int, str]
    user_id: int
    class_id: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose work is read: everybody's in the project, or one person's."""

    project: Project
    user_id: int | None = None

    @property
    def who(self) -> dict[str, int]:
        """The condition on rows that belong to a user."""
        return {} if self.user_id is None else {"user_id": self.user_id}


def people_of(scope: Scope) -> dict[int, tuple[User, str]]:
    """Who is or was at work in the project, by user id: the person and the role, empty for who has left."""
    members = Membership.objects.filter(project=scope.project, **scope.who).select_related("user")
    found = {member.user_id: (member.user, member.role) for member in members}
    worked = Verdict.objects.filter(item__project=scope.project, **scope.who).values("user")
    for user in User.objects.filter(pk__in=worked).exclude(pk__in=found):
        found[user.pk] = (user, "")
    return found


def decided_by(scope: Scope) -> dict[int, Decided]:
    """What stands of each person's answers."""
    own = Count("id", filter=~ADJUDICATED)
    today = Count("id", filter=~ADJUDICATED & Q(created_at__gte=start_of_day()))
    settled = Count("id", filter=ADJUDICATED)
    given = standing(scope).order_by().values_list("user_id")
    rows = given.annotate(own=own, today=today, settled=settled, last=Max("created_at"))
    return {user_id: Decided(*figures) for user_id, *figures in rows}


def seconds_of(scope: Scope) -> dict[int, float]:
    """Each person's median seconds for one answer in the last thirty days; time beyond two minutes counts as two."""
    newest = Window(RowNumber(), partition_by="user_id", order_by=F("id").desc())
    lately = standing(scope).filter(created_at__gte=timezone.now() - PACE_SPAN)
    timed = lately.filter(mode=VerdictMode.SINGLE, elapsed_ms__gt=0).annotate(place=newest)
    rows = timed.filter(place__lte=PACE_ANSWERS).order_by().values_list("user_id", "elapsed_ms")
    spent: dict[int, list[float]] = {}
    for user_id, elapsed_ms in rows:
        spent.setdefault(user_id, []).append(min((elapsed_ms or 0) / 1000, PACE_LONGEST_S))
    return {user_id: median(seconds) for user_id, seconds in spent.items()}


def gold_hits(scope: Scope) -> dict[int, Hits]:
    """Each person's answers on texts that came in with a verified class, compared with it."""
    label = "item__sample__labels"
    known = {f"{label}__source": LabelSource.IMPORTED.value, f"{label}__is_retracted": False}
    same = Count("id", distinct=True, filter=Q(label_class=F(f"{label}__label_class")))
    own = standing(scope).filter(~ADJUDICATED, **known).order_by().values_list("user_id")
    return {user_id: Hits(n, hits) for user_id, n, hits in own.annotate(n=Count("id", distinct=True), same=same)}


def skips_of(scope: Scope) -> dict[int, int]:
    """How often each person passed a text over, without what they undid."""
    return _marks(Skip.objects.filter(item__project=scope.project, undo_id=None, **scope.who))


def flags_of(scope: Scope) -> dict[int, int]:
    """How often each person handed a text to a reviewer, without what they undid."""
    return _marks(Flag.objects.filter(item__project=scope.project, undo_id=None, **scope.who))


def shared_answers(project: Project) -> list[SharedAnswer]:
    """The newest answers on texts that several people answered on their own, the latest of a person on a text.

    Oldest first, so that the same answers always give the same intervals.

    On their own: without seeing votes, and not after the text was sent back to them. Texts that still wait for answers
    in the ordinary queue are left out: nobody shall learn from a figure what somebody else has said.
    """
    sent_back = Return.objects.filter(item=OuterRef("item"), to=OuterRef("user"), created_at__lt=OuterRef("created_at"))
    is_waiting = Q(item__state=ItemState.OPEN, item__escalation="")
    own = standing(Scope(project)).filter(~ADJUDICATED, ~is_waiting, ~Exists(sent_back), has_seen_votes=False)
    several = own.order_by().values("item").annotate(n=Count("id")).filter(n__gte=2).values("item")
    fields = ("item__dataset_id", "item__text_hash", "user_id", "label_class_id")
    newest = own.filter(item__in=several).order_by("-id").values_list(*fields)[:AGREEMENT_ANSWERS]
    found: dict[tuple[int, str, int], SharedAnswer] = {}
    for dataset_id, text_hash, user_id, class_id in newest:
        if class_id is not None:
            found.setdefault((dataset_id, text_hash, user_id), SharedAnswer((dataset_id, text_hash), user_id, class_id))
    return list(found.values())[::-1]


def standing(scope: Scope) -> QuerySet[Verdict]:
    """The answers that count now."""
    mine = Verdict.objects.filter(item__project=scope.project, **scope.who)
    return mine.filter(is_current=True, is_undo=False, is_stale=False)


@dataclass(frozen=True, slots=True)
class Day:
    """The answers of one day; `clock_s` is its midnight as a clock on the server's wall counts seconds since 1970."""

    day: date
    answers: int

    @property
    def clock_s(self) -> int:
        """For the axis of a figure."""
        return (self.day - date(1970, 1, 1)).days * 86_400


def days_of(project: Project, user_id: int) -> list[Day]:
    """How many answers the person gave on each of the last thirty days, today last; undone ones do not count."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1)]
    given = standing(Scope(project, user_id)).filter(created_at__gte=start_of_day() - timedelta(days=DAYS_SHOWN - 1))
    rows = given.annotate(day=TruncDate("created_at")).order_by().values_list("day").annotate(n=Count("id"))
    counts: dict[date, int] = dict(rows)
    return [Day(day, counts.get(day, 0)) for day in days]


def classes_of(project: Project) -> dict[int, LabelClass]:
    """The project's classes by id, retired ones too."""
    return {one.pk: one for one in LabelClass.objects.filter(project=project)}


def _marks(marks: QuerySet[Skip] | QuerySet[Flag]) -> dict[int, int]:
    rows: Iterable[tuple[int, int]] = marks.order_by().values_list("user_id").annotate(n=Count("id"))
    return dict(rows)
