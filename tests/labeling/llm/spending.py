"""Connections with calls of every kind, as a project has them after some runs."""

from datetime import timedelta

from django.utils import timezone

from annotator_core.verifiers.contract import FailureKind
from labeling.llm.actions.budgets import open_room, set_cap
from labeling.llm.actions.calls import BookedLedger
from labeling.llm.actions.connections import note_error
from labeling.llm.models import Purpose, Spending
from labeling.llm.queries import TESTS
from tests.labeling.llm.calling import answered, failed, make_call, make_connection, make_ledger

DOLLAR = 10**9
WORKING = {"schema": "json_schema", "has_logprobs": True, "has_temperature": True, "max_tokens_name": "max_tokens"}


def spend(connection, run, *, calls=3, cost=4_000_000, name="call", sample=0):
    """A run's calls: answered, but for one that failed and one that was lost; one is still on its way."""
    ledger = make_ledger(connection, run=run, cap=2 * DOLLAR, sample_of=lambda _id: sample)
    asked = [make_call(f"{name} {run} {n}", 10_000_000, question=n) for n in range(calls + 3)]
    ledger.reserve(asked)
    ledger.settle([answered(call, cost) for call in asked[:calls]])
    ledger.settle(
        [failed(asked[calls]), failed(asked[calls + 1], FailureKind.RATE_LIMITED, may_have_cost=False, status=429)]
    )


def book_test(connection, cost=90_000):
    """A booked test of the connection."""
    open_room(project_id=connection.project_id, run=TESTS, room_nano=DOLLAR)
    ledger = BookedLedger(connection.project_id, 0, 0, 0, connection, purpose=Purpose.TEST, sample_of=lambda _id: 0)
    call = make_call(f"test of {connection.pk}", 1_000_000)
    ledger.reserve([call])
    ledger.settle([answered(call, cost, content="")])


def live_with_models(project, run, sample=0):
    """A connection that works, one that fails, one that is new and one that is retired; costs over an hour."""
    names = {"capability": WORKING, "tested_at": timezone.now()}
    working = make_connection(project, "GPT mini", **names)
    failing = make_connection(project, "House model", base_url="https://models.example.org/a/long/path/v1", **names)
    make_connection(project, "New one", price=None)
    make_connection(project, "Old one", is_retired=True)
    book_test(working)
    spend(working, run, calls=5, sample=sample)
    spend(failing, run, calls=2, cost=900_000, name="other", sample=sample)
    note_error(connection=failing, error="The endpoint refuses the key: enter a valid one. (HTTP 401)")
    set_cap(project=project, run=0, cap_nano=DOLLAR)
    _spread(project, working, run)
    return working


def _spread(project, connection, run):
    """Spending of the hour before, so that there is a figure to look at."""
    minute = timezone.now().replace(second=0, microsecond=0)
    Spending.objects.bulk_create(
        Spending(
            project=project,
            connection=connection,
            purpose=Purpose.VERIFY,
            run=run,
            minute=minute - timedelta(minutes=before),
            stored=40,
            tokens_in=4_800,
            tokens_out=360,
            latency_ms=16_000,
            cost_nano=(60 - before) * 200_000,
        )
        for before in range(5, 60, 5)
    )
