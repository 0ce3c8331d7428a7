"""What a verifier is asked and what it answers: the values that prompts, client, pacing and ledger share.

Money is counted in whole nano-dollars (1e-9 USD), so that sums are exact in every database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol

NANO: Final = 1_000_000_000
"""Nano-dollars in a dollar."""


class Strategy(StrEnum):
    """How a question is put. Source: AutoAnnotator (arXiv 2506.16393), Table 3; few-shot by similarity is ours."""

    ZERO_SHOT = "zero-shot"
    ONE_SHOT = "one-shot"
    FEW_SHOT = "few-shot"
    CHAIN_OF_THOUGHT = "chain-of-thought"


class Outcome(StrEnum):
    """What became of a question. Only ANSWERED has a class; every other one abstains and goes to a person."""

    ANSWERED = "answered"
    OUTSIDE = "outside"
    EMPTY = "empty"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    SPLIT = "split"
    FAILED = "failed"


class FailureKind(StrEnum):
    """Why a call gave no completion."""

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    DROPPED = "dropped"
    BAD_RESPONSE = "bad_response"
    TOO_LARGE = "too_large"
    BLOCKED = "blocked"
    NOT_SENT = "not_sent"


PERMANENT: Final = frozenset(
    {FailureKind.UNAUTHORIZED, FailureKind.FORBIDDEN, FailureKind.NOT_FOUND, FailureKind.BLOCKED}
)
"""Failures of the connection itself: nothing else that is asked of it can succeed before a person mends it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """A human-verified text with its class name, shown before the question."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class ShownVote:
    """A specialist's vote as a question may show it: class name None for an abstention, probability 0 to 1."""

    specialist: str
    label: str | None
    probability: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is asked: the same for all questions of a run.

    draws: how many times each question is put; more than one gives a confidence by agreement and wants a temperature
    above 0. max_tokens: of an answer, None for the strategy's own limit. guideline: what people are told, may be empty.
    """

    classes: tuple[str, ...]
    strategy: Strategy = Strategy.ZERO_SHOT
    shows_votes: bool = False
    draws: int = 1
    temperature: float = 0.0
    max_tokens: int | None = None
    guideline: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One text to decide. id: the caller's own number, returned with the verdict."""

    id: int
    text: str
    votes: tuple[ShownVote, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens: in, in from the provider's cache, out. All at least 0."""

    input_usd: float
    cached_usd: float
    output_usd: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the server counted them; is_estimated where it counted none. cached are part of in."""

    tokens_in: int
    tokens_cached: int
    tokens_out: int
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request about to be sent.

    key: SHA-256 in hex of endpoint, model, parameters, messages, draw and ask: the exact cache's key. draw: 0 to
    draws - 1. ask: 0, or 1 when an answer outside the set is asked again. tries: requests of this key that failed
    before. temperature: of the sampling, 0 or more. reserve_nano: the most that it can cost.
    """

    key: str
    question_id: int
    draw: int
    ask: int
    tries: int
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float
    reserve_nano: int


@dataclass(frozen=True, slots=True)
class Completion:
    """What a server answered. class_probs (k,): from log-probabilities, 0 to 1, None where the server gives none.

    finish: the server's finish_reason. latency_s: wall time of the request. cost_nano: by the price at hand.
    """

    content: str
    finish: str
    usage: Usage
    model: str
    latency_s: float
    cost_nano: int = 0
    class_probs: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call gave nothing. message: for a person, never a piece of the response. status: HTTP, where one came.

    may_have_cost: the request reached the server, which may have worked for it: the call is booked at its reserve.
    """

    kind: FailureKind
    message: str
    status: int | None = None
    retry_after_s: float | None = None
    may_have_cost: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """A call that is over: exactly one of completion and failure is set."""

    call: Call
    completion: Completion | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question. class_index: 0 to k - 1, ABSTAIN unless outcome is ANSWERED.

    confidence: 0 to 1, from log-probabilities or agreement over draws, None where neither is there. reason: the model's
    own words, or why there is no class; for a person, untrusted text. keys: of the calls behind it, in order.
    """

    question_id: int
    class_index: int
    outcome: Outcome
    confidence: float | None = None
    reason: str = ""
    keys: tuple[str, ...] = ()


Schema = Literal["json_schema", "json_object", "text"]
"""How an answer's form is asked for: by a schema with the classes as an enum, as any JSON object, or in words only."""


class Asker(Protocol):
    """Sends one call to one model. Called from several threads at once."""

    @property
    def identity(self) -> str:
        """Endpoint and model, without any key: part of every call's key."""
        ...

    @property
    def schema(self) -> Schema:
        """How the model can be asked for an answer's form: prompts are written for it."""
        ...

    def complete(self, call: Call, plan: Plan) -> Completion:
        """Return the model's answer. Raises CallFailed, and nothing else."""
        ...


class Ledger(Protocol):
    """Who pays and who remembers. Always called from the thread that asks, never from two at once."""

    def recall(self, keys: Sequence[str]) -> Mapping[str, Completion]:
        """Return the stored completions among these keys: they are never asked again."""
        ...

    def reserve(self, calls: Sequence[Call]) -> int:
        """Set money aside for the first calls that there is room for; return how many. Nothing is sent before."""
        ...

    def settle(self, settled: Sequence[Settled]) -> None:
        """Store what became of reserved calls, and book what they cost in place of what was set aside."""
        ...
