"""A connection's limit on calls at a time, shared by all work that asks it, whatever process that is in."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from labeling.llm.models import Connection, Seat

SEAT_S = 10.0
"""A seat ends so long, and the time that a call may take, after it was kept last; chosen: ten times as long as it is
kept for, so that a busy machine keeps it. A killed worker's calls may be under way at the server for that long."""


def take_seat(*, connection_id: int, owner: str, lower: Callable[[int], int], most: int | None = None) -> int:
    """Take or keep the owner's seat; returns how many calls it may have under way now, 0 while others have them all.

    All that ask share evenly, and one alone has everything, or the `most` that it ever has under way. `lower` is told
    the new number while the connection is locked, and returns how many calls are still under way: what is over is only
    given to others once it has ended.
    """
    with transaction.atomic():
        # FOR NO KEY UPDATE: rows of the ledger refer to the connection meanwhile.
        connection = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
        now = timezone.now()
        Seat.objects.filter(connection=connection, until__lt=now).exclude(owner=owner).delete()
        others = list(Seat.objects.filter(connection=connection).exclude(owner=owner).values_list("slots", flat=True))
        share = max(1, connection.concurrency // (len(others) + 1))
        may = max(0, min(share, connection.concurrency - sum(others), share if most is None else most))
        slots = max(may, lower(may))
        lasts_s = SEAT_S + (connection.timeout_s if slots else 0)
        seat = {"slots": slots, "until": now + timedelta(seconds=lasts_s)}
        Seat.objects.update_or_create(connection=connection, owner=owner, defaults=seat)
    return may


def leave_seat(*, connection_id: int, owner: str) -> None:
    """Leave the owner's calls to others."""
    Seat.objects.filter(connection=connection_id, owner=owner).delete()
