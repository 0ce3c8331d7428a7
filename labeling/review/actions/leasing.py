"""One statement that finds and leases items: what two people ask for in the same moment goes to one of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from labeling.labels.models import Lease, ReviewItem
from labeling.review.actions.candidates import Arm, Asker, held_arm, next_arms
from labeling.web.statements import adapt, fix_constants, open_cursor

ITEM, LEASE = ReviewItem._meta.db_table, Lease._meta.db_table
AT_ONCE = 8  # chosen: so many items may be locked by others in the moment of a claim, which passes them over
TRIES = 5  # chosen: each loses only to somebody who got an item in that very moment
# What stands in a statement for the asker, until one asks: values that no row has.
NOBODY = Asker(project_id=-1, user_id=-2, now=datetime(1000, 1, 1, tzinfo=UTC), order="", point="nowhere")
NO_ITEM = -1000
UNTIL = "until"


class Leased(NamedTuple):
    """Item ids in the order of the arms, and whether other people took some in the same moment."""

    ids: list[int]
    has_lost: bool


def lease_from(asker: Asker, held: Sequence[int], most: int | None, until: datetime) -> list[int]:
    """Renew the person's leases on the items `held` and lease the next ones, `most` in all (None: no more than those).

    Returns their ids, those held first. An item of which somebody else got the last place in the same moment is left
    out, and others are tried.
    """
    ids: list[int] = []
    for _try in range(TRIES):
        leased = _lease_once(asker, held, most, until)
        ids = leased.ids
        if not leased.has_lost:
            break
    return ids


def _lease_once(asker: Asker, held: Sequence[int], most: int | None, until: datetime) -> Leased:
    statement, places = _statement(connection.vendor, asker.order, len(held), most)
    params = _filled(places, asker, held, until)
    with open_cursor() as cursor:
        cursor.execute(statement, params)
        rows = cursor.fetchall()
    if connection.vendor == "sqlite":
        # One writer at a time: nobody else has taken anything. Rows come back in the order in which they went in.
        return Leased([pk for (pk,) in rows], has_lost=False)
    return Leased([pk for pk, is_given in rows if is_given], has_lost=not all(is_given for _pk, is_given in rows))


@lru_cache(maxsize=512)
def _statement(vendor: str, order: str, held: int, most: int | None) -> tuple[str, tuple[Any, ...]]:
    """The statement with NOBODY's values in its places. To compose it takes longer than to run it."""
    nobody = Asker(NOBODY.project_id, NOBODY.user_id, NOBODY.now, order, NOBODY.point)
    ids = [NO_ITEM - number for number in range(held)]
    arms = ([held_arm(nobody, ids)] if held else []) + ([] if most is None else next_arms(nobody, ids))
    picked, params = _picked(arms, most)
    crowds, people = ("", []) if most is None else _crowds()
    given = [NOBODY.user_id, UNTIL]
    if vendor == "sqlite":
        start = f"WITH RECURSIVE {crowds} " if crowds else ""
        return (
            f"{start}{_insert(f'({picked})', 'place')} RETURNING item_id",
            (*people, *given, *params, NOBODY.now),
        )
    start = f"WITH RECURSIVE {crowds}," if crowds else "WITH"
    statement = (
        f"{start} picked AS MATERIALIZED ({picked}), given AS ({_insert('picked', 'id')} RETURNING item_id) "  # noqa: S608 (names of our own tables)
        "SELECT picked.id, given.item_id IS NOT NULL FROM picked LEFT JOIN given ON given.item_id = picked.id "
        "ORDER BY picked.place"
    )
    return fix_constants(statement, (*people, *params, *given, NOBODY.now), _is_mark)


def _filled(places: Sequence[Any], asker: Asker, held: Sequence[int], until: datetime) -> list[Any]:
    """The asker's values in NOBODY's places."""
    values: dict[Any, Any] = {NO_ITEM - number: adapt(pk) for number, pk in enumerate(held)}
    values |= {NOBODY.project_id: adapt(asker.project_id), NOBODY.user_id: adapt(asker.user_id)}
    values |= {NOBODY.point: asker.point, _amid(NOBODY.user_id): _amid(asker.user_id), UNTIL: adapt(until)}
    values |= dict.fromkeys((NOBODY.now, adapt(NOBODY.now)), adapt(asker.now))
    return [values.get(one, one) for one in places]


def _is_mark(place: Any) -> bool:
    """Whether one of the asker's values comes here."""
    if isinstance(place, int):
        return place in {NOBODY.project_id, NOBODY.user_id} or place <= NO_ITEM
    return place in (NOBODY.point, NOBODY.now, UNTIL, _amid(NOBODY.user_id))


def _crowds() -> tuple[str, list[Any]]:
    """The crowds of the project's queue that the asker is not in: one step of the index for each that there is."""
    queue = f"FROM {ITEM} AS one WHERE one.project_id = %s AND one.state = 'open' AND one.escalation = ''"
    each = (
        f"each_crowd (people) AS (SELECT (SELECT min(one.crowd) {queue}) UNION ALL "  # noqa: S608 (see above)
        f"SELECT (SELECT min(one.crowd) {queue} AND one.crowd > each_crowd.people) "
        "FROM each_crowd WHERE each_crowd.people IS NOT NULL)"
    )
    others = "crowd (people) AS (SELECT each_crowd.people FROM each_crowd WHERE each_crowd.people NOT LIKE %s)"
    return f"{each}, {others}", [NOBODY.project_id, NOBODY.project_id, _amid(NOBODY.user_id)]


def _amid(user_id: int) -> str:
    """A pattern of the crowds that this person is in."""
    return f"%,{user_id},%"


def _picked(arms: Sequence[Arm], most: int | None) -> tuple[str, list[Any]]:
    """The first items of the arms, in the order of the arms: an arm is read when those before it were not enough."""
    parts: list[str] = []
    params: list[Any] = []
    for arm in arms:
        sql, given = _first(arm, most)
        parts.append(f"SELECT * FROM ({sql}{_lock(arm)}) AS arm{len(parts)}")  # noqa: S608 (compiled by the ORM)
        params += given
    columns = "id, slot, row_number() OVER () AS place"
    rows = " UNION ALL ".join(parts)
    limit = "" if most is None else f" LIMIT {most:d}"
    return f"SELECT {columns} FROM ({rows}) AS arms{limit}", params  # noqa: S608 (compiled by the ORM)


def _first(arm: Arm, most: int | None) -> tuple[str, tuple[Any, ...]]:
    """The first items of one arm; of the queue the first of each crowd, and of those the first."""
    if not arm.order:
        return (arm.items if most is None else arm.items[:most]).query.sql_with_params()
    if connection.vendor == "sqlite":
        # It knows no LATERAL, but looks up by id what a subquery finds for a row before.
        here = ReviewItem.objects.filter(pk__in=arm.items.values("pk")[:most]).extra(tables=["crowd"])
        found = here.annotate(slot=arm.items.query.annotations["slot"]).order_by(*arm.order)
        in_order: QuerySet[ReviewItem, tuple[Any, ...]] = found.values_list("id", "slot")[:most]
        return in_order.query.sql_with_params()
    near = (most or 0) + AT_ONCE
    of_crowd, params = arm.items.values_list("id", "slot", *arm.order[:-1])[:near].query.sql_with_params()
    order, order_after = (", ".join(f"{name}.{column}" for column in arm.order) for name in ("pick", "near"))
    # The conditions stand twice: what somebody changed in this moment is looked at again, as it is, when it is locked.
    # The first of all crowds are cut off before: else PostgreSQL would read the whole table to look them up again.
    still = f"{ITEM}.id = near.id AND {ITEM}.state = 'open' AND {ITEM}.escalation = ''"
    sql = (
        f"SELECT {ITEM}.id, near.slot FROM (SELECT pick.*, crowd.people FROM crowd CROSS JOIN LATERAL ({of_crowd}) "  # noqa: S608 (compiled by the ORM)
        f"AS pick ORDER BY {order} LIMIT {near:d}) AS near JOIN {ITEM} ON {still} "
        f"AND {ITEM}.crowd = near.people ORDER BY {order_after} LIMIT {most:d}"
    )
    return sql, params


def _lock(arm: Arm) -> str:
    """An item that somebody changes just now is passed over. SQLite has one writer anyway."""
    if arm.is_held or not connection.features.has_select_for_update_skip_locked:
        return ""
    return f' FOR UPDATE OF "{ITEM}" SKIP LOCKED'


def _insert(picked: str, order: str) -> str:
    """A lease on each picked item; one that ended is taken over, another person's that lives stays.

    In the order of ids where several people write at once, so that nobody waits for each other.
    """
    return (
        f"INSERT INTO {LEASE} (item_id, slot, user_id, expires_at) "  # noqa: S608 (names of our own tables)
        f"SELECT id, slot, %s, %s FROM {picked} AS picked WHERE 1 = 1 ORDER BY {order} "
        "ON CONFLICT (item_id, slot) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at "
        f"WHERE {LEASE}.user_id = excluded.user_id OR {LEASE}.expires_at <= %s"
    )
