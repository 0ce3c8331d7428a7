"""What an endpoint's model can be asked for: found by small real requests, kept with the connection."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from annotator_core.errors import BadInput, CallFailed
from annotator_core.verifiers.contract import Call, Completion, FailureKind, Message, Plan, Schema, Usage
from annotator_core.verifiers.prompts import answer_schema
from annotator_core.verifiers.replies import read_completion
from annotator_core.verifiers.wire import Wire

if TYPE_CHECKING:
    from annotator_core.verifiers.client import Endpoint

MaxTokensName = Literal["max_tokens", "max_completion_tokens"]
TOP_LOGPROBS: Final = 5
"""Tokens beside the chosen one; chosen: what every server allows that gives any."""
_PLAN: Final = Plan(("cat", "dog"))
_QUESTION: Final = "Which animal barks, a cat or a dog? Answer with one word."
_JSON_QUESTION: Final = 'Which animal barks, a cat or a dog? Respond with one JSON object: {"label": "cat or dog"}'
_MAX_TOKENS: Final = 256
_MAX_MODELS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Capability:
    """What is sent to a model beside the messages. note: what a person should know about it, may be empty."""

    schema: Schema = "text"
    has_logprobs: bool = False
    max_tokens_name: MaxTokensName = "max_tokens"
    has_temperature: bool = True
    note: str = ""

    def to_state(self) -> dict[str, str | bool]:
        """Return it as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Capability":
        """Return what `to_state` gave. Raises BadInput for anything else."""
        known = {field.name: state[field.name] for field in fields(cls) if field.name in state}
        flags = [known.get("has_logprobs", False), known.get("has_temperature", True)]
        if (
            known.get("schema", "text") not in get_args(Schema)
            or known.get("max_tokens_name", "max_tokens") not in get_args(MaxTokensName)
            or not all(isinstance(flag, bool) for flag in flags)
        ):
            raise BadInput("What is kept about the model's abilities cannot be read: test the connection again.")
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Probe:
    """What a test found. usage, cost_nano: of all its requests that were answered. latency_s: of the plainest one.

    models: names the endpoint lists, None where it lists none.
    """

    capability: Capability
    usage: Usage
    cost_nano: int
    requests: int
    models: tuple[str, ...] | None
    latency_s: float


def write_body(model: str, capability: Capability, call: Call, plan: Plan) -> dict[str, Any]:
    """Return the JSON that asks a model one call, with all that it is able to take."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": _encode(message.content)} for message in call.messages],
        capability.max_tokens_name: call.max_tokens,
    }
    if capability.has_temperature:
        body["temperature"] = call.temperature
    if not plan.classes:
        return body  # A question in free words: the form of its answer is its own business.
    if capability.schema == "json_schema":
        schema = {"name": "answer", "strict": True, "schema": answer_schema(plan)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif capability.schema == "json_object":
        body["response_format"] = {"type": "json_object"}
    if capability.has_logprobs:
        body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    return body


def probe(endpoint: "Endpoint", allow: Sequence[str] = ()) -> Probe:
    """Return what an endpoint's model can do, by at most eight small requests.

    Raises AddressRefused, and CallFailed where even the plainest question gets no answer.
    """
    wire = Wire(endpoint.base_url, endpoint.key, endpoint.timeout_s, allow=allow)
    try:
        prober = _Prober(wire, endpoint)
        plain, first = prober.find_plain()
        capability = prober.find_logprobs(prober.find_schema(plain))
        models = _list_models(wire)
        note = _write_note(endpoint.model, capability, first, models)
        return Probe(
            replace(capability, note=note), prober.usage, prober.cost_nano, prober.requests, models, first.latency_s
        )
    finally:
        wire.close()


class _Prober:
    """Asks small questions and counts what they cost."""

    def __init__(self, wire: Wire, endpoint: "Endpoint") -> None:
        self._wire, self._endpoint = wire, endpoint
        self.usage, self.cost_nano, self.requests = Usage(0, 0, 0), 0, 0

    def find_plain(self) -> tuple[Capability, Completion]:
        """Return the first way of naming the limit and the temperature that the model takes, and its answer."""
        *others, last = _list_plain()
        for capability in others:
            try:
                return capability, self._ask(capability, _QUESTION)
            except CallFailed as error:
                if error.failure.kind is not FailureKind.REJECTED:
                    raise
        return last, self._ask(last, _QUESTION)

    def find_schema(self, capability: Capability) -> Capability:
        """Return the capability with the firmest form that the model keeps to, not only accepts."""
        forms: tuple[tuple[Schema, str], ...] = (("json_schema", _QUESTION), ("json_object", _JSON_QUESTION))
        for schema, question in forms:
            tried = replace(capability, schema=schema)
            answer = self._try(tried, question)
            if answer is not None and _keeps_form(answer.content):
                return tried
        return capability

    def find_logprobs(self, capability: Capability) -> Capability:
        """Return the capability with log-probabilities where the answer to a question for them has some."""
        tried = replace(capability, has_logprobs=True)
        answer = self._try(tried, _QUESTION if capability.schema != "json_object" else _JSON_QUESTION)
        return tried if answer is not None and answer.class_probs is not None else capability

    def _try(self, capability: Capability, question: str) -> Completion | None:
        """Return the answer, None where the endpoint does not take the request or fails at it."""
        try:
            return self._ask(capability, question)
        except CallFailed as error:
            if error.failure.kind not in _UNABLE:
                raise
            return None

    def _ask(self, capability: Capability, question: str) -> Completion:
        call = Call("", 0, 0, 0, 0, (Message("user", question),), _MAX_TOKENS, 0.0, 0)
        self.requests += 1
        reply = self._wire.post("/chat/completions", write_body(self._endpoint.model, capability, call, _PLAN))
        answer = read_completion(reply, call, _PLAN.classes, self._endpoint.price)
        self.usage = _add(self.usage, answer.usage)
        self.cost_nano += answer.cost_nano
        return answer


_UNABLE: Final = frozenset({FailureKind.REJECTED, FailureKind.SERVER_ERROR, FailureKind.BAD_RESPONSE})
"""How servers answer what they do not know: mostly 400, some 500."""


def _list_plain() -> list[Capability]:
    names: tuple[MaxTokensName, ...] = get_args(MaxTokensName)
    return [Capability(max_tokens_name=name, has_temperature=has) for has in (True, False) for name in names]


def _keeps_form(content: str) -> bool:
    try:
        return json.loads(content).get("label") in _PLAN.classes
    except (ValueError, AttributeError, RecursionError):
        return False


def _add(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.tokens_in + other.tokens_in,
        one.tokens_cached + other.tokens_cached,
        one.tokens_out + other.tokens_out,
        one.is_estimated or other.is_estimated,
    )


def _list_models(wire: Wire) -> tuple[str, ...] | None:
    """Return the names of the endpoint's models; many endpoints list none, and need not."""
    try:
        listed = json.loads(wire.get("/models").body)["data"]
        return tuple(str(model["id"])[:200] for model in listed[:_MAX_MODELS])
    except (CallFailed, ValueError, TypeError, LookupError, RecursionError):
        return None


def _write_note(model: str, capability: Capability, first: Completion, models: Sequence[str] | None) -> str:
    notes = []
    if first.finish == "length":
        notes.append("The model used up 256 tokens on a one-word answer: it thinks first, and its answers need room.")
    if first.usage.is_estimated:
        notes.append("The endpoint counts no tokens: every call is booked at the most it can cost.")
    if capability.schema == "text":
        notes.append("Answers keep to a form by words only.")
    if models is not None and model not in models:
        notes.append("The endpoint does not list this model, though it answers under its name.")
    return " ".join(notes)


def _encode(text: str) -> str:
    """Return a text that can be sent: lone surrogates have no form in UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
