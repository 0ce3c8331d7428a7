"""Chat completions as a real server writes them: form, tokens, log-probabilities, the limit of an answer."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from annotator_core.fakes.openai_script import Answerer, Messages, OpenAIScript, Step, fail
from annotator_core.fakes.specialist import FakeSettings, find_answer

_TOKEN: Final = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
_PER_MESSAGE: Final = 3
"""Tokens that OpenAI counts for the frame of a message, and once more for the answer's."""
_CACHE_FROM, _CACHE_STEP = 1_024, 128
"""OpenAI caches prompts from so many tokens on, in such steps."""


def count_tokens(text: str) -> int:
    """Return how many tokens this server counts in a text: words and signs."""
    return len(_TOKEN.findall(text))


def find_item(messages: Messages) -> str:
    """Return the text that the last message asks about: between its marks, else the whole message."""
    content = messages[-1]["content"] if messages else ""
    found = re.findall(r"<data-(\d+)>(.*?)</data-\1>", content, re.DOTALL)
    return found[-1][1] if found else content


def make_answerer(classes: Sequence[str], right: float = 0.8, answers: Mapping[str, str] | None = None) -> Answerer:
    """Return an answerer that names a text's class: the one in `answers`, else the one that all fakes agree on.

    right: the share of texts (by hash, 0 to 1) that get this class; the others get the next one. Where steps are asked
    for, the class stands in a last line.
    """
    settings = FakeSettings(tuple(classes))

    def answer(messages: Messages) -> str:
        item = find_item(messages)
        known = (answers or {}).get(item)
        index = find_answer(item, settings) if known is None else classes.index(known)
        digest = hashlib.sha256(item.encode()).digest()
        is_right = int.from_bytes(digest[:4]) < right * 2**32
        name = classes[index if is_right else (index + 1) % len(classes)]
        return f"The text reads so.\nAnswer: {name}" if "step by step" in messages[-1]["content"] else name

    return answer


def refuse(script: OpenAIScript, body: Mapping[str, Any], authorization: str) -> Step | None:
    """Return how the server refuses what it does not take, as OpenAI does; None for a good request."""
    if script.keys is not None and authorization.removeprefix("Bearer ") not in script.keys:
        return fail(401, code="invalid_api_key")
    if body.get("model") not in (script.model, *script.others):
        return fail(404, code="model_not_found")
    if script.lacks & {*body, _read_form(body)}:
        return fail(400, code="unsupported_parameter")
    return None


def complete(script: OpenAIScript, step: Step, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chat completion of a step: its own text, or the answerer's in the form that is asked for."""
    messages = body["messages"]
    model = str(body.get("model", script.model))
    said = script.others.get(model, script.answerer)(messages) if step.content is None else step.content
    content = _shape(said, body) if step.content is None else said
    tokens = _TOKEN.findall(step.refusal or content)
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or len(tokens)
    message = {
        "role": "assistant",
        "content": None if step.refusal else "".join(tokens[:limit]),
        "refusal": step.refusal,
    }
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "finish_reason": "length" if len(tokens) > limit else step.finish,
        "logprobs": {"content": _spread(tokens[:limit], said, script, body)} if body.get("logprobs") else None,
    }
    completion = {"id": "chatcmpl-fake", "object": "chat.completion", "created": 0, "model": model}
    usage = {} if "usage" in script.lacks else {"usage": _count_usage(script, messages, min(len(tokens), limit))}
    return completion | {"choices": [choice]} | usage


def _shape(said: str, body: Mapping[str, Any]) -> str:
    """Return an answer in the form that is asked for, as a server's grammar forces it."""
    if _read_form(body) == "text" or said.startswith("{"):
        return said
    *steps, last = said.split("\n")
    names = _read_schema(body).get("properties", {"label": None})
    values = {"label": last.removeprefix("Answer: "), "reason": " ".join(steps)}
    return json.dumps({name: values[name] for name in names}, ensure_ascii=False)


def _read_schema(body: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = (body["response_format"].get("json_schema") or {}).get("schema", {})
    return schema


def _count_usage(script: OpenAIScript, messages: Messages, tokens_out: int) -> dict[str, Any]:
    tokens_in = _PER_MESSAGE + sum(_PER_MESSAGE + count_tokens(message["content"]) for message in messages)
    first = messages[0]["content"]
    cached = 0 if first not in script.seen else count_tokens(first) // _CACHE_STEP * _CACHE_STEP
    if count_tokens(first) >= _CACHE_FROM:
        script.seen.add(first)
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _spread(tokens: Sequence[str], said: str, script: OpenAIScript, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return log-probabilities of each token: sure of all but the answer's first, whose rest goes to other classes."""
    first = _TOKEN.findall(said.removeprefix("Answer: "))[:1]
    others = _list_others(body, said)[: body.get("top_logprobs", 0)]
    spread = []
    for token in tokens:
        probs = {token: 1.0}
        if [token] == first and others:
            probs = {token: script.confidence, **dict.fromkeys(others, (1 - script.confidence) / len(others))}
        top = [{"token": text, "logprob": math.log(max(prob, 1e-9)), "bytes": None} for text, prob in probs.items()]
        spread.append({**top[0], "top_logprobs": top})
    return spread


def _list_others(body: Mapping[str, Any], said: str) -> list[str]:
    """Return the first tokens of the classes that were not named; known only where a schema lists the classes."""
    schema = _read_schema(body) if "response_format" in body else {}
    names = schema.get("properties", {}).get("label", {}).get("enum", [])
    return [_TOKEN.findall(name)[0] for name in names if name != said]


def _read_form(body: Mapping[str, Any]) -> str:
    return str((body.get("response_format") or {}).get("type", "text"))
