"""A ledger in memory: for the shell, benchmarks and tests."""

from collections.abc import Mapping, Sequence

from annotator_core.verifiers.contract import Call, Completion, Settled


class MemoryLedger:
    """A Ledger with a hard cap: spent_nano + reserved_nano <= cap_nano before anything is sent. None is no cap.

    `stored` are the completions by key; give those of an earlier run to go on with it. `settled` is every call that is
    over, in order.
    """

    def __init__(self, cap_nano: int | None = None, stored: Mapping[str, Completion] | None = None) -> None:
        """Start with nothing spent."""
        self.cap_nano = cap_nano
        self.spent_nano = 0
        self.reserved_nano = 0
        self.stored: dict[str, Completion] = dict(stored or {})
        self.settled: list[Settled] = []

    def recall(self, keys: Sequence[str]) -> Mapping[str, Completion]:
        """Return the stored completions among these keys."""
        return {key: self.stored[key] for key in keys if key in self.stored}

    def reserve(self, calls: Sequence[Call]) -> int:
        """Set money aside for the first calls that there is room for; return how many."""
        for count, call in enumerate(calls):
            wanted = self.spent_nano + self.reserved_nano + call.reserve_nano
            if self.cap_nano is not None and wanted > self.cap_nano:
                return count
            self.reserved_nano += call.reserve_nano
        return len(calls)

    def settle(self, settled: Sequence[Settled]) -> None:
        """Book what calls cost in place of what was set aside, and keep the answers."""
        for one in settled:
            self.reserved_nano -= one.call.reserve_nano
            self.spent_nano += find_cost(one)
            if one.completion is not None:
                self.stored[one.call.key] = one.completion
            self.settled.append(one)


def find_cost(settled: Settled) -> int:
    """Return what a call is booked at, in nano-dollars: its price, or its reserve where its answer was lost."""
    if settled.completion is not None:
        return settled.completion.cost_nano
    return settled.call.reserve_nano if settled.failure is not None and settled.failure.may_have_cost else 0
