"""Class indices, arrays and what the plan of a standalone script says, read once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ABSTAIN: Final = -1
"""The class index of a vote that is none."""


class Refused(Exception):
    """What was given cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Ballots:
    """votes (n, m): class index or ABSTAIN. probs (n, m, k): rows sum to 1, NaN where a specialist abstained."""

    votes: Ints
    probs: Floats


@dataclass(frozen=True)
class Voter:
    """A specialist: its folder or its id and commit on the Hub, its pinned content, and what its labels mean.

    targets: for each of the model's labels a class index or ABSTAIN. max_length: tokens a text is cut at.
    """

    name: str
    backend: str
    folder: str
    hub_id: str
    revision: str
    content_hash: str
    labels: tuple[str, ...]
    targets: tuple[int, ...]
    max_length: int | None


def read_voter(stored: Mapping[str, Any]) -> Voter:
    """Return a specialist of the plan."""
    return Voter(**{**stored, "labels": tuple(stored["labels"]), "targets": tuple(stored["targets"])})


def has_voted(probs: Floats) -> Bools:
    """Return which rows hold a vote: probs (..., k) gives (...,)."""
    return np.asarray(np.isfinite(probs).all(axis=-1))


def find_flaw(text: str) -> str | None:
    """Return why no specialist can vote on a text, None when it is fine."""
    if not text.strip():
        return "The text is empty."
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "The text is not Unicode."
    return None


def hash_text(text: str) -> str:
    """Return the identity of a text: blake2b-128 of its UTF-8 bytes in hex; empty for one that is not Unicode."""
    try:
        return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()
    except UnicodeEncodeError:
        return ""


def number_text(text: str) -> int:
    """Return a number that equal texts share: 64 bits of blake2b, which say who goes first of equal scores."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
