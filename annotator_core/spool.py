"""A temporary file that keeps votes until the cut is known."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from annotator_core.arrays import FloatArray
from annotator_core.storage import report_storage


class Spool:
    """Windows of votes on disk, written once and read once in order; gone when the ``with`` block ends."""

    def __init__(self) -> None:
        """Open the file; it has no name, so nothing can be left behind."""
        with report_storage("The folder for temporary files"):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._n_windows = 0

    def __enter__(self) -> Self:
        """Return the spool."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Delete the file."""
        self._file.close()

    def write(self, probs: FloatArray, rest: object) -> None:
        """Append one window: its probabilities, and anything that JSON can hold."""
        line = json.dumps(rest).encode() + b"\n"
        with report_storage("The folder for temporary files"):
            np.save(self._file, probs, allow_pickle=False)
            self._file.write(line)
            self._file.flush()
        self._n_windows += 1

    def read(self) -> Iterator[tuple[FloatArray, Any]]:
        """Yield every window as (probabilities, rest)."""
        self._file.seek(0)
        for _ in range(self._n_windows):
            probs = np.load(self._file, allow_pickle=False)
            yield probs, json.loads(self._file.readline())


def find_group(text: str) -> int:
    """Return a number that equal texts share: 64 bits of blake2b, so that a million texts do not collide."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
