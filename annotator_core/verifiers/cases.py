"""Questions on their way to a verdict: which calls each needs, what their answers say, when it is decided."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from annotator_core.types import ABSTAIN
from annotator_core.verifiers.cache import call_key
from annotator_core.verifiers.contract import Asker, Call, Completion, Failure, Outcome, Plan, Price, Question, Verdict
from annotator_core.verifiers.draws import join_draws
from annotator_core.verifiers.money import worst_nano
from annotator_core.verifiers.parse import Parsed, read_answer
from annotator_core.verifiers.prompts import answer_limit, write_messages

_AGAIN: Final = frozenset({Outcome.OUTSIDE, Outcome.EMPTY, Outcome.TRUNCATED})
"""What is asked once more: a slip of the model, other than a refusal."""


@dataclass(slots=True)
class Case:
    """One question: what each draw says so far, and the keys of its calls by draw and ask."""

    question: Question
    parsed: dict[int, Parsed] = field(default_factory=dict)
    keys: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Want:
    """One answer that a case needs."""

    case: Case
    draw: int
    ask: int = 0


class Cases:
    """All questions that are open, and the verdicts of those that are not. Equal calls are made once."""

    def __init__(self, plan: Plan, asker: Asker, price: Price) -> None:
        """Start with none."""
        self._plan, self._asker, self._price = plan, asker, price
        self._limit = answer_limit(plan)
        self._waiting: dict[str, list[Want]] = {}
        self._doubtful: list[tuple[Want, str]] = []
        self._decided: deque[Verdict] = deque()

    def open(self, questions: Sequence[Question]) -> list[Want]:
        """Return what new questions need: an answer a draw."""
        cases = [Case(question) for question in questions]
        return [Want(case, draw) for case in cases for draw in range(max(1, self._plan.draws))]

    def list_calls(self, wants: Sequence[Want]) -> list[Call]:
        """Return the calls that answer these wants, without those that are waited for already."""
        calls = []
        for want in wants:
            call = self._write(want)
            want.case.keys[want.draw, want.ask] = call.key
            waiting = self._waiting.setdefault(call.key, [])
            waiting.append(want)
            if len(waiting) == 1:
                calls.append(call)
        return calls

    def answer(self, key: str, completion: Completion) -> list[Want]:
        """Take an answer; return what is to be asked once more."""
        return [again for want in self._waiting.pop(key) for again in self._read(want, completion)]

    def fail(self, key: str, failure: Failure, *, is_sure: bool) -> None:
        """Give a call up: its question abstains, at once if `is_sure`, else when others show the endpoint to work."""
        failed = [(want, failure.message) for want in self._waiting.pop(key)]
        if is_sure:
            self._give_up(failed)
        else:
            self._doubtful += failed

    def confirm(self) -> None:
        """The endpoint works: what was given up was up to the question."""
        failed, self._doubtful = self._doubtful, []
        self._give_up(failed)

    def take_verdicts(self) -> Iterator[Verdict]:
        """Return the verdicts that were not taken yet, once."""
        while self._decided:
            yield self._decided.popleft()

    def _write(self, want: Want) -> Call:
        plan, question = self._plan, want.case.question
        messages = write_messages(plan, question, capability_schema=self._asker.schema, ask=want.ask)
        identity = self._asker.identity
        key = call_key(identity, plan, messages, self._limit, plan.temperature, want.draw, want.ask)
        reserve = worst_nano(messages, self._limit, self._price)
        return Call(key, question.id, want.draw, want.ask, 0, messages, self._limit, plan.temperature, reserve)

    def _read(self, want: Want, completion: Completion) -> list[Want]:
        parsed = read_answer(
            completion.content,
            self._plan,
            finish=completion.finish,
            class_probs=completion.class_probs,
            text=want.case.question.text,
            is_held=self._asker.schema == "json_schema",
        )
        if parsed.outcome in _AGAIN and want.ask == 0:
            return [Want(want.case, want.draw, ask=1)]
        self._decide(want, parsed)
        return []

    def _give_up(self, failed: Sequence[tuple[Want, str]]) -> None:
        for want, why in failed:
            self._decide(want, Parsed(ABSTAIN, Outcome.FAILED, why))

    def _decide(self, want: Want, parsed: Parsed) -> None:
        case = want.case
        case.parsed[want.draw] = parsed
        if len(case.parsed) < max(1, self._plan.draws):
            return
        joined = join_draws([case.parsed[draw] for draw in sorted(case.parsed)], self._plan)
        keys = _list_keys(case.keys)
        self._decided.append(
            Verdict(case.question.id, joined.class_index, joined.outcome, joined.confidence, joined.reason, keys)
        )


def _list_keys(keys: Mapping[tuple[int, int], str]) -> tuple[str, ...]:
    return tuple(keys[place] for place in sorted(keys))
