"""What an answer says: one class, or why there is none. Strict: whatever could be misread is no answer.

An answer is a JSON object with a label, or a class name alone, or with chain of thought a last line "Answer: LABEL".
"""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Outcome, Plan, Strategy

_REFUSALS: Final = frozenset({"refusal", "content_filter"})
"""finish_reason values of an answer that was withheld; ``refusal`` is what the client says for a refusal field."""
_CUT: Final = frozenset({"length", "max_tokens"})
_SHOWN: Final = 200
"""Characters of an unusable answer that a person is shown; chosen."""
_FENCE: Final = re.compile(r"```(?:json)?[ \t]*\n(.*)\n?```", re.DOTALL | re.IGNORECASE)
_LAST_LINES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:final )?answer\s*:\s*(.+)",
        r"\*\*(?:final )?answer\s*:\s*\*\*\s*(.+)",
        r"\*\*(?:final )?answer\s*:\s*(.+)\*\*",
    )
)
_DRESS: Final = ('""', "''", "``", "“”", "‘’", "«»")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one answer says. class_index: 0 to k - 1, ABSTAIN unless outcome is ANSWERED.

    reason: the model's own words, or why there is no class; untrusted text for a person. confidence: 0 to 1, that of
    the class by class_probs (k,); both None where the server gave no log-probabilities.
    """

    class_index: int
    outcome: Outcome
    reason: str = ""
    confidence: float | None = None
    class_probs: tuple[float, ...] | None = None


def read_answer(
    content: str,
    plan: Plan,
    *,
    finish: str,
    class_probs: Sequence[float] | None = None,
    text: str = "",
    is_held: bool = False,
) -> Parsed:
    """Return what an answer says about the plan's classes; never a default class.

    finish: the server's finish_reason, or "refusal". class_probs: one for each class, 0 to 1, None where the server
    told none. text: the item's own; a JSON answer or last line that is copied from it is not the model's, and where it
    is nothing but a class name, that name alone may be an echo. is_held: the server's grammar held the answer to the
    plan's JSON, which no echo is. A cut answer is none, even where what is left names a class.
    """
    if finish in _REFUSALS:
        return _fail(Outcome.REFUSED, "The model refused to answer", content)
    if finish in _CUT:
        return _fail(Outcome.TRUNCATED, "The answer was cut at its limit of tokens", content)
    if not content.strip():
        return Parsed(ABSTAIN, Outcome.EMPTY, "The answer is empty.")
    readings = [
        reading
        for read in (_read_json, _read_whole, _read_last_line)
        if (reading := read(content.strip(), plan, text)) is not None
    ]
    found = {index for index, _reason in readings}
    if len(found) != 1 or ABSTAIN in found:
        return _fail(Outcome.OUTSIDE, "The answer does not name exactly one of the classes", content)
    index, reason = found.pop(), readings[0][1]
    if not reason and not (is_held and content.lstrip().startswith("{")) and find_class(text, plan.classes) == index:
        return _fail(Outcome.OUTSIDE, "The text is this class's name, and the answer may be an echo of it", content)
    probs = None if class_probs is None else tuple(class_probs)
    return Parsed(index, Outcome.ANSWERED, reason, None if probs is None else probs[index], probs)


def find_class(name: str, classes: Sequence[str]) -> int:
    """Return the class of this name, else ABSTAIN: as written, then by case and Unicode form, then without quotes.

    A name that fits two classes equally well fits none.

    >>> find_class("Very positive.", ["positive", "very positive"]), find_class("us", ["US", "Us"])
    (1, -1)
    """
    forms: tuple[Callable[[str], str], ...] = (str.strip, _fold, lambda written: _fold(_undress(written)))
    for form in forms:
        wanted = form(name)
        fitting = [index for index, known in enumerate(classes) if form(known) == wanted]
        if wanted and fitting:
            return fitting[0] if len(fitting) == 1 else ABSTAIN
    return ABSTAIN


_Reading = tuple[int, str] | None
"""A class index (ABSTAIN: in this form, but no one class) with a reason, or None for an answer in another form."""


def _read_json(content: str, plan: Plan, text: str) -> _Reading:
    fenced = _FENCE.fullmatch(content)
    written = (fenced.group(1) if fenced else content).strip()
    if not written.startswith("{"):
        return None
    try:
        value = json.loads(written, object_pairs_hook=_keep_apart)
    except (ValueError, RecursionError):
        # What is no JSON may still be a class name that begins with a brace.
        return None
    # Copied from the item's text, it is the item's, whatever it says.
    if _squeeze(written) in _squeeze(text):
        return ABSTAIN, ""
    label = value.get("label")
    if isinstance(label, bool | int):
        label = json.dumps(label)
    reason = value.get("reason")
    index = find_class(label, plan.classes) if isinstance(label, str) else ABSTAIN
    return index, reason.strip() if isinstance(reason, str) else ""


def _keep_apart(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _value in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _read_whole(content: str, plan: Plan, _text: str) -> _Reading:
    index = find_class(content, plan.classes)
    return None if index == ABSTAIN else (index, "")


def _read_last_line(content: str, plan: Plan, text: str) -> _Reading:
    if plan.strategy is not Strategy.CHAIN_OF_THOUGHT:
        return None
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    named = [_find_in_line(line, plan.classes) for line in lines]
    if named[-1] is None:
        return None
    # A line that the item holds may be quoted, and of two that differ one may be: which is not for us to guess.
    if _squeeze(lines[-1]) in _squeeze(text) or len(set(named) - {None}) > 1:
        return ABSTAIN, ""
    return named[-1], "\n".join(lines[:-1])


def _find_in_line(line: str, classes: Sequence[str]) -> int | None:
    """Return the class that a line "Answer: LABEL" names, ABSTAIN for no class, None for another line."""
    found = [match.group(1) for pattern in _LAST_LINES if (match := pattern.fullmatch(line))]
    indexes = [find_class(name, classes) for name in found]
    return max(indexes, default=None)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()


def _squeeze(written: str) -> str:
    return "".join(_fold(written).split())


def _undress(name: str) -> str:
    """Return a name without one pair of quotes, one of bold marks and one full stop around it, in any order."""
    bare = name.strip()
    for _ in range(3):
        bare = bare.removesuffix(".").strip()
        if len(bare) > 4 and bare.startswith("**") and bare.endswith("**"):
            bare = bare[2:-2].strip()
        if len(bare) > 2 and bare[0] + bare[-1] in _DRESS:
            bare = bare[1:-1].strip()
    return bare


def _fail(outcome: Outcome, why: str, content: str) -> Parsed:
    words = " ".join(content.split())
    shown = words[:_SHOWN] + ("…" if len(words) > _SHOWN else "")
    return Parsed(ABSTAIN, outcome, f"{why}: {shown}" if shown else f"{why}.")
