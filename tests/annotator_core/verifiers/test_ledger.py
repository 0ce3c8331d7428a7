"""The ledger in memory: set aside, settle, recall."""

from annotator_core.verifiers.contract import Call, Completion, Failure, FailureKind, Settled, Usage
from annotator_core.verifiers.ledger import MemoryLedger

ANSWER = Completion("a", "stop", Usage(1, 0, 1), "m", 0.1, cost_nano=30)


def _call(key: str) -> Call:
    return Call(key, 1, 0, 0, 0, (), 16, 0.0, 100)


def test_the_first_calls_that_there_is_room_for_are_paid() -> None:
    ledger = MemoryLedger(cap_nano=250)
    assert ledger.reserve([_call("a"), _call("b"), _call("c")]) == 2
    assert (ledger.reserved_nano, ledger.spent_nano, ledger.reserve([_call("c")])) == (200, 0, 0)


def test_settling_books_what_it_cost() -> None:
    ledger = MemoryLedger(cap_nano=300)
    calls = [_call("a"), _call("b"), _call("c")]
    ledger.reserve(calls)
    lost = Failure(FailureKind.TIMEOUT, "late", may_have_cost=True)
    refused = Failure(FailureKind.RATE_LIMITED, "busy")
    ledger.settle([Settled(calls[0], ANSWER), Settled(calls[1], failure=lost), Settled(calls[2], failure=refused)])
    assert (ledger.reserved_nano, ledger.spent_nano) == (0, 30 + 100)
    assert ledger.recall(["a", "b", "c", "d"]) == {"a": ANSWER}
    assert len(ledger.settled) == 3


def test_without_a_cap_all_is_paid_and_earlier_answers_are_known() -> None:
    ledger = MemoryLedger(stored={"a": ANSWER})
    assert ledger.reserve([_call(str(number)) for number in range(1_000)]) == 1_000
    assert ledger.recall(["a"]) == {"a": ANSWER}
