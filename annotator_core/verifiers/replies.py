"""A response of chat/completions as a Completion: read by hand, since a good status promises nothing about a body."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from annotator_core.errors import CallFailed
from annotator_core.verifiers.contract import Call, Completion, Price, Usage
from annotator_core.verifiers.failures import fail_unreadable
from annotator_core.verifiers.logprobs import find_class_probs, read_tokens
from annotator_core.verifiers.money import cost_nano, count_worst_tokens
from annotator_core.verifiers.wire import Reply

_MAX_FINISH: Final = 40
_MAX_MODEL: Final = 200
_MAX_TOKENS: Final = 100_000_000
"""A count above it is a mistake of the server's; chosen."""


def read_completion(reply: Reply, call: Call, classes: Sequence[str], price: Price) -> Completion:
    """Return what a server answered. Raises CallFailed (BAD_RESPONSE) for a body that holds no answer.

    A refusal comes as finish "refusal" with the refusal's words. Where the server counts no tokens, the most that the
    call can have had are booked.
    """
    completion: Completion | None = None
    with suppress(ValueError, TypeError, LookupError, AttributeError, RecursionError):
        completion = _read(json.loads(reply.body), reply.latency_s, call, classes, price)
    # Outside the handler: the decoder's error holds the whole body.
    if completion is None:
        raise CallFailed(fail_unreadable())
    return completion


def _read(data: Any, latency_s: float, call: Call, classes: Sequence[str], price: Price) -> Completion:
    choice = data["choices"][0]
    message = choice["message"]
    refusal = message.get("refusal")
    content = _clean(_read_text(refusal or message.get("content")))
    finish = "refusal" if refusal else _read_word(choice.get("finish_reason"), _MAX_FINISH)
    usage = _read_usage(data.get("usage")) or _estimate_usage(call)
    model = _read_word(data.get("model"), _MAX_MODEL)
    return Completion(content, finish, usage, model, latency_s, cost_nano(usage, price), _read_probs(choice, classes))


def _read_text(content: Any) -> str:
    """Return an answer's text; some servers send it in parts. Raises TypeError for anything else."""
    if isinstance(content, list):
        return "".join(_read_text(part["text"]) for part in content if part.get("type") == "text")
    if content is not None and not isinstance(content, str):
        raise TypeError("content is no text")
    return content or ""


def _clean(text: str) -> str:
    """Return a text that every database and file takes: without NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _read_word(word: Any, size: int) -> str:
    return _clean(word)[:size] if isinstance(word, str) else ""


def _read_usage(usage: Any) -> Usage | None:
    """Return the server's counts, None where it gives none that can be."""
    if not isinstance(usage, Mapping):
        return None
    tokens_in, tokens_out = _read_count(usage.get("prompt_tokens")), _read_count(usage.get("completion_tokens"))
    if tokens_in is None or tokens_out is None:
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else usage.get("prompt_cache_hit_tokens")
    return Usage(tokens_in, min(_read_count(cached) or 0, tokens_in), tokens_out)


def _read_count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_TOKENS
    return value if is_count else None


def _estimate_usage(call: Call) -> Usage:
    return Usage(count_worst_tokens(call.messages), 0, call.max_tokens, is_estimated=True)


def _read_probs(choice: Mapping[str, Any], classes: Sequence[str]) -> tuple[float, ...] | None:
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not content:
        return None
    try:
        return find_class_probs(read_tokens(content), classes)
    except (ValueError, TypeError, LookupError):
        # An answer is an answer without them.
        return None
