"""How fast an endpoint is asked, and when to stop asking: limits, pauses, a breaker. Decides only; it never sleeps."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from annotator_core.errors import AnnotatorError, ConnectionBroken, EndpointSilent, TryLater
from annotator_core.verifiers.contract import PERMANENT, Failure, FailureKind

MAX_TRIES: Final = 3
"""Requests for one call; chosen."""
MAX_WAIT_S: Final = 5.0
"""Longest pause that is waited for here; a longer one is the caller's. Chosen: well under any lease."""
BREAK_AFTER: Final = 5
"""Failures in a row that stop everything; chosen."""
BREAK_S: Final = 30.0
"""Pause after the first break; each one in a row doubles it. Chosen."""
MAX_BREAK_S: Final = 900.0
"""Longest pause that is not the endpoint's own wish; chosen: an endpoint that is back is found within it."""
GIVE_UP_AFTER: Final = 6
"""Breaks in a row at which an endpoint did not answer, after which a person is wanted: a quarter of an hour. Chosen."""
_FIRST_BACKOFF_S: Final = 0.5
_ROUNDING: Final = 1e-6
"""Requests; the sum of many small waits is not exact."""
_BUSY: Final = frozenset({FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE})
_FUTILE: Final = frozenset({FailureKind.BAD_RESPONSE, FailureKind.TOO_LARGE, FailureKind.REJECTED})
"""Answers that no pause mends when nothing else comes: the address or the settings are wrong."""


@dataclass(frozen=True, slots=True)
class Breaks:
    """How often an endpoint was left in a row, without a good answer between.

    silent: the last of them, in a row, at which it did not answer instead of asking for a pause. pause_s: the seconds
    after the last one, 0 where a person is waited for.
    """

    count: int = 0
    silent: int = 0
    pause_s: float = 0.0


@dataclass(slots=True)
class Memory:
    """What is known of an endpoint from before. keep: told of every change, the breaks before it and after it."""

    breaks: Breaks = field(default_factory=Breaks)
    keep: Callable[[Breaks, Breaks], None] = lambda _before, _after: None

    def change(self, after: Breaks) -> None:
        """Remember these breaks."""
        before, self.breaks = self.breaks, after
        self.keep(before, after)


def is_counted(failure: Failure) -> bool:
    """Return whether a failure speaks against the endpoint: asking for fewer requests does not."""
    return failure.kind is not FailureKind.RATE_LIMITED


def find_pause(count: int, failure: Failure) -> float:
    """Return the seconds to leave an endpoint alone at its count-th break in a row: doubled, or longer if it says so.

    >>> [find_pause(count, Failure(FailureKind.TIMEOUT, "")) for count in (1, 2, 5, 6, 99)]
    [30.0, 60.0, 480.0, 900.0, 900.0]
    """
    named = failure.retry_after_s or 0.0
    if count == 1 and named > MAX_WAIT_S:
        return named
    return max(named, min(MAX_BREAK_S, BREAK_S * 2.0 ** min(count - 1, 10)))


class Pace:
    """The pace of one endpoint, kept over as many `drive.ask_all` as are wanted, one after the other.

    concurrency: requests under way at most. requests_per_minute: None for no limit, else they are spread evenly, with
    at most a second's worth at once. memory: of breaks before this pace, None for none. seed: of the jitter. clock,
    sleep: what time it is, in seconds, and how to wait.
    Where the endpoint asks for fewer requests, half as many go on at once; each good answer gives a little back. After
    a break one request at a time goes on: one failure is the next break, one good answer gives everything back.
    """

    def __init__(
        self,
        concurrency: int,
        requests_per_minute: int | None = None,
        *,
        memory: Memory | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start at full pace, or with one request where the endpoint was left before."""
        self.concurrency = max(1, concurrency)
        self._memory = memory or Memory()
        self.clock, self.sleep = clock, sleep
        self._full_per_s = None if requests_per_minute is None else max(1, requests_per_minute) / 60
        self._per_s = self._full_per_s
        self._chance = random.Random(seed)  # noqa: S311 - jitter guards nothing
        self._limit = 1.0 if self.breaks.count else float(self.concurrency)
        self._tokens, self._filled_at = 1.0, clock()
        self._hold_until = clock()
        self._streak: list[Failure] = []
        self._ending: AnnotatorError | None = None
        self._is_left = False

    @property
    def breaks(self) -> Breaks:
        """Return how often the endpoint was left since its last good answer."""
        return self._memory.breaks

    @property
    def is_full(self) -> bool:
        """Return whether nothing holds it back: as many requests go on as are allowed."""
        return self._limit >= self.concurrency

    @property
    def failed_in_a_row(self) -> int:
        """Return the failures since the last good answer, those that count."""
        return len(self._streak)

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
        self._is_left = self._is_left and not count
        if self._per_s is not None:
            self._tokens = self._fill() - count

    def note_success(self) -> None:
        """Count a good answer."""
        self._streak.clear()
        if self.breaks.count:
            self._memory.change(Breaks())
            self._limit = float(self.concurrency)
        self._limit = min(float(self.concurrency), self._limit + 1 / self._limit)

    def note_failure(self, failure: Failure, tries: int) -> float:
        """Return the seconds after which this call may be sent again. tries: its requests that failed before.

        Where nothing more is to be asked for now, `take_ending` says so.
        """
        if failure.kind in PERMANENT:
            self._ending = ConnectionBroken(failure.message)
            return 0.0
        backoff = min(MAX_WAIT_S, _FIRST_BACKOFF_S * 2.0**tries) * self._chance.uniform(0.5, 1.0)
        if self._is_left:
            return backoff  # it was under way when the endpoint was left: the same break
        if self.breaks.count and failure.kind is not FailureKind.REJECTED:
            self.leave(failure)
            return backoff
        if failure.kind in _BUSY:
            self._slow_down(failure, backoff, tries)
        if is_counted(failure):
            self._count(failure)
        return backoff

    def leave(self, failure: Failure) -> None:
        """Leave the endpoint alone because of this failure; once, until something is sent again."""
        if self._is_left:
            return
        self._is_left, self._limit = True, 1.0
        is_asked = failure.kind in _BUSY and (not is_counted(failure) or bool(failure.retry_after_s))
        count, silent = self.breaks.count + 1, 0 if is_asked else self.breaks.silent + 1
        if silent >= GIVE_UP_AFTER:
            self._memory.change(Breaks(count, silent))
            self._end(EndpointSilent(f"It has not answered {silent} times in a row. {failure.message}"))
            return
        pause_s = find_pause(count, failure)
        self._memory.change(Breaks(count, silent, pause_s))
        is_long = (failure.retry_after_s or 0.0) > MAX_WAIT_S
        said = f" It asks for a pause of {failure.retry_after_s:.0f} s." if is_long else ""
        self._end(TryLater(failure.message + said, after_s=pause_s))

    def take_ending(self) -> AnnotatorError | None:
        """Return why nothing more is to be asked (ConnectionBroken, TryLater), once; None to go on."""
        ending, self._ending = self._ending, None
        if ending is not None:
            self._streak.clear()
        return ending

    def _slow_down(self, failure: Failure, backoff: float, tries: int) -> None:
        wished = failure.retry_after_s
        is_last = failure.kind is FailureKind.RATE_LIMITED and tries + 1 >= MAX_TRIES
        if is_last or (wished is not None and wished > MAX_WAIT_S):
            self.leave(failure)  # whoever is told to try later waits by itself
            return
        now = self.clock()
        if now >= self._hold_until:
            # Once a burst: the others of it were sent before anything was known.
            self._limit = max(1.0, self._limit / 2)
        self._hold_until = max(self._hold_until, now + min(MAX_WAIT_S, backoff if wished is None else wished))

    def _count(self, failure: Failure) -> None:
        self._streak.append(failure)
        if len(self._streak) < BREAK_AFTER:
            return
        if all(one.kind in _FUTILE for one in self._streak):
            self._end(ConnectionBroken(failure.message))
        else:
            self.leave(failure)

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
