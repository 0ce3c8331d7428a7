"""One question in free words to a language model, paid and remembered by a ledger like every other call."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from annotator_core.errors import BadInput, BudgetReached, CallFailed
from annotator_core.verifiers.cache import call_key
from annotator_core.verifiers.contract import (
    Asker,
    Call,
    Completion,
    FailureKind,
    Ledger,
    Message,
    Plan,
    Price,
    Settled,
)
from annotator_core.verifiers.money import worst_nano
from annotator_core.verifiers.pace import Pace

MAX_TOKENS: Final = 1_000
"""Of an answer; chosen: the answers have some ten tokens, and models that think aloud need room before them."""
TRIES: Final = 3
FREE: Final = Plan(classes=(), max_tokens=MAX_TOKENS)
"""A plan without classes: the answer's form is the question's business."""
_LONGEST_ANSWER: Final = 20_000

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Whom to ask, who pays, and what it costs. max_tokens: of an answer.

    pace: what is known of the endpoint over all questions; None to begin anew with each.
    """

    asker: Asker
    ledger: Ledger
    price: Price
    max_tokens: int = MAX_TOKENS
    pace: Pace | None = None

    def ask(self, system: str, user: str, read: Callable[[str], Answer]) -> Answer:
        """Return what ``read`` makes of the answer; one that it cannot read (ValueError) is asked for once more.

        Raises BudgetReached, ConnectionBroken, TryLater (the server asks for a pause, or fails too often by the pace),
        CallFailed (it failed three times) and BadInput (two unreadable answers).
        """
        messages = (Message("system", system), Message("user", user))
        for ask in range(2):
            content = self._complete(messages, ask).content
            try:
                return read(content)
            except ValueError:
                continue
        raise BadInput("The language model's answer could not be read, not even the second one.")

    def _complete(self, messages: tuple[Message, ...], ask: int) -> Completion:
        plan, limit = replace(FREE, max_tokens=self.max_tokens), self.max_tokens
        key = call_key(self.asker.identity, plan, messages, limit, 0.0, 0, ask)
        if stored := self.ledger.recall([key]).get(key):
            return stored
        reserve, pace = worst_nano(messages, limit, self.price), self.pace or Pace(1)
        for tries in range(TRIES):
            call = Call(key, 0, 0, ask, tries, messages, limit, 0.0, reserve)
            if not self.ledger.reserve([call]):
                raise BudgetReached("The budget has no room for another call.")
            pace.note_sent(1)
            try:
                completion = self.asker.complete(call, plan)
            except CallFailed as error:
                self.ledger.settle([Settled(call, failure=error.failure)])
                _give_up(error, pace, tries)
            else:
                self.ledger.settle([Settled(call, completion=completion)])
                pace.note_success()
                return completion
        raise AssertionError("the last try ends above")


def _give_up(error: CallFailed, pace: Pace, tries: int) -> None:
    failure = error.failure
    pace.note_failure(failure, tries)
    if failure.kind is FailureKind.RATE_LIMITED or failure.retry_after_s:
        pace.leave(failure)  # one that waits here for a few seconds holds a hand for a single question
    ending = pace.take_ending()
    if ending is not None:
        raise ending from error
    if tries + 1 == TRIES or failure.kind is FailureKind.REJECTED:
        raise error


def read_object(content: str) -> dict[str, Any]:
    """Return the JSON object that an answer is, in a code fence or not; raise ValueError for anything else.

    >>> read_object('```json\\n{"a": 1}\\n```')
    {'a': 1}
    """
    text = content.strip()
    if text.startswith("```"):
        text = text.partition("\n")[2].rpartition("```")[0]
    try:
        found = json.loads(text[:_LONGEST_ANSWER])
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found
