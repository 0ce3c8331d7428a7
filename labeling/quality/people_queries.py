"""Reads about people's work in a project. Each is one statement for a hundred people."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from annotator_core.types import LabelSource
from labeling.accounts.models import User
from labeling.labels.chunk_queries import PARAMETERS
from labeling.labels.models import ItemState, Label, Verdict, VerdictMode
from labeling.labels.queries import PACE_LONGEST_S, PACE_SPAN, start_of_day
from labeling.projects.models import LabelClass, Membership, Project
from labeling.review.models import Flag, Return, Skip

DAYS_SHOWN = 30
PACE_ANSWERS = 500  # chosen: a person's newest answers, enough to be steady and few enough to follow them
AGREEMENT_ANSWERS = 6_000  # chosen: the newest ones; 3,000 texts give kappa to about 0.03, and a page in a second

PEOPLE_AT_ONCE = 100  # chosen: SQLite joins no more than 500 selects

STANDS = Q(is_current=True, is_undo=False, is_stale=False)
ADJUDICATED = Q(mode=VerdictMode.ADJUDICATED)


@dataclass(frozen=True, slots=True)
class Decided:
    """How many answers of a person stand: all, those since midnight, those that settled others' conflicts.

    `together` of them were confirmed with others on the triage grid, which is weaker evidence.
    """

    count: int
    today: int
    settled: int
    last: datetime | None
    together: int = 0


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
class PersonsAnswer:
    """One person's standing answer on a text of a data set, given on one's own."""

    text_hash: str
    user_id: int
    class_id: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose work is read: everybody's in the project, or one person's; of answers those before `until`, if any."""

    project: Project
    user_id: int | None = None
    until: datetime | None = None

    @property
    def who(self) -> dict[str, int]:
        """The condition on rows that belong to a user."""
        return {} if self.user_id is None else {"user_id": self.user_id}


def people_of(scope: Scope, worked: Iterable[int]) -> dict[int, tuple[User, str]]:
    """Who is in the project or has `worked` in it, by user id: the person and the role, empty for who has left."""
    members = Membership.objects.filter(project=scope.project, **scope.who).select_related("user")
    found = {member.user_id: (member.user, member.role) for member in members}
    for user in User.objects.filter(pk__in=set(worked) - set(found)):
        found[user.pk] = (user, "")
    return found


def decided_by(scope: Scope) -> dict[int, Decided]:
    """What stands of each person's answers; also of who has given some of which none stands."""
    given = Verdict.objects.filter(item__project=scope.project, **scope.who)
    own = Count("id", filter=STANDS & ~ADJUDICATED)
    today = Count("id", filter=STANDS & ~ADJUDICATED & Q(created_at__gte=start_of_day()))
    settled = Count("id", filter=STANDS & ADJUDICATED)
    last = Max("created_at", filter=STANDS)
    together = Count("id", filter=STANDS & Q(mode=VerdictMode.BULK))
    people = given.order_by().values_list("user_id")
    rows = people.annotate(own=own, today=today, settled=settled, last=last, together=together)
    return {user_id: Decided(*figures) for user_id, *figures in rows}


def seconds_of(scope: Scope, user_ids: Iterable[int]) -> dict[int, float]:
    """Each person's median seconds for one answer in the last thirty days; time beyond two minutes counts as two.

    Each person's newest answers are found by the index, a hundred people a statement: to rank all answers of a project
    in one window reads all of them.
    """
    lately = standing(scope).filter(created_at__gte=timezone.now() - PACE_SPAN)
    timed = lately.filter(mode=VerdictMode.SINGLE, elapsed_ms__gt=0)
    newest = timed.order_by("-created_at").values_list("user_id", "elapsed_ms")
    ids, spent = sorted(user_ids), defaultdict[int, list[float]](list)
    for low in range(0, len(ids), PEOPLE_AT_ONCE):
        parts = [newest.filter(user_id=one)[:PACE_ANSWERS] for one in ids[low : low + PEOPLE_AT_ONCE]]
        for user_id, elapsed_ms in union_all(parts):
            spent[user_id].append(min(elapsed_ms / 1000, PACE_LONGEST_S))
    return {user_id: median(seconds) for user_id, seconds in spent.items()}


def union_all(parts: "Sequence[QuerySet[Any, tuple[Any, ...]]]") -> list[tuple[Any, ...]]:
    """The rows of all in one statement; each part may have a limit, which the ORM forbids in a union on SQLite."""
    compiled = [part.query.sql_with_params() for part in parts]
    sql = " UNION ALL ".join(f"SELECT * FROM ({sql}) AS part{number}" for number, (sql, _) in enumerate(compiled))  # noqa: S608 (compiled by the ORM)
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for _sql, params in compiled for value in params])
        return list(cursor.fetchall())


def gold_hits(scope: Scope) -> dict[int, Hits]:
    """Each person's answers on texts that came in with a verified class, compared with it."""
    gold = Label.objects.filter(sample=OuterRef("item__sample"), source=LabelSource.IMPORTED, is_retracted=False)
    own = standing(scope).filter(~ADJUDICATED).filter(Exists(gold))
    is_same = Exists(gold.filter(label_class=OuterRef("label_class")))
    rows = own.annotate(is_same=is_same).order_by().values_list("user_id")
    counted = rows.annotate(n=Count("id"), hits=Count("id", filter=Q(is_same=True)))
    return {user_id: Hits(n, hits) for user_id, n, hits in counted}


def skips_of(scope: Scope) -> dict[int, int]:
    """How often each person passed a text over, without what they undid."""
    return _marks(Skip.objects.filter(item__project=scope.project, undo_id=None, **scope.who))


def flags_of(scope: Scope) -> dict[int, int]:
    """How often each person handed a text to a reviewer, without what they undid."""
    return _marks(Flag.objects.filter(item__project=scope.project, undo_id=None, **scope.who))


def shared_answers(project: Project, until: datetime | None = None) -> list[SharedAnswer]:
    """The newest answers on texts that several people answered on their own, the latest of a person on a text.

    Oldest first, so that the same answers always give the same intervals. Only answers given before `until`, if any.

    On their own: without seeing votes, and not after the text was sent back to them. Texts that still wait for answers
    in the ordinary queue are left out: nobody shall learn from a figure what somebody else has said.
    """
    is_waiting = Q(item__state=ItemState.OPEN, item__escalation="")
    own = _on_their_own(standing(Scope(project, until=until))).filter(~is_waiting)
    # From the newest on, each asks for another one beside it: to count the answers of each text would read all of them.
    others = own.filter(item=OuterRef("item")).exclude(user=OuterRef("user")).order_by()
    fields = ("item__dataset_id", "item__text_hash", "user_id", "label_class_id")
    newest = own.filter(Exists(others)).order_by("-id").values_list(*fields)[:AGREEMENT_ANSWERS]
    found: dict[tuple[int, str, int], SharedAnswer] = {}
    for dataset_id, text_hash, user_id, class_id in newest:
        if class_id is not None:
            found.setdefault((dataset_id, text_hash, user_id), SharedAnswer((dataset_id, text_hash), user_id, class_id))
    return list(found.values())[::-1]


def people_answers(dataset_id: int, hashes: Collection[str]) -> list[PersonsAnswer]:
    """Every person's latest answer on each of the texts, by whatever item, given on their own as above."""
    found: dict[tuple[str, int], int] = {}
    verdicts = _on_their_own(Verdict.objects.filter(STANDS, item__dataset=dataset_id)).order_by("id")
    wanted = sorted(hashes)
    for low in range(0, len(wanted), PARAMETERS):
        given = verdicts.filter(item__text_hash__in=wanted[low : low + PARAMETERS])
        for text_hash, user_id, class_id in given.values_list("item__text_hash", "user_id", "label_class_id"):
            if class_id is not None:
                found[text_hash, user_id] = class_id
    return [PersonsAnswer(text_hash, user_id, class_id) for (text_hash, user_id), class_id in found.items()]


def _on_their_own(answers: QuerySet[Verdict]) -> QuerySet[Verdict]:
    """Those given without seeing votes, and not after the text was sent back to the person.

    A reviewer who settles a text has seen the others' answers: that is none of one's own.
    """
    sent_back = Return.objects.filter(item=OuterRef("item"), to=OuterRef("user"), created_at__lt=OuterRef("created_at"))
    return answers.filter(~ADJUDICATED, ~Exists(sent_back.filter(undo_id=None)), has_seen_votes=False)


def standing(scope: Scope) -> QuerySet[Verdict]:
    """The answers that count now."""
    mine = Verdict.objects.filter(item__project=scope.project, **scope.who)
    if scope.until is not None:
        mine = mine.filter(created_at__lt=scope.until)
    return mine.filter(STANDS)


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
