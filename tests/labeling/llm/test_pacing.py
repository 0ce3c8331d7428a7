"""What is known of a connection's endpoint outlives the work that found it out."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotator_core.errors import TryLater
from annotator_core.verifiers.contract import Failure, FailureKind
from annotator_core.verifiers.pace import Breaks, Pace
from labeling.llm.actions.connections import Given, change_connection, note_error, record_test
from labeling.llm.models import Connection
from labeling.llm.pacing import in_turn, open_pace
from tests.labeling.factories import make_project, make_user
from tests.labeling.llm.calling import make_connection

pytestmark = pytest.mark.django_db
LOST, BUSY = Failure(FailureKind.DROPPED, "lost"), Failure(FailureKind.RATE_LIMITED, "busy", retry_after_s=90.0)


@pytest.fixture
def connection():
    return make_connection(make_project(make_user()), concurrency=16)


def left(pace, failure=LOST, times=1):
    """Leave the endpoint because of such failures; the pause after it."""
    for _ in range(times):
        pace.note_sent(1)
        pace.note_failure(failure, 0)
    return pace.take_ending()


def known(connection):
    connection.refresh_from_db()
    return connection.breaks, connection.silent_breaks, connection.is_quiet


def wait_out(connection):
    Connection.objects.filter(pk=connection.pk).update(quiet_until=timezone.now())


def test_a_break_is_remembered_and_nobody_asks_before_its_pause_is_over(connection):
    assert left(open_pace(connection), times=5).after_s == 30
    assert known(connection) == (1, 1, True)
    with pytest.raises(TryLater, match="GPT did not answer other work") as caught:
        open_pace(connection)
    assert 25 < caught.value.after_s <= 30
    wait_out(connection)
    again = open_pace(connection)
    assert (again.count_room(0), again.breaks) == (1, Breaks(1, 1))
    assert (left(again).after_s, known(connection)) == (60, (2, 2, True))


def test_a_pause_that_was_asked_for_is_kept_by_all(connection):
    assert left(open_pace(connection), BUSY).after_s == 90
    assert known(connection) == (1, 0, True)
    with pytest.raises(TryLater, match="GPT has asked other work for a pause") as caught:
        open_pace(connection)
    assert 80 < caught.value.after_s <= 90


def test_the_first_good_answer_forgets_all_of_it(connection):
    left(open_pace(connection), times=5)
    note_error(connection=connection, error="It has not answered.")
    wait_out(connection)
    open_pace(connection).note_success()
    assert (known(connection), connection.error, connection.quiet_until) == ((0, 0, False), "", None)
    assert open_pace(connection).count_room(0) == 16


def test_parts_that_leave_it_at_the_same_time_count_once(connection):
    first, second = open_pace(connection), open_pace(connection)
    left(first, times=5)
    left(second, times=5)
    assert known(connection) == (1, 1, True)


def test_a_person_is_waited_for_without_a_pause(connection):
    Connection.objects.update(breaks=5, silent_breaks=5)
    assert "6 times in a row" in left(open_pace(connection)).message
    assert known(connection) == (6, 6, False)
    assert open_pace(connection).count_room(0) == 1


def test_a_test_that_succeeds_or_another_address_forgets_it_and_a_new_name_does_not(connection, settings):
    settings.OUTBOUND_ALLOW = ["models.example.org", "127.0.0.1"]
    fields = {"base_url": "http://127.0.0.1:8010/v1", "model": connection.model}
    Connection.objects.update(breaks=2, silent_breaks=2, base_url=fields["base_url"])
    connection.refresh_from_db()
    change_connection(connection=connection, given=Given("Another", **fields))
    assert known(connection) == (2, 2, False)
    record_test(connection=connection, capability={})
    assert known(connection) == (0, 0, False)
    Connection.objects.update(breaks=2, silent_breaks=2, reserve_percent=300)
    connection.refresh_from_db()
    change_connection(connection=connection, given=Given("Another", **(fields | {"model": "other"})))
    assert (known(connection), connection.reserve_percent) == ((0, 0, False), 100)


def test_each_trial_begins_with_another_text():
    paces = [Pace(1) for _ in range(4)]
    for breaks, pace in enumerate(paces):
        for _ in range(breaks):
            pace.note_sent(1)
            pace.leave(LOST)
            pace.take_ending()
    assert [in_turn("abc", pace) for pace in paces] == [[*"abc"], [*"bca"], [*"cab"], [*"abc"]]
    assert in_turn([], paces[1]) == []


@pytest.mark.parametrize(
    ("fields", "title"),
    [({"silent_breaks": 3}, "It does not answer"), ({}, "It asked to wait")],
)
def test_its_page_says_that_it_is_left_alone(client, connection, fields, title):
    client.force_login(connection.project.created_by)
    later = timezone.now() + timedelta(minutes=4, seconds=30)
    Connection.objects.update(breaks=3, quiet_until=later, **fields)
    page = client.get(reverse("llm:connection", args=[connection.project.slug, connection.pk])).content.decode()
    words = " ".join(page.split())
    assert title in words
    assert "It was left alone 3 times since its last answer. It is asked again <time" in words
    listed = client.get(reverse("llm:connections", args=[connection.project.slug])).content.decode()
    assert ("Does not answer" in listed) == bool(fields)
