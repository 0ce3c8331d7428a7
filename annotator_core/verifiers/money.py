"""What calls cost, in whole nano-dollars: exact sums, and a worst case that no server's count exceeds."""

import math
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from annotator_core.errors import BadInput
from annotator_core.verifiers.contract import NANO, Message, Price, Usage

MILLION: Final = 1_000_000
"""Prices are for so many tokens, as providers state them."""
_PER_MESSAGE: Final = 32
_PER_CALL: Final = 512
"""Tokens that a server adds itself: role and separators of a message; its own preamble and the words of an answer's
schema. Chosen far above what is known: OpenAI adds 3 and 3, gpt-oss's preamble takes about 70."""
_FORMS: Final = ("NFC", "NFD", "NFKC", "NFKD")


def count_worst_tokens(messages: Sequence[Message]) -> int:
    """Return tokens that no server counts more of: those of a byte-level tokenizer that has no merges, and overhead.

    A tokenizer may normalise first, which can lengthen a text, so the longest form counts. The first message counts
    twice: it lists the classes, which a server is sent once more as the schema of the answer.
    """
    sizes = [_measure(message.content) + _PER_MESSAGE for message in messages]
    return _PER_CALL + sum(sizes) + (sizes[0] if sizes else 0)


def worst_nano(messages: Sequence[Message], max_tokens: int, price: Price) -> int:
    """Return the most nano-dollars that one request can cost: every token in at the dearer price, every one out used.

    Raises BadInput as `check_price` does.
    """
    check_price(price)
    dearer = max(price.input_usd, price.cached_usd)
    return math.ceil(count_worst_tokens(messages) * _rate(dearer) + max_tokens * _rate(price.output_usd))


def cost_nano(usage: Usage, price: Price) -> int:
    """Return what a call cost in nano-dollars, rounded up. Raises BadInput as `check_price` does.

    >>> cost_nano(Usage(1000, 400, 10), Price(0.15, 0.075, 0.6))
    126000
    """
    check_price(price)
    cached = min(usage.tokens_cached, usage.tokens_in)
    return math.ceil(
        (usage.tokens_in - cached) * _rate(price.input_usd)
        + cached * _rate(price.cached_usd)
        + usage.tokens_out * _rate(price.output_usd)
    )


def check_price(price: Price) -> None:
    """Raise BadInput unless all three prices are numbers of at least 0."""
    if not all(math.isfinite(usd) and usd >= 0 for usd in (price.input_usd, price.cached_usd, price.output_usd)):
        raise BadInput("A price is dollars for a million tokens and at least 0.")


def to_nano(usd: float) -> int:
    """Return dollars as nano-dollars, rounded down as a cap is; raise BadInput for what is no amount of at least 0."""
    if not (math.isfinite(usd) and usd >= 0):
        raise BadInput("An amount of money is dollars and at least 0.")
    return math.floor(Fraction(repr(usd)) * NANO)


def to_usd(nano: int) -> float:
    """Return nano-dollars as dollars, for showing."""
    return nano / NANO


def _rate(usd: float) -> Fraction:
    """Return nano-dollars for a token, as exact as the price was written: 0.15 is 3/20."""
    return Fraction(repr(float(usd))) * NANO / MILLION


def _measure(content: str) -> int:
    forms = (
        (content, *(unicodedata.normalize(form, content) for form in _FORMS)) if not content.isascii() else (content,)
    )
    return max(len(form.encode("utf-8", "surrogatepass")) for form in forms)
