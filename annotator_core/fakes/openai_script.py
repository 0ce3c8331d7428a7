"""What a fake OpenAI-compatible server does, step by step, and what it was asked."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Messages = Sequence[Mapping[str, str]]
Answerer = Callable[[Messages], str]
"""From the messages of a request to the answer's text."""
Gap = Literal[
    "json_schema", "json_object", "logprobs", "max_tokens", "max_completion_tokens", "temperature", "usage", "models"
]
"""What a server can lack: it answers 400 to it, and leaves `usage` and `models` out."""


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one request to chat/completions: by default a good answer.

    content: None asks the answerer; else it is sent as it is. body: bytes in place of a chat completion. delay_s:
    before the first byte. is_dropped: the connection closes without an answer. cut_after: bytes of the body that are
    sent before it closes. drip_s: pause after each hundred bytes of the body.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: str | None = None
    refusal: str | None = None
    finish: str = "stop"
    body: bytes | None = None
    content_type: str = "application/json"
    delay_s: float = 0.0
    is_dropped: bool = False
    cut_after: int | None = None
    drip_s: float = 0.0


def fail(status: int, headers: Mapping[str, str] | None = None, *, code: str = "failed") -> Step:
    """Return a step that answers a status with an error as OpenAI writes it."""
    error = {"error": {"message": "a message of the server", "type": "error", "param": None, "code": code}}
    return Step(status=status, headers=headers or {}, body=json.dumps(error).encode())


def send(body: bytes, content_type: str = "application/json") -> Step:
    """Return a step that answers these bytes with status 200."""
    return Step(body=body, content_type=content_type)


def say(content: str, *, finish: str = "stop") -> Step:
    """Return a step that answers this text whatever form was asked for."""
    return Step(content=content, finish=finish)


OK: Final = Step()
DROP: Final = Step(is_dropped=True)
HTML: Final = send(b"<!doctype html><title>Welcome</title>", "text/html")
NOTHING: Final = send(b"{}")
TRUNCATED: Final = Step(cut_after=40)
REFUSAL: Final = Step(refusal="I cannot help with that.")
EMPTY: Final = say("")
OUTSIDE: Final = say("none of these, I would say")
LARGE: Final = say("x" * 2_000_000)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came: headers with names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(slots=True)
class OpenAIScript:
    """How a fake server behaves and what it was asked.

    steps are used up in order, then `rest` for ever. others: more models behind the address, by name, and how each
    answers. listed: models that it names, None for its own. keys: what it
    takes as keys, None for any and none. confidence: probability, 0 to 1, of the answer's class in log-probabilities.
    asked: every request so far. seen: first messages that are in its cache. most_at_once: requests to chat/completions
    that were open at the same time.
    """

    answerer: Answerer
    steps: list[Step] = field(default_factory=list)
    rest: Step = OK
    model: str = "fake-model"
    others: Mapping[str, Answerer] = field(default_factory=dict)
    listed: tuple[str, ...] | None = None
    lacks: frozenset[Gap] = frozenset()
    keys: frozenset[str] | None = None
    confidence: float = 0.9
    asked: list[Asked] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    most_at_once: int = 0

    def list_questions(self) -> list[Asked]:
        """Return the requests to chat/completions."""
        return [asked for asked in self.asked if asked.path.endswith("/chat/completions")]
