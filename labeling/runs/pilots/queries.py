"""Reads about pilots."""

from collections.abc import Iterable

from django.db.models import Prefetch, QuerySet

from labeling.llm.models import Connection
from labeling.projects.models import Project
from labeling.runs.models import LlmPilot, PilotAnswer, PilotRow

KEPT = 20
ROWS_SHOWN = 50  # chosen: a screen or two


def pilots_of(project: Project) -> QuerySet[LlmPilot]:
    """The project's pilots, newest first."""
    found = LlmPilot.objects.filter(project=project).select_related("dataset", "run", "created_by")
    return found.prefetch_related("connections")


def pilot_in(project: Project, pilot_id: int) -> LlmPilot | None:
    """The project's pilot of that id."""
    return pilots_of(project).filter(pk=pilot_id).first()


def measured_pilots(project: Project) -> list[LlmPilot]:
    """The newest pilots that found something, newest first."""
    return list(pilots_of(project).filter(figures__isnull=False)[:KEPT])


def rows_of(pilot: LlmPilot) -> list[PilotRow]:
    """The first of its rows in the order in which they were drawn, with texts, classes and answers."""
    answers = PilotAnswer.objects.select_related("label_class", "connection").order_by("connection_id")
    rows = PilotRow.objects.filter(pilot=pilot).select_related("sample", "pool_class", "known_class")
    return list(rows.prefetch_related(Prefetch("answers", answers)).order_by("id")[:ROWS_SHOWN])


def unanswered(pilot: LlmPilot, connection: Connection) -> QuerySet[PilotRow]:
    """Rows that the connection has not answered, in the order in which they were drawn."""
    answered = PilotAnswer.objects.filter(row__pilot=pilot, connection=connection)
    rows = PilotRow.objects.filter(pilot=pilot).exclude(pk__in=answered.values("row"))
    return rows.select_related("sample").order_by("id")


def keys_of(answers: Iterable[PilotAnswer]) -> list[str]:
    """The keys of all calls behind these answers, once each."""
    return list(dict.fromkeys(key for one in answers for key in one.keys))
