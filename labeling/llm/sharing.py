"""What holds a connection's limits over all work that asks it: a share of its calls, kept while it is used."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic

from django.utils.translation import gettext as _

from annotator_core.errors import TryLater
from annotator_core.verifiers.contract import Asker, Call, Completion, Plan, Schema
from annotator_core.verifiers.pace import Pace
from labeling.llm.actions.seats import leave_seat, take_seat
from labeling.llm.models import Connection

KEEP_EVERY_S = 1.0
AGAIN_S = 2.0
"""Seconds until work that found no room asks for some again; chosen."""


class Share:
    """How many calls of a connection may be under way here. One thread keeps it, many threads call."""

    def __init__(self, connection: Connection, owner: str, pace: Pace, most: int | None = None) -> None:
        """Start without any call; with `most`, there are never more under way here."""
        self._connection, self._owner, self._pace, self._most = connection, owner, pace, most
        self._free = Condition()
        self._may = self._under_way = 0
        self._kept_at = 0.0

    def keep(self) -> int:
        """Take or keep the seat; returns how many calls may be under way now."""
        self._kept_at = monotonic()
        may = take_seat(connection_id=self._connection.pk, owner=self._owner, lower=self._lower, most=self._most)
        with self._free:
            self._may = may
            self._free.notify_all()
        self._pace.take_share(may / max(1, self._connection.concurrency))
        return may

    def keep_if_due(self) -> None:
        """Keep the seat where it was not for a second."""
        if monotonic() - self._kept_at >= KEEP_EVERY_S:
            self.keep()

    def leave(self) -> None:
        """Leave the seat to others."""
        leave_seat(connection_id=self._connection.pk, owner=self._owner)

    def _lower(self, may: int) -> int:
        """Let nothing more begin than `may`; returns what is under way."""
        with self._free:
            self._may = min(self._may, may)
            return self._under_way

    @contextmanager
    def one_call(self) -> Iterator[None]:
        """Wait for room and hold it. What has begun always gets some: it is paid for already."""
        with self._free:
            self._free.wait_for(lambda: self._under_way < max(1, self._may))
            self._under_way += 1
        try:
            yield
        finally:
            with self._free:
                self._under_way -= 1
                self._free.notify_all()


class SharedAsker:
    """An asker that has at most its share's calls under way (engine: verifiers.contract.Asker)."""

    def __init__(self, asker: Asker, share: Share, before: Callable[[], None] = lambda: None) -> None:
        self._asker, self._share, self._before = asker, share, before

    @property
    def identity(self) -> str:
        """Endpoint and model, without any key."""
        return self._asker.identity

    @property
    def schema(self) -> Schema:
        """How the model can be asked for an answer's form."""
        return self._asker.schema

    def complete(self, call: Call, plan: Plan) -> Completion:
        """Return the model's answer once there is room for the call. Raises CallFailed."""
        self._before()
        with self._share.one_call():
            return self._asker.complete(call, plan)


@contextmanager
def shared(
    connection: Connection, asker: Asker, pace: Pace, *, owner: str, should_stop: Callable[[], bool]
) -> Iterator[tuple[Asker, Callable[[], bool]]]:
    """The asker within the connection's limits, and a `should_stop` that keeps its share while it is looked at.

    Raises TryLater while other work has all of the connection's calls; the place in its queue is kept.
    """
    with _seated(Share(connection, owner, pace), connection) as share:

        def look() -> bool:
            share.keep_if_due()
            return should_stop()

        yield SharedAsker(asker, share), look


@contextmanager
def shared_singly(connection: Connection, asker: Asker, *, owner: str) -> Iterator[Asker]:
    """The asker for one call after the other, by one thread: its seat has one call and is kept before each.

    A seat lasts longer than a call may take. Raises TryLater as `shared` does.
    """
    with _seated(Share(connection, owner, Pace(1), most=1), connection) as share:
        yield SharedAsker(asker, share, share.keep_if_due)


@contextmanager
def _seated(share: Share, connection: Connection) -> Iterator[Share]:
    if not share.keep():
        text = _("%(name)s is busy with other work; it allows %(most)d calls at a time.")
        raise TryLater(text % {"name": connection, "most": connection.concurrency}, after_s=AGAIN_S)
    try:
        yield share
    finally:
        share.leave()
