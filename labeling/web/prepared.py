"""Queries that are composed once: what is asked at every key press costs more to put into words than to answer.

The ORM turns a query into SQL anew each time it runs, which takes a millisecond of processor time where the database
needs a tenth of one. A `Prepared` query does it once for each shape of its arguments and then fills in the values.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import QuerySet
from django.db.models.sql import DeleteQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

from labeling.web.statements import adapt, fix_constants, open_cursor

Argument = int | str | datetime | UUID
FIRST_MARK = -2_000_000_000
# The day before the first that every zone of the world can write down: no row has it.
FIRST_DAY = datetime(1000, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Composed:
    """A query in words; `places` are its parameters, `marks` those of them that stand for an argument."""

    rows: "QuerySet[Any, Any]"
    compiler: SQLCompiler
    sql: str
    places: tuple[Any, ...]
    marks: tuple[Any, ...]


class Prepared:
    """A query of the ORM by its arguments: whole numbers, words, moments, UUIDs, and lists of these.

    `make` gets arguments of the same kinds and returns the query; it must neither branch on them nor read anything
    else, and a value must reach the database as it is. A lock (`select_for_update`) needs an open transaction, of
    which only the first call makes sure. Raises ValueError or TypeError for what cannot be prepared.
    """

    def __init__(self, make: Callable[..., "QuerySet[Any, Any]"]) -> None:
        self._make = make
        self._composed: dict[tuple[Any, ...], _Composed] = {}

    def __call__(self, *arguments: Argument | Sequence[Argument]) -> list[Any]:
        """The rows of the query with these values, as `list(make(...))` gives them."""
        shape = _shape_of(arguments)
        if shape not in self._composed:
            self._composed[shape] = self._compose(arguments)
        composed = self._composed[shape]
        with open_cursor() as cursor:
            cursor.execute(composed.sql, _filled(composed.places, composed.marks, arguments))
            rows = cursor.fetchall()
        if not rows:
            return []
        found = composed.rows.all()
        found.query.get_compiler = partial(_compiler, composed, rows)  # type: ignore[method-assign]  # this query's own
        return list(found)

    def _compose(self, arguments: Sequence[Any]) -> _Composed:
        marks: list[Any] = []
        rows = self._make(*(_mark(one, marks) for one in arguments))
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, places, found = _placed(compiler.as_sql(), marks)
        if compiler.col_count is not None:
            # They come from the fields and the kind of database, and finding them takes as long as the rows do.
            converters = compiler.get_converters([column for column, *_names in compiler.select[: compiler.col_count]])
            compiler.get_converters = lambda _columns: converters
        return _Composed(rows, compiler, sql, places, found)


class PreparedChange:
    """An UPDATE or DELETE of the ORM by its arguments, those of a `Prepared` query and None.

    `make` returns the rows and their new values by field; None instead of values takes the rows away, without the
    signals and the rows behind them that the ORM's own delete looks for.
    """

    def __init__(self, make: Callable[..., "tuple[QuerySet[Any, Any], Mapping[str, Any] | None]"]) -> None:
        self._make = make
        self._composed: dict[tuple[Any, ...], tuple[str, tuple[Any, ...], tuple[Any, ...]]] = {}

    def __call__(self, *arguments: Argument | Sequence[Argument] | None) -> int:
        """Change the rows; returns how many."""
        shape = _shape_of(arguments)
        if shape not in self._composed:
            self._composed[shape] = self._compose(arguments)
        sql, places, marks = self._composed[shape]
        with open_cursor() as cursor:
            cursor.execute(sql, _filled(places, marks, arguments))
            return int(cursor.rowcount)

    def _compose(self, arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...], tuple[Any, ...]]:
        marks: list[Any] = []
        rows, values = self._make(*(_mark(one, marks) for one in arguments))
        query: Any = rows.query.chain(DeleteQuery if values is None else UpdateQuery)
        if values is not None:
            query.add_update_values(values)
        return _placed(query.get_compiler(DEFAULT_DB_ALIAS).as_sql(), marks)


def insert_prepared(row: models.Model) -> None:
    """Store a new row of a model without parents, as its `save` does, but for signals; its key is set."""
    statement, fields = _insertion(type(row), connections[DEFAULT_DB_ALIAS].vendor)
    connection = connections[DEFAULT_DB_ALIAS]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with open_cursor() as cursor:
        cursor.execute(statement, values)
        (row.pk,) = cursor.fetchone()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _insertion(model: type[models.Model], vendor: str) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG001 (its own words)
    """The statement that stores one row, and the fields in its order."""
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    fields = tuple(field for field in model._meta.concrete_fields if not field.primary_key)
    names = ", ".join(quote(str(field.column)) for field in fields)
    places, key = ", ".join(["%s"] * len(fields)), quote(str(model._meta.pk.column))
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING {key}", fields  # noqa: S608 (names of our own tables)


def _placed(composed: tuple[str, Any], marks: Sequence[Any]) -> tuple[str, tuple[Any, ...], tuple[Any, ...]]:
    """(words, parameters, marks among them) of a statement in which marks stand for its arguments."""
    sql, params = composed
    found = tuple(_in_params(one) for one in marks)
    if missing := [one for one in found if one not in params]:
        message = f"{len(missing)} arguments do not stand in the query as they are: {sql}"
        raise ValueError(message)
    return *fix_constants(sql, params, lambda one: _can_be_mark(one) and one in found), found


def _filled(places: Sequence[Any], marks: Sequence[Any], arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The parameters with the arguments in the places of their marks."""
    values = dict(zip(marks, (adapt(one) for one in _flat(arguments)), strict=True))
    return tuple(values.get(place, place) if _can_be_mark(place) else place for place in places)


def _shape_of(arguments: Sequence[Any]) -> tuple[Any, ...]:
    return (connections[DEFAULT_DB_ALIAS].vendor, *(_shape(one) for one in arguments))


def _compiler(composed: _Composed, rows: list[Any], using: str, *_args: Any, **_more: Any) -> SQLCompiler:
    """The compiler as it was after composing, on this thread's connection, with the rows instead of the way to them."""
    compiler = copy(composed.compiler)
    compiler.using, compiler.connection = using, connections[using]
    width = compiler.col_count
    if width and len(rows[0]) > width:
        rows = [row[:width] for row in rows]  # behind them stands what only the order needs
    compiler.execute_sql = lambda *_args, **_more: [rows]  # type: ignore[method-assign,assignment]  # this copy's own
    return compiler


def _in_params(mark: Argument) -> Any:
    """A mark as the ORM leaves it among the parameters."""
    return adapt(mark) if isinstance(mark, datetime | UUID) else mark


def _flat(arguments: Sequence[Any]) -> Iterator[Argument]:
    for one in arguments:
        yield from one if isinstance(one, list | tuple) else () if one is None else (one,)


def _shape(argument: Any) -> Any:
    return tuple(type(one) for one in argument) if isinstance(argument, list | tuple) else type(argument)


def _mark(argument: Any, marks: list[Any]) -> Any:
    """A value of the argument's kind that no row and no other argument has; noted in `marks`."""
    if isinstance(argument, list | tuple):
        return [_mark(one, marks) for one in argument]
    if argument is None:
        return None
    number = len(marks)
    made: Argument
    match argument:
        case bool():
            message = "a yes or no changes the words of a query: make two"
            raise TypeError(message)
        case int():
            made = FIRST_MARK - number
        case str():
            made = f"argument {number} of a prepared query"
        case datetime():
            made = FIRST_DAY + timedelta(seconds=number)
        case UUID():
            made = UUID(int=number)
        case _:
            message = f"{type(argument).__name__} cannot be an argument of a prepared query"
            raise TypeError(message)
    marks.append(made)
    return made


def _can_be_mark(place: Any) -> bool:
    """Lists and the like cannot be looked up, and True is not the number 1."""
    return isinstance(place, int | str | datetime | UUID) and not isinstance(place, bool)
