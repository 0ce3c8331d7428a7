"""Several workers at once, each on a database connection of its own: the cap holds, an answer is stored once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection as database
from django.db import transaction

from labeling.llm.actions.budgets import set_cap
from labeling.llm.actions.calls import book_lost
from labeling.llm.models import Budget, LlmCall
from tests.labeling.factories import make_project, make_user
from tests.labeling.llm.calling import (
    RUN,
    answered,
    assert_money_is_conserved,
    budget,
    make_call,
    make_connection,
    make_ledger,
)

pytestmark = pytest.mark.django_db(transaction=True)
HANDS, ASKED = 4, 12


@pytest.fixture
def connection():
    return make_connection(make_project(make_user()))


def at_once(work, hands=HANDS):
    """What each hand's work returns; they begin together."""
    barrier = Barrier(hands)

    def run(hand):
        try:
            barrier.wait()
            return work(hand)
        finally:
            database.close()

    with ThreadPoolExecutor(hands) as threads:
        return list(threads.map(run, range(hands)))


def test_workers_that_reserve_at_once_never_exceed_the_cap(connection):
    set_cap(project=connection.project, run=RUN, cap_nano=1_000)

    def reserve(hand):
        ledger = make_ledger(connection, cap=None, chunk=hand)
        return sum(ledger.reserve([make_call(f"{hand} {n}", 70), make_call(f"{hand} {n}b", 70)]) for n in range(ASKED))

    taken = at_once(reserve)
    assert sum(taken) == 1_000 // 70
    assert budget(connection) == (0, 70 * (1_000 // 70))
    assert_money_is_conserved(connection)


def test_workers_that_reserve_and_settle_at_once_keep_the_books(connection):
    set_cap(project=connection.project, run=RUN, cap_nano=2_000)

    def work(hand):
        ledger = make_ledger(connection, cap=None, chunk=hand)
        for number in range(ASKED):
            call = make_call(f"{hand} {number}", 90)
            if ledger.reserve([call]):
                ledger.settle([answered(call, 30)])

    at_once(work)
    assert budget(connection)[1] == 0
    assert_money_is_conserved(connection)


def test_an_answer_that_two_runs_get_at_once_is_stored_once(connection):
    call = make_call("the same text")
    for run in range(HANDS):
        set_cap(project=connection.project, run=run + 1, cap_nano=1_000)

    def work(hand):
        ledger = make_ledger(connection, cap=None, run=hand + 1)
        ledger.reserve([call])
        ledger.settle([answered(call, 25)])

    at_once(work)
    states = sorted(LlmCall.objects.values_list("state", "failure", "cost_nano"))
    assert states == [("lost", "duplicate", 25)] * (HANDS - 1) + [("stored", "", 25)]
    assert set(Budget.objects.values_list("spent_nano", "reserved_nano")) == {(25, 0)}


@pytest.mark.only_postgres
def test_a_second_answer_waits_for_the_first_and_is_then_a_duplicate(connection):
    call = make_call("the same text")
    first, second = (make_ledger(connection, run=run) for run in (1, 2))
    for ledger in (first, second):
        ledger.reserve([call])
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            first.settle([answered(call, 25)])
            other = threads.submit(lambda: (second.settle([answered(call, 30)]), database.close()))
            while not is_anybody_waiting():
                pass
        other.result()
    assert sorted(LlmCall.objects.values_list("run", "state")) == [(1, "stored"), (2, "lost")]
    assert budget(connection, 2) == (30, 0)


def is_anybody_waiting():
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return cursor.fetchone()[0] > 0


def test_a_lost_claim_is_booked_once_by_all_that_try(connection):
    make_ledger(connection, attempts=1).reserve([make_call(f"{n}", 100) for n in range(5)])
    assert sum(at_once(lambda _hand: book_lost(chunk=3, attempts=2))) == 5
    assert budget(connection) == (500, 0)
    assert_money_is_conserved(connection)
