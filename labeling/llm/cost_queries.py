"""What the costs page reads: counters for its figures, and one page of the ledger."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from django.db.models import Max, Min, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncHour, TruncMinute
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.llm.models import Budget, CallState, Connection, LlmCall, Purpose, Spending
from labeling.llm.queries import Totals, budgets_of, totals_by, totals_of
from labeling.projects.models import Project
from labeling.web.parts import SplitPart

PAGE = 50
RUNS_SHOWN = 50
LINES_SHOWN = 5  # chosen: more lines than one tells apart
BY_MINUTE, BY_HOUR = timedelta(hours=3), timedelta(days=5)
"""Up to which span the figure has a point a minute, and an hour; chosen: about two hundred points at most."""
NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run's budget (`run` is its id) and what was settled for it."""

    run: int
    budget: Budget
    totals: Totals

    @property
    def share(self) -> float | None:
        """Of the cap that is spent; None without a cap."""
        return self.budget.spent_nano / self.budget.cap_nano if self.budget.cap_nano else None


@dataclass(frozen=True, slots=True)
class ConnectionLine:
    """What was settled over one connection."""

    connection: Connection
    totals: Totals


@dataclass(frozen=True, slots=True)
class PurposeLine:
    """What was settled for one purpose; `name` is for people."""

    purpose: str
    name: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of the figure: seconds as it is drawn, and dollars spent until then, of all and of each line."""

    at: datetime
    x: float
    spent_nano: int
    lines: tuple[int, ...]

    @property
    def spent_usd(self) -> float:
        """Dollars, for drawing."""
        return self.spent_nano / NANO

    @property
    def cells(self) -> list[tuple[int, float]]:
        """Of each line: nano-dollars, and dollars for drawing."""
        return [(nano, nano / NANO) for nano in self.lines]


@dataclass(frozen=True, slots=True)
class Curve:
    """Cost against time, added up. `ids` are of the lines beside the total: connections or runs, where several are."""

    ids: tuple[int, ...]
    points: tuple[Point, ...]
    is_by_day: bool


@dataclass(frozen=True, slots=True)
class Costs:
    """All that the page shows above the ledger."""

    totals: Totals
    reserved_nano: int
    outside: Budget
    runs: list[RunLine]
    connections: list[ConnectionLine]
    purposes: list[PurposeLine]
    curve: Curve
    run_curve: Curve
    tokens: list[SplitPart]

    @property
    def curve_names(self) -> list[str]:
        """The names of the connections that have a line."""
        names = {line.connection.pk: line.connection.name for line in self.connections}
        return [names[pk] for pk in self.curve.ids]


def costs_of(project: Project) -> Costs:
    """Ten queries, whatever the number of calls."""
    budgets = budgets_of(project)
    by_run = totals_by(project, "run")
    runs = sorted((run for run in budgets if run > 0), reverse=True)[:RUNS_SHOWN]
    connections = {one.pk: one for one in Connection.objects.filter(project=project)}
    lines = [ConnectionLine(connections[pk], totals) for pk, totals in totals_by(project, "connection").items()]
    by_purpose = totals_by(project, "purpose")
    purposes = [one for one in Purpose if one.value in by_purpose]
    totals = totals_of(project)
    return Costs(
        totals=totals,
        reserved_nano=sum(budget.reserved_nano for budget in budgets.values()),
        outside=budgets.get(0) or Budget(project=project),
        runs=[RunLine(run, budgets[run], by_run.get(run, Totals())) for run in runs],
        connections=sorted(lines, key=lambda line: -line.totals.cost_nano),
        purposes=[PurposeLine(one.value, str(one.label), by_purpose[one.value]) for one in purposes],
        curve=curve_of(project, "connection"),
        run_curve=curve_of(project, "run"),
        tokens=_token_parts(totals),
    )


def _token_parts(totals: Totals) -> list[SplitPart]:
    """Tokens of all answered calls by what they cost: read afresh, read from the provider's cache, written."""
    fresh = max(0, totals.tokens_in - totals.tokens_cached)
    return [
        SplitPart(_("read"), fresh, "asking"),
        SplitPart(_("read from the cache"), totals.tokens_cached, "verified"),
        SplitPart(_("written"), totals.tokens_out, "decided"),
    ]


def curve_of(project: Project, column: Literal["connection", "run"]) -> Curve:
    """Cost added up over time, by the minute, hour or day as the span asks for; without points before any call."""
    rows = Spending.objects.filter(project=project)
    span = rows.aggregate(first=Min("minute"), last=Max("minute"))
    if span["first"] is None:
        return Curve((), (), is_by_day=False)
    width = span["last"] - span["first"]
    trunc = TruncMinute if width <= BY_MINUTE else TruncHour if width <= BY_HOUR else TruncDay
    found = rows.order_by().annotate(at=trunc("minute")).values_list("at", column).annotate(cost=Sum("cost_nano"))
    spent: dict[datetime, dict[int, int]] = {}
    for at, key, cost in found:
        spent.setdefault(at, {})[key] = cost
    return _curve(spent, is_by_day=trunc is TruncDay)


def _curve(spent: dict[datetime, dict[int, int]], *, is_by_day: bool) -> Curve:
    totals: dict[int, int] = {}
    for costs in spent.values():
        for pk, cost in costs.items():
            totals[pk] = totals.get(pk, 0) + cost
    shown = sorted((pk for pk, total in totals.items() if total), key=lambda pk: -totals[pk])[:LINES_SHOWN]
    shown = shown if len(totals) > 1 else []
    so_far = dict.fromkeys(totals, 0)
    points = []
    for at in sorted(spent):
        for pk, cost in spent[at].items():
            so_far[pk] += cost
        points.append(Point(at, _wall_clock(at), sum(so_far.values()), tuple(so_far[pk] for pk in shown)))
    return Curve(tuple(shown), tuple(points), is_by_day)


def _wall_clock(at: datetime) -> float:
    """Seconds from 1970 to what a clock on the wall here shows: figures say times as pages do."""
    return timezone.localtime(at).replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Calls of one run or of all, newest first; `older` and `newer` are ids that the next pages begin at, or None."""

    calls: list[LlmCall]
    older: int | None
    newer: int | None
    run: int | None = None

    @property
    def is_moving(self) -> bool:
        """Whether this is the newest page and a call on it is on its way: it looks different in a moment."""
        return self.newer is None and any(call.state == CallState.RESERVED for call in self.calls)

    @property
    def older_query(self) -> str | None:
        """The address of the next page, None at the end."""
        return None if self.older is None else self._query(before=self.older)

    @property
    def newer_query(self) -> str | None:
        """The address of the page before, None at the beginning."""
        return None if self.newer is None else self._query(after=self.newer)

    def _query(self, **place: int) -> str:
        wanted = place if self.run is None else {"run": self.run} | place
        return f"?{urlencode(wanted)}#ledger"


def ledger_rows(project: Project, run: int | None) -> QuerySet[LlmCall]:
    """The project's calls without prompts and answers, of one run or of all."""
    rows = LlmCall.objects.filter(project=project).select_related("connection")
    rows = rows.filter(run=run) if run is not None else rows
    return rows.defer("messages", "content", "class_probs")


def ledger_page(
    project: Project, *, run: int | None = None, before: int | None = None, after: int | None = None
) -> LedgerPage:
    """The page below the call `before`, or above the call `after`; the newest without either."""
    rows = ledger_rows(project, run)
    if after is not None:
        calls = list(rows.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        has_newer, calls = len(calls) > PAGE, calls[:PAGE][::-1]
        return LedgerPage(calls, calls[-1].pk if calls else None, calls[0].pk if has_newer else None, run)
    calls = list((rows.filter(pk__lt=before) if before is not None else rows).order_by("-pk")[: PAGE + 1])
    has_older, calls = len(calls) > PAGE, calls[:PAGE]
    newer = calls[0].pk if calls and before is not None else None
    return LedgerPage(calls, calls[-1].pk if has_older else None, newer, run)


def ledger_block(project: Project, *, run: int | None, after: int, size: int) -> list[LlmCall]:
    """The next calls in the order of the ledger, for a file."""
    return list(ledger_rows(project, run).filter(pk__gt=after).order_by("pk")[:size])
