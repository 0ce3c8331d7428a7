"""Reads about connections, budgets and calls. Money in nano-dollars (1e-9 USD)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.db.models import Count, QuerySet, Subquery, Sum

from labeling.llm.models import Budget, CallState, Connection, LlmCall, Price, Purpose, Spending
from labeling.projects.models import Project

TESTS = -1
"""The `run` of the budget that tests of connections are booked on: each test opens room for itself alone."""
KEYS_AT_ONCE = 500  # chosen: far below SQLite's limit on parameters
RECENT = 20  # chosen: a screen
MINUTE_S = 60


def connections_of(project: Project) -> QuerySet[Connection]:
    """The project's connections that are in use, with their prices, by name."""
    return Connection.objects.filter(project=project, is_retired=False).order_by("name").prefetch_related("prices")


def retired_connections_of(project: Project) -> QuerySet[Connection]:
    """The project's retired connections, by name."""
    return Connection.objects.filter(project=project, is_retired=True).order_by("name")


def connection_in(project: Project, connection_id: int) -> Connection | None:
    """The project's connection of that id, retired or not."""
    return Connection.objects.filter(project=project, pk=connection_id).first()


def price_on(connection: Connection, day: date) -> Price | None:
    """The newest price that had begun on that day."""
    return Price.objects.filter(connection=connection, valid_from__lte=day).order_by("-valid_from").first()


def budget_number(run: int, purpose: str) -> int:
    """The `run` of the budget that pays for such a call."""
    return TESTS if purpose == Purpose.TEST else run


def budget_of(project_id: int, run: int) -> Budget:
    """The budget of a run (0: outside any run); one without room, not stored, where none was set."""
    return Budget.objects.filter(project=project_id, run=run).first() or Budget(project_id=project_id, run=run)


def budgets_of(project: Project) -> dict[int, Budget]:
    """All budgets of the project by their run."""
    return {budget.run: budget for budget in Budget.objects.filter(project=project)}


def spent_by_run(project: Project) -> dict[int, int]:
    """What each run of the project spent so far, without what is set aside; 0 is what was asked outside runs."""
    return dict(Budget.objects.filter(project=project, run__gte=0).values_list("run", "spent_nano"))


def stored_calls(project_id: int, keys: Sequence[str]) -> dict[str, LlmCall]:
    """The stored answers among these keys, by key."""
    found: dict[str, LlmCall] = {}
    for low in range(0, len(keys), KEYS_AT_ONCE):
        part = list(keys[low : low + KEYS_AT_ONCE])
        rows = LlmCall.objects.filter(project=project_id, key__in=part, state=CallState.STORED)
        found |= {call.key: call for call in rows.defer("messages")}
    return found


def call_ids(project_id: int, keys: Sequence[str]) -> dict[str, int]:
    """The ids of the stored answers among these keys, by key: what `VerifierAnswer.call` points to."""
    return {key: call.pk for key, call in stored_calls(project_id, keys).items()}


def calls_of_sample(sample_id: int) -> QuerySet[LlmCall]:
    """All calls about a sample, the newest first, with their connections."""
    return LlmCall.objects.filter(sample=sample_id).select_related("connection").order_by("-id")


def recent_calls(connection: Connection) -> list[LlmCall]:
    """The connection's newest calls, without prompts and answers."""
    rows = LlmCall.objects.filter(connection=connection).order_by("-created_at", "-id")
    return list(rows.defer("messages", "content", "class_probs")[:RECENT])


@dataclass(frozen=True, slots=True)
class Totals:
    """What settled calls took: requests by what became of them, tokens and time of the answered ones, money of all.

    `above` are requests that cost more than was set aside for them, by `above_nano` in all.
    """

    stored: int = 0
    lost: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    latency_ms: int = 0
    cost_nano: int = 0
    above: int = 0
    above_nano: int = 0

    @property
    def calls(self) -> int:
        """All requests that are over."""
        return self.stored + self.lost + self.failed

    @property
    def unanswered(self) -> int:
        """Requests without an answer that is kept."""
        return self.lost + self.failed

    @property
    def mean_in(self) -> float:
        """Tokens into a mean answered call; 0 where none was answered."""
        return self.tokens_in / self.stored if self.stored else 0.0

    @property
    def mean_cached(self) -> float:
        """Tokens of these that came from the provider's cache."""
        return self.tokens_cached / self.stored if self.stored else 0.0

    @property
    def mean_out(self) -> float:
        """Tokens out of a mean answered call."""
        return self.tokens_out / self.stored if self.stored else 0.0

    @property
    def mean_ms(self) -> float | None:
        """Milliseconds that a mean answered call took."""
        return self.latency_ms / self.stored if self.stored else None

    @property
    def mean_nano(self) -> int | None:
        """What an answer cost in the mean, in nano-dollars, lost and failed calls included."""
        return round(self.cost_nano / self.stored) if self.stored else None


SUMS = {one.name: Sum(one.name) for one in fields(Totals)}
CALL_SUMS = {name: Sum(name) for name in ("tokens_in", "tokens_cached", "tokens_out", "latency_ms", "cost_nano")}
"""Of calls, which are one row each: `stored` is their number."""


def _totals(found: dict[str, int | None]) -> Totals:
    return Totals(**{one.name: found[one.name] or 0 for one in fields(Totals)})


def totals_of(project: Project, *, run: int | None = None, purpose: str | None = None) -> Totals:
    """All that was settled in the project; of one run, of one purpose. A run is a pilot, too."""
    rows = Spending.objects.filter(project=project)
    rows = rows.filter(run=run) if run is not None else rows
    rows = rows.filter(purpose=purpose) if purpose is not None else rows
    return _totals(rows.aggregate(**SUMS))


def totals_of_connection(connection: Connection, *, run: int | None = None) -> Totals:
    """The connection's verification calls, of one run (such as a pilot) or of all: what a forecast rests on."""
    rows = Spending.objects.filter(connection=connection, purpose=Purpose.VERIFY)
    return _totals((rows.filter(run=run, project=connection.project_id) if run is not None else rows).aggregate(**SUMS))


def runs_asked(connection: Connection) -> QuerySet[Spending, int]:
    """The ids of the runs in which the connection has answered."""
    rows = Spending.objects.filter(connection=connection, purpose=Purpose.VERIFY, stored__gt=0)
    return rows.order_by().values_list("run", flat=True)


def totals_by(project: Project, column: str) -> dict[Any, Totals]:
    """The project's totals by `run`, `connection` (its id) or `purpose`."""
    rows = Spending.objects.filter(project=project).order_by().values(column).annotate(**SUMS)
    return {row[column]: _totals(row) for row in rows}


def calls_of_run(project: Project, run: int) -> Totals:
    """What verification of one run asked that is over."""
    return totals_of(project, run=run, purpose=Purpose.VERIFY)


def seconds_asked(project: Project, run: int) -> float | None:
    """Seconds in which a run asked: from its first call to its last answer, but of pauses only what shares a minute.

    None before anything was answered. One query, by indexes.
    """
    calls = LlmCall.objects.filter(project=project, run=run)
    spent = Spending.objects.filter(project=project, run=run, purpose=Purpose.VERIFY).order_by().values("run")
    found = Project.objects.filter(pk=project.pk).values_list(
        Subquery(calls.order_by("id").values("created_at")[:1]),
        Subquery(calls.exclude(settled_at=None).order_by("-id").values("settled_at")[:1]),
        Subquery(spent.annotate(minutes=Count("minute", distinct=True)).values("minutes")),
    )
    first, last, minutes = found.get()
    if first is None or last is None or not minutes:
        return None
    seconds: float = min((last - first).total_seconds(), minutes * MINUTE_S)
    return seconds if seconds > 0 else None


def totals_of_calls(call_ids: QuerySet[Any, Any]) -> Totals:
    """What these answered calls took, added up; `call_ids` are read by the same query."""
    found = LlmCall.objects.filter(pk__in=call_ids, state=CallState.STORED).aggregate(stored=Count("id"), **CALL_SUMS)
    return Totals(**{name: value or 0 for name, value in found.items()})
