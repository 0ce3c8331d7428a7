"""What a mark of a page stands for: each thing that a person sends carries one, so that it is done once."""

from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import BooleanField, Case, CharField, QuerySet, Value, When

from labeling.labels.models import Verdict
from labeling.review.models import Comment, Flag, Skip

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
    decided = Case(When(is_undo=True, then=Value("undo")), default=Value("decide"), output_field=CharField())
    answers = Verdict.objects.filter(client_id=mark).order_by().annotate(kind=decided, stale=_as_stored())
    others = (
        _rows(Skip.objects.filter(client_id=mark), "skip"),
        _rows(Skip.objects.filter(undo_id=mark), "undo"),
        _rows(Flag.objects.filter(client_id=mark), "flag"),
        _rows(Flag.objects.filter(undo_id=mark), "undo"),
        _rows(Comment.objects.filter(client_id=mark), "comment"),
    )
    found = list(answers.values_list(*NAMES).union(*others, all=True))
    return Mark(*found[0]) if found else None


def _rows(made: "QuerySet[Any]", kind: str) -> Any:
    stale = Value(value=False, output_field=BooleanField())
    kinds = Value(kind, output_field=CharField())
    return made.order_by().annotate(kind=kinds, stale=stale).values_list(*NAMES)


def _as_stored() -> Case:
    return Case(When(is_stale=True, then=Value(value=True)), default=Value(value=False), output_field=BooleanField())
