"""A connection's limit on calls at a time holds over all work that asks it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection as database
from django.utils import timezone

from annotator_core.errors import TryLater
from annotator_core.fakes.openai_script import Step
from annotator_core.verifiers.contract import Plan, Price, Question
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.ledger import MemoryLedger
from annotator_core.verifiers.pace import Pace
from labeling.llm import sharing
from labeling.llm.actions.seats import SEAT_S, leave_seat, take_seat
from labeling.llm.engine import open_asker
from labeling.llm.models import Seat
from labeling.llm.sharing import shared, shared_singly
from tests.labeling.asking import make_connection, serving
from tests.labeling.factories import CLASSES, make_project, make_user
from tests.labeling.llm.calling import make_connection as make_unasked

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    return make_unasked(make_project(make_user()), concurrency=8, timeout_s=60)


def take(connection, owner, under_way=0):
    return take_seat(connection_id=connection.pk, owner=owner, lower=lambda _may: under_way)


def slots(connection):
    return dict(Seat.objects.filter(connection=connection).values_list("owner", "slots"))


def test_one_alone_has_everything(connection):
    assert (take(connection, "a"), slots(connection)) == (8, {"a": 8})
    assert (take(connection, "a", 8), slots(connection)) == (8, {"a": 8})


def test_the_first_makes_room_as_its_calls_end(connection):
    take(connection, "a")
    assert (take(connection, "b"), slots(connection)) == (0, {"a": 8, "b": 0})
    assert (take(connection, "a", under_way=7), slots(connection)) == (4, {"a": 7, "b": 0})
    assert (take(connection, "b"), slots(connection)) == (1, {"a": 7, "b": 1})
    assert (take(connection, "a", under_way=4), slots(connection)) == (4, {"a": 4, "b": 1})
    assert (take(connection, "b", under_way=1), slots(connection)) == (4, {"a": 4, "b": 4})


def test_who_leaves_or_dies_makes_room(connection):
    take(connection, "a")
    take(connection, "b")
    leave_seat(connection_id=connection.pk, owner="a")
    assert take(connection, "b") == 8
    assert take(connection, "c") == 0
    ends = Seat.objects.get(owner="b").until
    assert ends > timezone.now() + timedelta(seconds=SEAT_S + 50)
    Seat.objects.filter(owner="b").update(until=timezone.now() - timedelta(seconds=1))
    assert (take(connection, "c"), slots(connection)) == (8, {"c": 8})


def test_more_who_ask_than_calls_that_may_be_wait(connection):
    type(connection).objects.filter(pk=connection.pk).update(concurrency=1)
    assert [take(connection, owner) for owner in "ab"] == [1, 0]
    assert (take(connection, "a", under_way=1), take(connection, "b")) == (1, 0)
    with (
        pytest.raises(TryLater, match="busy with other work"),
        shared(connection, None, Pace(1), owner="c", should_stop=lambda: False),
    ):
        pass  # never here
    assert "c" in slots(connection)


class Answering:
    """An endpoint that answers every call."""

    identity, schema = "endpoint", "none"

    def complete(self, call, _plan):
        return f"answer to {call}"


def test_one_call_after_the_other_takes_one_seat_and_keeps_it_before_each(connection, monkeypatch):
    take(connection, "run", under_way=8)
    with pytest.raises(TryLater, match="busy"), shared_singly(connection, Answering(), owner="search"):
        pass  # never here
    take(connection, "run", under_way=4)
    monkeypatch.setattr(sharing, "KEEP_EVERY_S", 0.0)
    with shared_singly(connection, Answering(), owner="search") as asker:
        assert slots(connection) == {"run": 4, "search": 1}
        Seat.objects.filter(owner="search").update(until=timezone.now())
        assert asker.complete("it", None) == "answer to it"
        assert Seat.objects.get(owner="search").until > timezone.now() + timedelta(seconds=connection.timeout_s)
    assert slots(connection) == {"run": 4}


def test_one_call_after_the_other_leaves_its_seat_when_it_fails(connection):
    with pytest.raises(ZeroDivisionError), shared_singly(connection, Answering(), owner="search"):
        raise ZeroDivisionError
    assert slots(connection) == {}


def test_a_smaller_limit_holds_at_once(connection):
    take(connection, "a")
    type(connection).objects.filter(pk=connection.pk).update(concurrency=2)
    assert take(connection, "a", under_way=2) == 2


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_never_have_more_calls_under_way_than_the_connection_allows(settings):
    """Each in a thread with a database connection of its own, as in two workers."""
    project = make_project(make_user())
    with serving(settings, rest=Step(delay_s=0.05)) as server:
        connection, barrier = make_connection(project, server, concurrency=4), Barrier(2)

        def run(hand):
            barrier.wait()
            try:
                return _ask(connection, f"part {hand}", [f"text {hand} {n}" for n in range(60)])
            finally:
                database.close()

        with ThreadPoolExecutor(2) as threads:
            answered = list(threads.map(run, range(2)))
    assert answered == [60, 60]
    assert server.script.most_at_once <= 4
    assert not Seat.objects.exists()


def _ask(connection, owner, texts):
    """Questions that are answered; one that finds no room asks again, as a part that was given back."""
    plan, pace, free = Plan(CLASSES), Pace(connection.concurrency), Price(0.0, 0.0, 0.0)
    questions = [Question(n, text) for n, text in enumerate(texts)]
    for _try in range(10_000):
        try:
            with (
                closing(open_asker(connection)) as own,
                shared(connection, own, pace, owner=owner, should_stop=lambda: False) as (asker, should_stop),
            ):
                found = ask_all(questions, plan, asker, MemoryLedger(), pace, price=free, should_stop=should_stop)
                return sum(1 for _verdict in found)
        except TryLater:
            continue
    return 0
