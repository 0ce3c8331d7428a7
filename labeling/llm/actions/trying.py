"""The test of a connection: real small requests, booked like all others, from a small budget of their own."""

from secrets import token_hex
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from annotator_core.errors import AnnotatorError, CallFailed
from annotator_core.verifiers.contract import NANO, Call, Completion, Failure, FailureKind, Settled
from labeling.llm.actions.budgets import open_room
from labeling.llm.actions.calls import BookedLedger, book_stale
from labeling.llm.actions.connections import note_error, record_test
from labeling.llm.engine import price_of_test, probe_connection
from labeling.llm.models import Connection, Purpose
from labeling.llm.queries import TESTS
from labeling.web.errors import ActionError

if TYPE_CHECKING:
    from annotator_core.verifiers.capability import Probe

ROOM_NANO: Final = NANO // 2
"""What one test may cost at most, in the worst case; chosen: eight small requests of the dearest model there is."""


def try_connection(*, connection: Connection) -> bool:
    """Test a connection and keep what came of it; returns whether it works. Takes up to engine.TEST_S seconds.

    No transaction is open while the requests are on their way. Raises ActionError where nothing was sent.
    """
    if connection.is_retired:
        raise ActionError(_("This connection is retired. Add a new one."))
    book_stale(project_id=connection.project_id)
    ledger = BookedLedger(connection.project_id, 0, 0, 0, connection, purpose=Purpose.TEST, sample_of=lambda _id: 0)
    try:
        call = _call(price_of_test(connection))
    except AnnotatorError as error:
        note_error(connection=connection, error=error.message)
        return False
    open_room(project_id=connection.project_id, run=TESTS, room_nano=ROOM_NANO)
    if not ledger.reserve([call]):
        text = _("At these prices a test could cost more than half a dollar. Check the prices below.")
        raise ActionError(text)
    return _send(connection, ledger, call)


def _send(connection: Connection, ledger: BookedLedger, call: Call) -> bool:
    """Send what was reserved, book it, and keep the result."""
    settled, error, probe = Settled(call, failure=LOST), "", None
    try:
        probe = probe_connection(connection)
        settled = Settled(call, completion=_completion(connection, probe))
    except CallFailed as failed:
        settled, error = Settled(call, failure=failed.failure), failed.message
    except AnnotatorError as refused:
        settled, error = Settled(call, failure=Failure(FailureKind.BLOCKED, refused.message)), refused.message
    finally:
        ledger.settle([settled])
    if probe is None:
        note_error(connection=connection, error=error)
        return False
    record_test(connection=connection, capability=probe.capability.to_state())
    return True


LOST: Final = Failure(FailureKind.DROPPED, "", may_have_cost=True)
"""What a test is booked as that ended in no way we know."""


def _call(reserve_nano: int) -> Call:
    """All requests of a test as one call, never answered from what is stored."""
    return Call(token_hex(32), 0, 0, 0, 0, (), 0, 0.0, reserve_nano)


def _completion(connection: Connection, probe: "Probe") -> Completion:
    return Completion("", "", probe.usage, connection.model, probe.latency_s, probe.cost_nano)
