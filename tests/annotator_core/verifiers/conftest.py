"""A fake endpoint over real HTTP on the loopback, one asker of it, and a clock that waiting moves on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.openai_script import OpenAIScript, Step
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.verifiers.capability import Capability
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Plan, Price, Question
from annotator_core.verifiers.pace import Pace

ALLOW = ("127.0.0.1",)
CLASSES = ("negative", "positive")
KEY = "sk-a-key-that-nobody-may-see"
PLAN = Plan(CLASSES)
PRICE = Price(1.0, 0.5, 4.0)


class Clock:
    """Time that passes by waiting only."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, concurrency: int = 4, requests_per_minute: int | None = None) -> Pace:
        return Pace(concurrency, requests_per_minute, clock=self, sleep=self.sleep)


def ask_about(n_questions: int) -> list[Question]:
    return [Question(number, f"this is text {number}") for number in range(n_questions)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[OpenAIScript, OpenAIAsker]]]:
    """Start a fake endpoint with these steps and the asker of it."""
    with ExitStack() as stack:

        def start(
            *steps: Step, timeout_s: float = 5.0, capability: Capability | None = None, key: str | None = KEY, **options
        ) -> tuple[OpenAIScript, OpenAIAsker]:
            script = OpenAIScript(options.pop("answerer", make_answerer(CLASSES)), steps=list(steps), **options)
            server = stack.enter_context(FakeOpenAI(script))
            endpoint = Endpoint(server.url, script.model, key, timeout_s, PRICE, capability)
            return script, stack.enter_context(OpenAIAsker(endpoint, allow=ALLOW))

        yield start
