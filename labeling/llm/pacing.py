"""The pace at which a connection is asked: it begins as whoever asked last left the endpoint."""

from collections.abc import Sequence
from typing import TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _

from annotator_core.errors import TryLater
from annotator_core.verifiers.pace import Breaks, Memory, Pace
from labeling.llm.actions.connections import remember_breaks
from labeling.llm.models import Connection

Item = TypeVar("Item")


def open_pace(connection: Connection) -> Pace:
    """The connection's pace; what it learns of the endpoint is kept for all that ask it.

    Raises TryLater until the pause is over for which the endpoint is left alone.
    """
    connection.refresh_from_db(fields=["breaks", "silent_breaks", "quiet_until"])
    if connection.is_quiet and connection.quiet_until:
        silent = _("%(name)s did not answer other work; it is left alone until the pause after that is over.")
        asked = _("%(name)s has asked other work for a pause.")
        left_s = (connection.quiet_until - timezone.now()).total_seconds()
        raise TryLater((silent if connection.silent_breaks else asked) % {"name": connection}, after_s=max(0.0, left_s))

    def keep(before: Breaks, after: Breaks) -> None:
        remember_breaks(connection=connection, before=before, after=after)

    memory = Memory(Breaks(connection.breaks, connection.silent_breaks), keep)
    return Pace(connection.concurrency, connection.requests_per_minute, memory=memory)


def in_turn(items: Sequence[Item], pace: Pace) -> list[Item]:
    """The items in their order, begun at another one after each break.

    One call tries an endpoint after a break, and a server that fails at one text alone is none that does not answer.
    """
    at = pace.breaks.count % len(items) if items else 0
    return [*items[at:], *items[:at]]
