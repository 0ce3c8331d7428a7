"""One statement that finds and leases items: what two people ask for in the same moment goes to one of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from labeling.labels.models import Lease, ReviewItem
from labeling.review.actions.candidates import Arm, Asker

ITEM, LEASE = ReviewItem._meta.db_table, Lease._meta.db_table
TRIES = 5  # chosen: each loses only to somebody who got an item in that very moment


class Leased(NamedTuple):
    """Item ids in the order of the arms, and whether other people took some in the same moment."""

    ids: list[int]
    has_lost: bool


def lease_from(asker: Asker, arms: Sequence[Arm], most: int | None, until: datetime) -> list[int]:
    """Lease the first `most` items of the arms (all for None) to the person; returns their ids in that order.

    An item of which somebody else got the last place in the same moment is left out, and others are tried.
    """
    ids: list[int] = []
    for _try in range(TRIES):
        leased = _lease_once(asker, arms, most, until)
        ids = leased.ids
        if not leased.has_lost:
            break
    return ids


def _lease_once(asker: Asker, arms: Sequence[Arm], most: int | None, until: datetime) -> Leased:
    with connection.cursor() as cursor:
        picked, params = _picked(arms, most)
        adapt = connection.ops.adapt_datetimefield_value
        values = [asker.user_id, adapt(until), adapt(asker.now)]
        if connection.vendor == "sqlite":
            # One writer at a time: nobody else has taken anything. Rows come back in the order in which they went in.
            cursor.execute(f"{_insert(f'({picked})')} RETURNING item_id", [*values[:2], *params, values[2]])
            return Leased([pk for (pk,) in cursor.fetchall()], has_lost=False)
        cursor.execute(
            f"WITH picked AS MATERIALIZED ({picked}), given AS ({_insert('picked')} RETURNING item_id) "  # noqa: S608 (names of our own tables)
            "SELECT picked.id, given.item_id IS NOT NULL FROM picked LEFT JOIN given ON given.item_id = picked.id "
            "ORDER BY picked.place",
            [*params, *values],
        )
        rows = cursor.fetchall()
    return Leased([pk for pk, is_given in rows if is_given], has_lost=not all(is_given for _pk, is_given in rows))


def _picked(arms: Sequence[Arm], most: int | None) -> tuple[str, list[Any]]:
    """The first items of the arms, in the order of the arms: an arm is read when those before it were not enough."""
    parts: list[str] = []
    params: list[Any] = []
    for arm in arms:
        sql, given = (arm.items if most is None else arm.items[:most]).query.sql_with_params()
        parts.append(f"SELECT * FROM ({sql}{_lock(arm)}) AS arm{len(parts)}")  # noqa: S608 (compiled by the ORM)
        params += given
    columns = "id, slot, row_number() OVER () AS place"
    rows = " UNION ALL ".join(parts)
    limit = "" if most is None else f" LIMIT {most:d}"
    return f"SELECT {columns} FROM ({rows}) AS arms{limit}", params  # noqa: S608 (compiled by the ORM)


def _lock(arm: Arm) -> str:
    """An item that somebody changes just now is passed over. SQLite has one writer anyway."""
    if arm.is_held or not connection.features.has_select_for_update_skip_locked:
        return ""
    return f' FOR UPDATE OF "{ITEM}" SKIP LOCKED'


def _insert(picked: str) -> str:
    """A lease on each picked item; one that ended is taken over, another person's that lives stays."""
    return (
        f"INSERT INTO {LEASE} (item_id, slot, user_id, expires_at) "  # noqa: S608 (names of our own tables)
        f"SELECT id, slot, %s, %s FROM {picked} AS picked WHERE 1 = 1 ORDER BY place "
        "ON CONFLICT (item_id, slot) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at "
        f"WHERE {LEASE}.user_id = excluded.user_id OR {LEASE}.expires_at <= %s"
    )
