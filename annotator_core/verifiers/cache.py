"""The exact cache's key: equal requests have equal keys, so that a stored answer is never paid for twice."""

import hashlib
import json
from collections.abc import Sequence

from annotator_core.verifiers.contract import Message, Plan


def call_key(  # noqa: PLR0913 - each of them tells two requests apart, and nothing else does
    identity: str,
    plan: Plan,
    messages: Sequence[Message],
    max_tokens: int,
    temperature: float,
    draw: int,
    ask: int,
) -> str:
    """Return SHA-256 in hex over endpoint and model, parameters (temperature, from 0 up), messages, draw and ask.

    Of the plan count the classes in their order (an answer's form and probabilities follow them) and the strategy; all
    else of it is in the messages or the parameters.
    """
    parts = [
        identity,
        list(plan.classes),
        plan.strategy.value,
        [[message.role, message.content] for message in messages],
        max_tokens,
        repr(float(temperature)),
        draw,
        ask,
    ]
    # JSON escapes whatever a text holds (lone surrogates, too) and keeps neighbours apart.
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()
