"""Millions of rows of the site's tables at once: COPY on PostgreSQL, one prepared statement on SQLite."""

import time
from collections.abc import Iterable, Sequence
from typing import Any


def fill(model: Any, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that give the columns `names`; every other one that the database does not write gets its default."""
    from django.db import connection, transaction

    given = set(names)
    fields = {field.attname: field for field in model._meta.local_concrete_fields}
    computed = {name for name, field in fields.items() if field.primary_key or field.generated}
    rest = [name for name in fields if name not in given and name not in computed]
    defaults = tuple(fields[name].get_db_prep_save(_default(fields[name]), connection) for name in rest)
    columns = [fields[name].column for name in (*names, *rest)]
    with transaction.atomic():
        _insert(connection, model._meta.db_table, columns, ((*row, *defaults) for row in rows))


def _default(field: Any) -> Any:
    from django.utils import timezone

    return timezone.now() if getattr(field, "auto_now_add", False) else field.get_default()


def _insert(connection: Any, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    quote = connection.ops.quote_name
    into = f"{quote(name)} ({', '.join(quote(column) for column in columns)})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(columns))
            # The driver itself: Django would keep every row for its log of queries.
            cursor.connection.cursor().executemany(f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608 (own names)


def settle() -> float:
    """Let the database see what it holds (statistics, visibility), as a while of its own work would; seconds."""
    from django.db import connection

    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return time.monotonic() - started
