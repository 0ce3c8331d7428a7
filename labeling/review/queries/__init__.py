"""Reads of the review screen: cards, the screen around them, what was sent before."""

from labeling.labels.actions.screens import DESK_SLOT
from labeling.review.queries.cards import (
    Card,
    SentBack,
    ShownAnswer,
    ShownVote,
    cards_of,
    may_show_votes,
    original_columns,
    told_card,
)
from labeling.review.queries.emptiness import Emptiness, emptiness_of
from labeling.review.queries.screen import Last, Screen, last_of, mark_of, screen_of
from labeling.review.queries.skipped import is_skipped_by_all

__all__ = [
    "DESK_SLOT",
    "Card",
    "Emptiness",
    "Last",
    "Screen",
    "SentBack",
    "ShownAnswer",
    "ShownVote",
    "cards_of",
    "emptiness_of",
    "is_skipped_by_all",
    "last_of",
    "mark_of",
    "may_show_votes",
    "original_columns",
    "screen_of",
    "told_card",
]
