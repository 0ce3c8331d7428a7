"""How fast an endpoint is asked and when it is left, without waiting."""

import pytest

from annotator_core.errors import ConnectionBroken, EndpointSilent, TryLater
from annotator_core.verifiers.contract import PERMANENT, Failure, FailureKind
from annotator_core.verifiers.pace import Breaks, Memory, Pace
from tests.annotator_core.verifiers.conftest import Clock


def _failure(kind: FailureKind, retry_after_s: float | None = None) -> Failure:
    return Failure(kind, "in words", retry_after_s=retry_after_s)


def test_room_is_what_is_not_under_way(clock: Clock) -> None:
    pace = clock.pace(4)
    assert [pace.count_room(in_flight) for in_flight in (0, 3, 4, 9)] == [4, 1, 0, 0]
    assert pace.wait_s() == 0


def test_requests_a_minute_are_spread_evenly(clock: Clock) -> None:
    pace, sent = clock.pace(16, 120), 0
    started = clock.now
    while clock.now - started < 60:
        room = pace.count_room(0)
        pace.note_sent(room)
        sent += room
        clock.sleep(max(pace.wait_s(), 1e-3))
    assert 119 <= sent <= 121
    assert clock.pace(16, 120).count_room(0) == 1


def test_a_share_of_the_requests_a_minute_is_sent_while_others_ask(clock: Clock) -> None:
    pace = clock.pace(16, 120)
    pace.take_share(0.25)
    pace.note_sent(pace.count_room(0))
    assert pace.wait_s() == pytest.approx(2.0)
    pace.take_share(1.0)
    assert pace.wait_s() == pytest.approx(0.5)
    free = clock.pace(16)
    free.take_share(0.25)
    assert free.count_room(0) == 16


def test_a_burst_of_429_halves_what_goes_on_at_once_and_answers_give_it_back(clock: Clock) -> None:
    pace = clock.pace(8)
    for _ in range(8):
        pace.note_failure(_failure(FailureKind.RATE_LIMITED, 2.0), 0)
    assert (pace.count_room(0), pace.wait_s(), pace.take_ending()) == (0, 2.0, None)
    clock.sleep(2.0)
    assert pace.count_room(0) == 4
    for _ in range(40):
        pace.note_success()
    assert pace.count_room(0) == 8


@pytest.mark.parametrize(("seconds", "is_left"), [(5.0, False), (5.1, True), (3_600.0, True)])
def test_pauses_over_five_seconds_are_given_back(clock: Clock, seconds: float, is_left: bool) -> None:
    for kind in (FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE):
        pace = clock.pace()
        pace.note_failure(_failure(kind, seconds), 0)
        ending = pace.take_ending()
        assert isinstance(ending, TryLater) == is_left
        assert getattr(ending, "after_s", seconds) == seconds
        assert pace.wait_s() <= 5.0


def test_backoff_grows_with_jitter_and_stays_short(clock: Clock) -> None:
    pace, again = clock.pace(), clock.pace()
    pauses = [pace.note_failure(_failure(FailureKind.TIMEOUT), tries) for tries in range(3)]
    assert [again.note_failure(_failure(FailureKind.TIMEOUT), tries) for tries in range(3)] == pauses
    assert all(0.25 * 2**tries <= pause <= 0.5 * 2**tries for tries, pause in enumerate(pauses))
    assert pace.note_failure(_failure(FailureKind.TIMEOUT), 30) <= 5.0


def test_five_failures_in_a_row_open_the_breaker_and_an_answer_closes_it(clock: Clock) -> None:
    pace = clock.pace()
    for _ in range(3):
        for _ in range(4):
            pace.note_failure(_failure(FailureKind.DROPPED), 0)
        pace.note_success()
    assert pace.take_ending() is None
    for _ in range(5):
        pace.note_failure(_failure(FailureKind.DROPPED), 0)
    ending = pace.take_ending()
    assert isinstance(ending, TryLater)
    assert (ending.after_s, ending.message, pace.take_ending()) == (30.0, "in words", None)


def test_five_answers_that_are_none_mean_a_wrong_address(clock: Clock) -> None:
    pace = clock.pace()
    for kind in (
        FailureKind.BAD_RESPONSE,
        FailureKind.TOO_LARGE,
        FailureKind.REJECTED,
        *[FailureKind.BAD_RESPONSE] * 2,
    ):
        pace.note_failure(_failure(kind), 0)
    assert isinstance(pace.take_ending(), ConnectionBroken)


@pytest.mark.parametrize("kind", sorted(PERMANENT))
def test_what_a_person_must_mend_ends_at_once(clock: Clock, kind: FailureKind) -> None:
    pace = clock.pace()
    pace.note_failure(_failure(FailureKind.RATE_LIMITED, 600.0), 0)
    pace.note_failure(_failure(kind), 0)
    assert isinstance(pace.take_ending(), ConnectionBroken)


def test_concurrency_is_at_least_one() -> None:
    assert Pace(0).count_room(0) == 1


def _break_again(pace: Pace, *failures: Failure) -> list[float]:
    """The pauses where each trial after a break ends in one of these failures."""
    pauses = []
    for failure in failures:
        pace.note_sent(1)
        pace.note_failure(failure, 0)
        ending = pace.take_ending()
        assert type(ending) is TryLater
        pauses.append(ending.after_s)
    return pauses


def test_after_a_break_one_request_goes_on_and_one_failure_is_the_next_break(clock: Clock) -> None:
    told: list[tuple[Breaks, Breaks]] = []
    pace = Pace(16, memory=Memory(Breaks(1, 1), lambda *change: told.append(change)), clock=clock, sleep=clock.sleep)
    assert (pace.count_room(0), pace.count_room(1), pace.is_full) == (1, 0, False)
    assert _break_again(pace, _failure(FailureKind.TIMEOUT)) == [60.0]
    assert (pace.count_room(0), pace.breaks) == (1, Breaks(2, 2, 60.0))
    assert told == [(Breaks(1, 1), Breaks(2, 2, 60.0))]


def test_the_first_good_answer_after_breaks_gives_everything_back(clock: Clock) -> None:
    pace = Pace(16, memory=Memory(Breaks(3, 2)), clock=clock, sleep=clock.sleep)
    pace.note_success()
    assert (pace.count_room(0), pace.is_full, pace.breaks) == (16, True, Breaks())
    for _ in range(4):
        pace.note_failure(_failure(FailureKind.DROPPED), 0)
    assert pace.take_ending() is None


def test_pauses_double_until_a_person_is_wanted(clock: Clock) -> None:
    pace = clock.pace(16)
    for _ in range(4):
        pace.note_failure(_failure(FailureKind.SERVER_ERROR), 0)
    kinds = (FailureKind.SERVER_ERROR, FailureKind.UNAVAILABLE, FailureKind.TIMEOUT, FailureKind.DROPPED)
    failures = [_failure(kind) for kind in (*kinds, FailureKind.BAD_RESPONSE)]
    assert _break_again(pace, *failures) == [30.0, 60.0, 120.0, 240.0, 480.0]
    for count in (6, 7):
        pace.note_sent(1)
        pace.note_failure(_failure(FailureKind.UNAVAILABLE), 0)
        ending = pace.take_ending()
        assert isinstance(ending, EndpointSilent)
        assert ending.message == f"It has not answered {count} times in a row. in words"
        assert pace.breaks == Breaks(count, count, 0.0)


@pytest.mark.parametrize("failure", [_failure(FailureKind.RATE_LIMITED), _failure(FailureKind.UNAVAILABLE, 60.0)])
def test_an_endpoint_that_asks_for_pauses_is_never_given_up(clock: Clock, failure: Failure) -> None:
    pace = Pace(4, memory=Memory(Breaks(5, 5)), clock=clock, sleep=clock.sleep)
    assert _break_again(pace, *[failure] * 20) == [900.0] * 20
    assert (pace.breaks.count, pace.breaks.silent) == (25, 0)
    assert _break_again(pace, _failure(FailureKind.DROPPED)) == [900.0]


def test_a_longer_pause_that_is_asked_for_holds(clock: Clock) -> None:
    pace = Pace(4, memory=Memory(Breaks(1, 1)), clock=clock, sleep=clock.sleep)
    named = [_failure(FailureKind.RATE_LIMITED, seconds) for seconds in (7.0, 3_600.0)]
    assert _break_again(pace, *named) == [60.0, 3_600.0]


def test_what_is_under_way_when_it_is_left_is_the_same_break(clock: Clock) -> None:
    pace = clock.pace(16)
    for _ in range(5):
        pace.note_failure(_failure(FailureKind.DROPPED), 0)
    assert isinstance(pace.take_ending(), TryLater)
    for _ in range(15):
        pace.note_failure(_failure(FailureKind.DROPPED), 0)
    assert (pace.breaks.count, pace.take_ending()) == (1, None)


def test_a_refused_text_is_no_break(clock: Clock) -> None:
    pace = Pace(4, memory=Memory(Breaks(1, 1)), clock=clock, sleep=clock.sleep)
    pace.note_failure(_failure(FailureKind.REJECTED), 0)
    assert (pace.take_ending(), pace.breaks, pace.count_room(0)) == (None, Breaks(1, 1), 1)
