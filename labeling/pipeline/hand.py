"""What a handler has in hand while it works: its claim, a way to report, a way to learn that it must stop."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from labeling.jobs.actions import Claim, renew, report

REPORT_EVERY_S = 0.5
log = structlog.get_logger(__name__)


class StopWork(Exception):
    """The worker must leave, or the job was paused or cancelled: the chunk is given back."""


@dataclass(slots=True)
class Hand:
    """One claimed chunk being worked on."""

    claim: Claim
    is_leaving: Callable[[], bool]
    is_lost: Event
    reported_at: float = field(default_factory=monotonic)

    def should_stop(self) -> bool:
        """Whether to leave now: the worker stops, the lease was lost, or the job is paused or cancelled."""
        return self.is_lost.is_set() or self.is_leaving()

    def check(self) -> None:
        """Raise StopWork when the work should not go on."""
        if self.should_stop():
            raise StopWork

    def report(self, done: int) -> None:
        """Say how many rows of the chunk are done; written at most twice a second. Raises StopWork."""
        self.check()
        now = monotonic()
        if now - self.reported_at >= REPORT_EVERY_S:
            self.reported_at = now
            if not report(self.claim, done):
                raise StopWork


class Keeper:
    """Renews a claim's lease from a thread of its own, so that a long step (a model load, a download) keeps it."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.is_lost = Event()
        self.is_over = Event()
        self.thread = Thread(target=self._run, name=f"keeper-{claim.chunk_id}", daemon=True)

    def __enter__(self) -> "Keeper":
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.is_over.set()
        self.thread.join()

    def _run(self) -> None:
        try:
            while not self.is_over.wait(settings.LEASE_S / 3):
                self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        """A database that is away for a moment does not lose the lease by itself: the fence decides at the end."""
        try:
            if not renew(self.claim):
                self.is_lost.set()
        except DatabaseError as error:
            log.warning("lease not renewed; trying again", chunk=self.claim.chunk_id, error=str(error))
