"""No call begins once enough in a row have failed, whichever threads they were on."""

import pytest

from annotator_core.errors import CallFailed
from annotator_core.verifiers.contract import Call, Completion, Failure, FailureKind, Plan, Usage
from annotator_core.verifiers.gate import NOT_SENT, Gate
from tests.annotator_core.verifiers.conftest import PLAN

CALL = Call("key", 1, 0, 0, 0, (), 8, 0.0, 100)
LOST, BUSY = Failure(FailureKind.DROPPED, "lost"), Failure(FailureKind.RATE_LIMITED, "busy")


class Scripted:
    """Answers, or fails where its script says how."""

    identity, schema = "here a model", "text"

    def __init__(self, *steps: Failure | None) -> None:
        self.steps = list(steps)

    def complete(self, _call: Call, _plan: Plan) -> Completion:
        step = self.steps.pop(0)
        if step is not None:
            raise CallFailed(step)
        return Completion("positive", "stop", Usage(1, 0, 1), "a model", 0.1)


def _try(gate: Gate, times: int) -> list[Failure | None]:
    """What each of so many calls came to; None for an answer."""
    found: list[Failure | None] = []
    for _ in range(times):
        try:
            gate.complete(CALL, PLAN)
            found.append(None)
        except CallFailed as error:
            found.append(error.failure)
    return found


def test_five_failures_in_a_row_shut_it_until_it_is_told_to_go_on() -> None:
    asker = Scripted(*[LOST] * 5, None, LOST)
    gate = Gate(asker)
    assert _try(gate, 8) == [LOST] * 5 + [NOT_SENT] * 3
    assert len(asker.steps) == 2
    gate.count_from(4)
    assert _try(gate, 2) == [None, LOST]


def test_a_good_answer_and_a_wish_for_fewer_requests_are_no_failures_in_a_row() -> None:
    assert NOT_SENT not in _try(Gate(Scripted(*[*[LOST] * 4, None] * 3)), 15)
    assert _try(Gate(Scripted(*[BUSY] * 20)), 20) == [BUSY] * 20


def test_it_goes_on_from_the_failures_that_are_known() -> None:
    gate = Gate(Scripted(LOST))
    gate.count_from(4)
    assert _try(gate, 2) == [LOST, NOT_SENT]
    with pytest.raises(CallFailed, match="called off"):
        gate.complete(CALL, PLAN)
