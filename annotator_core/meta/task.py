"""What models are searched for: the task in words, as a person or a card would tell it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_DESCRIPTION_CHARS: Final = 4_000
MAX_TEXT_CHARS: Final = 500
"""Of a sample text that a language model sees; chosen: it is to see the kind of text, not to read it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A project's task. texts: a few samples, which leave this machine only where a language model is asked."""

    description: str
    classes: tuple[str, ...]
    texts: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The description and the names of the classes as one text, which cards are compared with."""
        return f"{self.description[:MAX_DESCRIPTION_CHARS]}\n{', '.join(self.classes)}"


def tidy(text: str, max_chars: int) -> str:
    """Return foreign text on one line, without characters that no page or terminal should get, cut at max_chars.

    >>> tidy("a\\x1b[31m  b\\u202e c", 9)
    'a[31m b c'
    """
    kept = (char if char.isprintable() else " " if char.isspace() else "" for char in text[: 4 * max_chars])
    return " ".join("".join(kept).split())[:max_chars]


def join_unique(parts: Iterable[str], count: int) -> tuple[str, ...]:
    """Return the first ``count`` different parts, in order; case makes no difference."""
    seen: dict[str, str] = {}
    for part in parts:
        seen.setdefault(part.casefold(), part)
    return tuple(seen.values())[:count]
