"""Statements that are put into words once, and on PostgreSQL planned once a connection.

To plan a statement of twenty tables takes PostgreSQL ten times as long as to run it on three rows. It keeps the plan of
a statement that is sent by name, with its values apart; what is the same each time stands in the words, so that the
plan can count on it.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models
from psycopg import sql as words
from psycopg.types.numeric import Int8

PLACES = re.compile("(%s|%%)")


def fix_constants(sql: str, params: Sequence[Any], is_value: Callable[[Any], bool]) -> tuple[str, tuple[Any, ...]]:
    """(statement, parameters left) of a statement of the ORM: what is no value becomes part of the words.

    Only on PostgreSQL, which would not know the type of such a constant; elsewhere all stays as it is.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        return sql, tuple(params)
    connection.ensure_connection()
    given, left, parts = iter(params), [], []
    for part in PLACES.split(sql):
        if part == "%s" and not is_value(one := next(given)):
            parts.append(words.Literal(one).as_string(connection.connection).replace("%", "%%"))
        else:
            parts.append(part)
            left += [one] if part == "%s" else []
    return "".join(parts), tuple(left)


def adapt(value: int | str | datetime | UUID) -> Any:
    """A value as the database of this thread takes it."""
    connection = connections[DEFAULT_DB_ALIAS]
    match value:
        case datetime():
            return connection.ops.adapt_datetimefield_value(value)
        case UUID():
            return models.UUIDField().get_db_prep_value(value, connection)
        case int() if connection.vendor == "postgresql":
            return Int8(value)  # one plan for small numbers and for large ones
    return value


def open_cursor() -> Any:
    """A cursor on this thread's connection whose statements are planned once; a context manager, as Django's.

    With DATABASE_PREPARES off it is Django's own: for a pooler between site and PostgreSQL that knows no names. So it
    is while statements are written down, which psycopg does not do for those that it sends by name.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql" or not settings.DATABASE_PREPARES or connection.queries_logged:
        return connection.cursor()
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection._prepare_cursor(_PlannedCursor(connection.connection))  # type: ignore[attr-defined]  # its only door


class _PlannedCursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **more: Any) -> "_PlannedCursor":
        return super().execute(query, params, **(more | {"prepare": True}))
