"""Votes that are cast once and kept: one file a set, found again by a hash of all that decides them."""

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.errors import BadInput
from annotator_core.storage import report_storage


@dataclass(frozen=True, slots=True)
class Votes:
    """All that is known of a set after the vote.

    names (m,): the specialists. probs (n, m, k): float32, NaN rows for abstentions. gold (n,): class indices. answers
    (n, l): what l real LLMs answered, a class or ABSTAIN, the verifier first; l is 0 where there are none. seconds
    (m,): wall time of each specialist's vote, NaN where it was not measured. words (n,): blank-separated words of each
    text. peak_bytes: the most memory that the process held which cast them, NaN where it was not measured.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    probs: FloatArray
    gold: IntArray
    answers: IntArray
    seconds: FloatArray
    words: IntArray
    peak_bytes: float = nan

    def __len__(self) -> int:
        """Return n."""
        return len(self.gold)

    def pool(self, names: tuple[str, ...]) -> Ballots:
        """Return the ballots of these specialists; raises BadInput where one has not voted."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise BadInput(f"There is no vote of {', '.join(missing)}.")
        return Ballots.from_probs(self.probs[:, [self.names.index(name) for name in names]])


def digest_settings(*settings: object) -> str:
    """Return 16 hex characters over settings that JSON can hold."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def hash_votes(votes: Votes) -> str:
    """Return 64 hex characters over all probabilities, gold and answers."""
    arrays = (votes.probs, votes.gold, votes.answers)
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def read_votes(path: Path, digest: str) -> Votes | None:
    """Return the votes of a file, None where there is none, it is damaged, or it was made by other settings."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if str(file["digest"]) != digest:
                return None
            names, classes = (tuple(str(each) for each in file[key]) for key in ("names", "classes"))
            arrays = {key: file[key] for key in ("probs", "gold", "answers", "seconds", "words")}
            peak_bytes = float(file["peak_bytes"]) if "peak_bytes" in file else nan  # files of before have none
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    return Votes(names, classes, **arrays, peak_bytes=peak_bytes)


def write_votes(path: Path, votes: Votes, digest: str) -> None:
    """Write the votes whole or not at all. Raises StorageError or StoreFull."""
    beside = path.with_name(f".{path.name}.part")
    with report_storage(f"The file {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            np.savez_compressed(
                file, allow_pickle=False, digest=digest, names=votes.names, classes=votes.classes, probs=votes.probs,
                gold=votes.gold, answers=votes.answers, seconds=votes.seconds, words=votes.words,
                peak_bytes=votes.peak_bytes,
            )  # fmt: skip
        os.replace(beside, path)  # noqa: PTH105 - says that the older votes go
