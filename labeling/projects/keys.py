"""Keys and colours of label classes: which one a new class gets, and which ones are the review screen's own."""

from collections.abc import Collection

from labeling.projects.models import PALETTE_SLOTS

# Undo, skip, flag, comment, guideline, votes, help (docs/components.md, "Keys").
RESERVED_KEYS = "usfcgv?"
CLASS_KEYS = "123456789" + "".join(letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in RESERVED_KEYS)


def free_key(taken: Collection[str]) -> str:
    """The first key that no class has: digits 1-9, then letters; empty when all are taken."""
    return next((key for key in CLASS_KEYS if key not in taken), "")


def free_slot(taken: Collection[int]) -> int:
    """The first of the 24 palette slots that no class has, or the least used one."""
    counts = [list(taken).count(slot) for slot in range(PALETTE_SLOTS)]
    return counts.index(min(counts))
