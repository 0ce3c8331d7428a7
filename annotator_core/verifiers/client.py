"""An OpenAI-compatible endpoint as an Asker."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from annotator_core.errors import BadInput
from annotator_core.verifiers.capability import Capability, write_body
from annotator_core.verifiers.contract import Call, Completion, Plan, Price, Schema
from annotator_core.verifiers.replies import read_completion
from annotator_core.verifiers.wire import Wire

_KEY: Final = re.compile(r"[\x21-\x7e]+")
_UNKNOWN: Final = Capability()
_DOTS: Final = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and whom to ask: the address up to /v1, the model's name there, a key or none.

    capability: None before the first test, then only what every server knows is asked for. Raises BadInput for a key
    that no header can carry.
    """

    base_url: str
    model: str
    key: str | None = field(repr=False)
    timeout_s: float
    price: Price
    capability: Capability | None = None

    def __post_init__(self) -> None:
        """Take the address as people copy it, up to the path that is asked."""
        object.__setattr__(self, "base_url", self.base_url.strip().rstrip("/").removesuffix("/chat/completions"))
        if self.key and not _KEY.fullmatch(self.key):
            raise BadInput("The key holds spaces or characters that no key has: enter it again.")


class OpenAIAsker:
    """Asks one model over HTTP, from as many threads as call it. Close it, or use it in a ``with`` block."""

    def __init__(self, endpoint: Endpoint, *, allow: Sequence[str] = ()) -> None:
        """Check the address (guard.check_address); nothing is sent yet. Raises AddressRefused."""
        self._endpoint = endpoint
        self._wire = Wire(endpoint.base_url, endpoint.key, endpoint.timeout_s, allow=allow)

    def __repr__(self) -> str:
        """Return where it asks, without the key."""
        return f"OpenAIAsker({self._endpoint!r})"

    @property
    def identity(self) -> str:
        """Address and model: part of every call's key."""
        return f"{self._endpoint.base_url} {self._endpoint.model}"

    @property
    def schema(self) -> Schema:
        """How the model can be asked for an answer's form."""
        return (self._endpoint.capability or _UNKNOWN).schema

    def complete(self, call: Call, plan: Plan) -> Completion:
        """Return the model's answer, with its cost by the endpoint's price. Raises CallFailed, and nothing else.

        Where a server sends the key back (a proxy that shows what it got), the answer has dots in its place.
        """
        endpoint = self._endpoint
        body = write_body(endpoint.model, endpoint.capability or _UNKNOWN, call, plan)
        reply = self._wire.post("/chat/completions", body)
        found = read_completion(reply, call, plan.classes, endpoint.price)
        if not endpoint.key:
            return found
        content, finish, model = (
            one.replace(endpoint.key, _DOTS) for one in (found.content, found.finish, found.model)
        )
        return replace(found, content=content, finish=finish, model=model)

    def close(self) -> None:
        """Close its connections."""
        self._wire.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close its connections."""
        self.close()
