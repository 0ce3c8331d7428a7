"""What a fresh specialist reads before a clock runs, so that its speed is the one of a long run."""

from collections.abc import Sequence
from itertools import count, islice
from typing import Final

from annotator_core.specialists.cascade import SAMPLE_ROWS
from annotator_core.texts import find_flaw

WARM_UP_TEXTS: Final = SAMPLE_ROWS
"""A margin cascade runs its first different texts both ways, and loads its exact model for the first of them."""
_PLAIN: Final = "a text to warm up with"


def list_lacking(texts: Sequence[str]) -> list[str]:
    """Return what must be read beside these texts, so that 256 different ones were: variations of them, often none.

    Texts that no specialist votes on, and those that stand twice, do not count. Variations, because a cascade learns
    from what it reads how sure a model is.

    >>> len(list_lacking(["a", "b", "b", ""])), list_lacking(["a", "b", "b", ""])[:3]
    (254, ['a 1', 'b 1', 'a 2'])
    """
    usable = dict.fromkeys(text for text in texts if find_flaw(text) is None)
    made = (f"{text} {number}" for number in count(1) for text in usable or (_PLAIN,))
    return list(islice((text for text in made if text not in usable), max(WARM_UP_TEXTS - len(usable), 0)))
