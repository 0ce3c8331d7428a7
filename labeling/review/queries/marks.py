"""What a mark of a page stands for: each thing that a person sends carries one, so that it is done once."""

from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Case, CharField, QuerySet, Value, When

from labeling.labels.models import Verdict
from labeling.review.models import Comment, Flag, Skip
from labeling.web.statements import adapt, fix_constants, open_cursor

NOTHING = UUID(int=0)
NAMES = ("kind", "user_id", "item_id", "item__project_id", "stale")


class Mark(NamedTuple):
    """The thing that carries a mark; `kind` is one of actions.sending.Kind."""

    kind: str
    user_id: int
    item_id: int
    project_id: int
    is_stale: bool


def find_mark(mark: UUID) -> Mark | None:
    """What was stored with this mark, of whomever, in one statement."""
    statement, places = _statement(connection.vendor)
    nothing, found = adapt(NOTHING), adapt(mark)
    with open_cursor() as cursor:
        cursor.execute(statement, [found if place == nothing else place for place in places])
        row = cursor.fetchone()
    return Mark(row[0], row[1], row[2], row[3], bool(row[4])) if row else None


@lru_cache
def _statement(vendor: str) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG001 (each database has its own words)
    """The statement with NOTHING in the mark's places. To compose it takes longer than to run it."""
    decided = Case(When(is_undo=True, then=Value("undo")), default=Value("decide"), output_field=CharField())
    answers = Verdict.objects.filter(client_id=NOTHING).order_by().annotate(kind=decided, stale=_as_stored())
    others = (
        _rows(Skip.objects.filter(client_id=NOTHING), "skip"),
        _rows(Skip.objects.filter(undo_id=NOTHING), "undo"),
        _rows(Flag.objects.filter(client_id=NOTHING), "flag"),
        _rows(Flag.objects.filter(undo_id=NOTHING), "undo"),
        _rows(Comment.objects.filter(client_id=NOTHING), "comment"),
    )
    sql, params = answers.values_list(*NAMES).union(*others, all=True).query.sql_with_params()
    return fix_constants(sql, params, lambda place: place == adapt(NOTHING))


def _rows(made: "QuerySet[Any]", kind: str) -> Any:
    stale = Value(value=False, output_field=BooleanField())
    kinds = Value(kind, output_field=CharField())
    return made.order_by().annotate(kind=kinds, stale=stale).values_list(*NAMES)


def _as_stored() -> Case:
    return Case(When(is_stale=True, then=Value(value=True)), default=Value(value=False), output_field=BooleanField())
