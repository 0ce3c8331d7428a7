"""The marks of what is confirmed together: one for the whole, from which each text's own follows.

A mark has 128 bits. The first half is the whole's, the second half the item's number: so the answers of one
confirmation stand side by side in the index of marks, and need no row of their own to be found again.
"""

from uuid import UUID

HALF_BITS = 64
LAST = (1 << HALF_BITS) - 1


def mark_of(whole: UUID, item_id: int) -> UUID:
    """The item's own mark in this confirmation: sent again, it is the same."""
    return UUID(int=_first(whole) | item_id)


def marks_beside(mark: UUID) -> tuple[UUID, UUID]:
    """The lowest and the highest mark of the confirmation to which this one belongs, or which it names."""
    return UUID(int=_first(mark)), UUID(int=_first(mark) | LAST)


def _first(mark: UUID) -> int:
    return mark.int >> HALF_BITS << HALF_BITS
