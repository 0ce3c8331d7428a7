"""How sure a model was of its class: from the log-probabilities of the tokens in which it named it."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_LABEL: Final = re.compile(r'"label"\s*:\s*"')
_MIN_MASS: Final = 0.5
"""Of the probability that is known to belong to classes; below it the rest could turn the answer. Chosen."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer: as written, and probabilities (0 to 1) of it and of others in its place."""

    text: str
    probs: Mapping[str, float]


def read_tokens(content: Any) -> tuple[Token, ...]:
    """Return the tokens of a response's ``logprobs.content``. Raises ValueError or its like for another form."""
    return tuple(
        Token(
            str(entry["token"]),
            {
                str(other["token"]): math.exp(min(0.0, float(other["logprob"])))
                for other in [*entry["top_logprobs"], entry]
            },
        )
        for entry in content
    )


def find_class_probs(tokens: Sequence[Token], classes: Sequence[str]) -> tuple[float, ...] | None:
    """Return probabilities (k,) that sum to 1; None where the tokens tell too little.

    The answer's tokens are followed from where its class name begins. At each place every other token that leads to
    one class only adds what it would have had; the way goes on until one class is left.
    """
    content = "".join(token.text for token in tokens)
    found = list(_LABEL.finditer(content)) if content.lstrip().startswith("{") else []
    start = found[-1].end() if found else len(content) - len(content.lstrip())
    ends = '"' if found else ""
    names = [(json.dumps(name, ensure_ascii=False)[1:-1] if found else name) + ends for name in classes]
    mass = _follow(tokens, start, names)
    total = sum(mass)
    return tuple(one / total for one in mass) if total >= _MIN_MASS else None


def _follow(tokens: Sequence[Token], start: int, names: Sequence[str]) -> list[float]:
    mass, way, prefix, at = [0.0] * len(names), 1.0, "", 0
    for token in tokens:
        skip, at = max(0, start - at), at + len(token.text)
        if at <= start:
            continue
        for text, prob in token.probs.items():
            fitting = _fit(prefix + text[skip:], names) if text[:skip] == token.text[:skip] else []
            if text != token.text and len(fitting) == 1:
                mass[fitting[0]] += way * prob
        prefix, way = prefix + token.text[skip:], way * token.probs[token.text]
        fitting = _fit(prefix, names)
        if len(fitting) <= 1:
            break
    # Of names that begin alike the one that is whole stands there: "good", where "good enough" is another.
    fitting = [index for index in _fit(prefix, names) if prefix.startswith(names[index])] or _fit(prefix, names)
    if len(fitting) == 1:
        mass[fitting[0]] += way
    return mass


def _fit(written: str, names: Sequence[str]) -> list[int]:
    """Return the names that what is written so far begins, or that it has in full."""
    return [index for index, name in enumerate(names) if name.startswith(written) or _is_whole(written, name)]


def _is_whole(written: str, name: str) -> bool:
    return written.startswith(name) and not (name[-1:].isalnum() and written[len(name) : len(name) + 1].isalnum())
