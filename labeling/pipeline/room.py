"""A worker's room: hands that work until nothing is left, wake on the bell and look by themselves every two seconds."""

import os
import socket
from collections.abc import Sequence
from datetime import timedelta
from threading import Condition, Thread
from time import monotonic

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from labeling.jobs.models import Heartbeat
from labeling.jobs.publish import prune_events
from labeling.pipeline.work import do_one
from labeling.specialists.search.engine import forget_old_files

BEAT_EVERY_S = 2.0
TIDY_EVERY_S = 600.0
log = structlog.get_logger(__name__)


class Room:
    """`hands` threads that serve `queues`. The database is the truth: no lost bell or dead broker stops work."""

    def __init__(self, queues: Sequence[str], hands: int) -> None:
        self.queues = tuple(queues)
        self.name = f"{socket.gethostname()[:40]}-{os.getpid()}"
        self.is_leaving = False
        self.bell = Condition()
        self.rings = 0
        self.tidy_at = monotonic() + TIDY_EVERY_S
        self.threads = [Thread(target=self._hand, args=(i,), name=f"hand-{i}", daemon=True) for i in range(hands)]
        self.threads.append(Thread(target=self._beat, name="heartbeat", daemon=True))

    def open(self) -> None:
        """Start the hands."""
        for thread in self.threads:
            thread.start()

    def ring(self) -> None:
        """Tell all hands to look now."""
        with self.bell:
            self.rings += 1
            self.bell.notify_all()

    def close(self, timeout_s: float = 20.0) -> None:
        """Ask the hands to give their work back and wait for them."""
        self.is_leaving = True
        self.ring()
        end = monotonic() + timeout_s
        for thread in self.threads:
            thread.join(max(0.0, end - monotonic()))

    def _hand(self, index: int) -> None:
        while not self.is_leaving:
            heard = self.rings
            try:
                is_busy = do_one(self.queues, f"{self.name}-{index}", lambda: self.is_leaving)
            except DatabaseError as error:
                log.warning("database not reached; trying again", error=str(error))
                is_busy = False
            finally:
                connection.close()
            if not is_busy:
                self._rest(heard)

    def _rest(self, heard: int) -> None:
        """Sleep until the bell or the next sweep; a bell that rang since `heard` is not slept through."""
        with self.bell:
            self.bell.wait_for(lambda: self.rings != heard or self.is_leaving, settings.SWEEP_S)

    def _beat(self) -> None:
        started = timezone.now()
        while not self.is_leaving:
            try:
                row = {"queues": ",".join(self.queues), "beat_at": timezone.now(), "started_at": started}
                Heartbeat.objects.update_or_create(worker=self.name, defaults=row)
                self._tidy()
            except DatabaseError as error:
                log.warning("heartbeat not written", error=str(error))
            finally:
                connection.close()
            with self.bell:
                self.bell.wait_for(lambda: self.is_leaving, BEAT_EVERY_S)
        self._sign_off()

    def _tidy(self) -> None:
        """Forget old events, heartbeats of workers that were killed and files that nobody added, now and then."""
        if "io" not in self.queues or monotonic() < self.tidy_at:
            return
        self.tidy_at = monotonic() + TIDY_EVERY_S
        prune_events()
        Heartbeat.objects.filter(beat_at__lt=timezone.now() - timedelta(days=1)).delete()
        forget_old_files()

    def _sign_off(self) -> None:
        try:
            Heartbeat.objects.filter(worker=self.name).delete()
        except DatabaseError as error:
            log.warning("heartbeat not removed", error=str(error))
        finally:
            connection.close()
