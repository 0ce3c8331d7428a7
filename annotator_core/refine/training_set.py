"""Which verified rows train and which judge, by text hash alone, so that it never changes. Standard library only.

Source: engine section 8: a fifth of the verified rows is held out for the gate; replay is a uniform draw.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, Literal

from annotator_core.errors import BadInput

Half = Literal["choose", "decide"]
"""What a gate row is for: choosing epoch and interpolation, or deciding about the promotion."""

REPLAY_SHARE: Final = 0.2
"""The share of earlier verified rows in a training set by default. Source: engine section 8."""
_USES: Final[dict[int, Half]] = {0: "choose", 1: "decide", 2: "decide"}
_PARTS: Final = 15
"""Three of fifteen parts are gate rows: 20%. Two of them decide, so that a round of 1,000 rows has the 100 it needs."""
_DIGITS: Final = 8


def gate_half(text_hash: str) -> Half | None:
    """Return what the gate does with the text of this hash (hex); None for the 80% that may train.

    Only the last digits count: the audit frame is drawn by the smallest hashes, so the first ones would tie the two.
    """
    return _USES.get(int(text_hash[-_DIGITS:], 16) % _PARTS)


def replay_count(pool_rows: int, share: float = REPLAY_SHARE) -> int:
    """Return how many rows to replay so that they are that share of the pool and the replay together.

    Raises BadInput for a share outside 0 to below 1.
    """
    if not 0.0 <= share < 1.0:
        raise BadInput(f"The replayed share must be at least 0 and below 1, not {share}.")
    return round(pool_rows * share / (1.0 - share))


def draw_by_hash(hashes: Iterable[str], count: int, seed: int) -> list[str]:
    """Return that many of the hashes (hex), drawn uniformly and in random order; all of them where there are fewer.

    Each hash is drawn once. When candidates are added, the draw changes only by those of them that enter it. Raises
    BadInput for a negative count. Source: bottom-k sampling, Cohen and Kaplan (2007), with the seed as the hash's key.
    """
    if count < 0:
        raise BadInput(f"The number of texts to draw must not be negative, not {count}.")
    key = hashlib.blake2b(str(seed).encode(), digest_size=16).digest()
    return sorted(set(hashes), key=lambda text_hash: _order(text_hash, key))[:count]


def _order(text_hash: str, key: bytes) -> bytes:
    return hashlib.blake2b(text_hash.encode(), digest_size=16, key=key).digest()
