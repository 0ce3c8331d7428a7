"""How fast an endpoint is asked, and when to stop asking: limits, pauses, a breaker. Decides only; it never sleeps."""

import random
import time
from collections.abc import Callable
from typing import Final

from annotator_core.errors import AnnotatorError, ConnectionBroken, TryLater
from annotator_core.verifiers.contract import PERMANENT, Failure, FailureKind

MAX_TRIES: Final = 3
"""Requests for one call; chosen."""
MAX_WAIT_S: Final = 5.0
"""Longest pause that is waited for here; a longer one is the caller's. Chosen: well under any lease."""
BREAK_AFTER: Final = 5
"""Failures in a row that stop everything; chosen."""
BREAK_S: Final = 30.0
"""Pause after them; chosen."""
_FIRST_BACKOFF_S: Final = 0.5
_ROUNDING: Final = 1e-6
"""Requests; the sum of many small waits is not exact."""
_BUSY: Final = frozenset({FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE})
_FUTILE: Final = frozenset({FailureKind.BAD_RESPONSE, FailureKind.TOO_LARGE, FailureKind.REJECTED})
"""Answers that no pause mends when nothing else comes: the address or the settings are wrong."""


class Pace:
    """The pace of one endpoint, kept over as many `drive.ask_all` as are wanted, one after the other.

    concurrency: requests under way at most. requests_per_minute: None for no limit, else they are spread evenly, with
    at most a second's worth at once. seed: of the jitter. clock, sleep: what time it is, in seconds, and how to wait.
    Where the endpoint asks for fewer requests, half as many go on at once; each good answer gives a little back.
    """

    def __init__(
        self,
        concurrency: int,
        requests_per_minute: int | None = None,
        *,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start at full pace."""
        self.concurrency = max(1, concurrency)
        self.clock, self.sleep = clock, sleep
        self._full_per_s = None if requests_per_minute is None else max(1, requests_per_minute) / 60
        self._per_s = self._full_per_s
        self._chance = random.Random(seed)  # noqa: S311 - jitter guards nothing
        self._limit = float(self.concurrency)
        self._tokens, self._filled_at = 1.0, clock()
        self._hold_until = clock()
        self._streak: list[Failure] = []
        self._ending: AnnotatorError | None = None

    def take_share(self, share: float) -> None:
        """Send this share (0 to 1) of the requests a minute from now on: others ask the same endpoint."""
        if self._full_per_s is not None and share > 0:
            self._tokens = self._fill()
            self._per_s = self._full_per_s * min(share, 1.0)

    def count_room(self, in_flight: int) -> int:
        """Return how many requests may be sent now beside those under way."""
        if self.clock() < self._hold_until:
            return 0
        room = max(0, int(self._limit) - in_flight)
        return room if self._per_s is None else min(room, int(self._fill() + _ROUNDING))

    def wait_s(self) -> float:
        """Return the seconds until a request may be sent again; 0 where only those under way are waited for."""
        hold = self._hold_until - self.clock()
        short = 0.0 if self._per_s is None else (1.0 - self._fill()) / self._per_s
        return max(0.0, hold, short)

    def note_sent(self, count: int) -> None:
        """Count requests that were sent."""
        if self._per_s is not None:
            self._tokens = self._fill() - count

    def note_success(self) -> None:
        """Count a good answer."""
        self._streak.clear()
        self._limit = min(float(self.concurrency), self._limit + 1 / self._limit)

    def note_failure(self, failure: Failure, tries: int) -> float:
        """Return the seconds after which this call may be sent again. tries: its requests that failed before.

        Where nothing more is to be asked for now, `take_ending` says so.
        """
        if failure.kind in PERMANENT:
            self._ending = ConnectionBroken(failure.message)
            return 0.0
        backoff = min(MAX_WAIT_S, _FIRST_BACKOFF_S * 2.0**tries) * self._chance.uniform(0.5, 1.0)
        if failure.kind in _BUSY:
            self._slow_down(failure, backoff, tries)
        if failure.kind is not FailureKind.RATE_LIMITED:
            self._count(failure)
        return backoff

    def take_ending(self) -> AnnotatorError | None:
        """Return why nothing more is to be asked (ConnectionBroken, TryLater), once; None to go on."""
        ending, self._ending = self._ending, None
        if ending is not None:
            self._streak.clear()
        return ending

    def _slow_down(self, failure: Failure, backoff: float, tries: int) -> None:
        wished = failure.retry_after_s
        if wished is not None and wished > MAX_WAIT_S:
            self._end(TryLater(f"{failure.message} It asks for a pause of {wished:.0f} s.", after_s=wished))
        elif failure.kind is FailureKind.RATE_LIMITED and tries + 1 >= MAX_TRIES:
            self._end(TryLater(failure.message, after_s=BREAK_S))
        now = self.clock()
        if now >= self._hold_until:
            # Once a burst: the others of it were sent before anything was known.
            self._limit = max(1.0, self._limit / 2)
        if self._ending is None:  # else whoever is told to try later waits by itself
            self._hold_until = max(self._hold_until, now + min(MAX_WAIT_S, backoff if wished is None else wished))

    def _count(self, failure: Failure) -> None:
        self._streak.append(failure)
        if len(self._streak) < BREAK_AFTER:
            return
        if all(one.kind in _FUTILE for one in self._streak):
            self._end(ConnectionBroken(failure.message))
        else:
            self._end(TryLater(failure.message, after_s=BREAK_S))

    def _end(self, ending: AnnotatorError) -> None:
        self._ending = self._ending or ending

    def _fill(self) -> float:
        """Return the requests that the limit a minute allows at this moment."""
        if self._per_s is None:
            return float(self.concurrency)
        now = self.clock()
        most = max(1.0, self._per_s)
        self._tokens = min(most, self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now
        return self._tokens
