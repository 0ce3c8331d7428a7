"""Writes of the review screen: the queue, what people send, what they take back. One file a noun."""

from labeling.review.actions.queue import ITEMS_AT_MOST, LEASE, Held, claim, hold, release
from labeling.review.actions.skips import skip

__all__ = ["ITEMS_AT_MOST", "LEASE", "Held", "claim", "hold", "release", "skip"]
