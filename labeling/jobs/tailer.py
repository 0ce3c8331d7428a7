"""One task per web process and event loop reads new events and hands them to the open sockets."""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError

from labeling.jobs.models import Event
from labeling.jobs.queries import events_after, newest_event_id

INTERVAL_S = 0.5
log = structlog.get_logger(__name__)
Listener = Callable[[str, int, dict[str, object]], None]


class Tailer:
    """Reads the event table every half second while somebody listens, or at once when woken."""

    def __init__(self) -> None:
        self.listeners: dict[object, Listener] = {}
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.sent: dict[str, int] = {}

    def join(self, key: object, listener: Listener) -> None:
        """Call `listener(topic, seq, state)` for each new event until `leave(key)`."""
        self.listeners[key] = listener
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, key: object) -> None:
        """Stop calling the listener of `key`."""
        self.listeners.pop(key, None)

    def wake(self) -> None:
        """Look now."""
        self.woken.set()

    async def _run(self) -> None:
        newest = await database_sync_to_async(newest_event_id)()
        while self.listeners:
            try:
                events = await database_sync_to_async(events_after)(newest)
            except DatabaseError as error:
                log.warning("events not read; trying again", error=str(error))
                events = []
            for event in events:
                newest = max(newest, event.pk)
                self._tell(event)
            self.woken.clear()
            try:
                await asyncio.wait_for(self.woken.wait(), INTERVAL_S)
            except TimeoutError:
                continue

    def _tell(self, event: Event) -> None:
        """Each event once, and never an older state after a newer one."""
        if self.sent.get(event.topic, 0) >= event.seq:
            return
        self.sent[event.topic] = event.seq
        for listener in list(self.listeners.values()):
            listener(event.topic, event.seq, event.state)


_tailers: WeakKeyDictionary[asyncio.AbstractEventLoop, Tailer] = WeakKeyDictionary()


def tailer() -> Tailer:
    """The running event loop's tailer."""
    return _tailers.setdefault(asyncio.get_running_loop(), Tailer())
