"""A file that keeps votes until it is known what becomes of them."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import numpy as np

from annotator_core.annotation import Ballot
from annotator_core.arrays import IntArray
from annotator_core.storage import report_storage

_PLACE: Final = "The folder for temporary files"


class Spool:
    """Windows of votes on disk, appended and read in order as often as needed; gone when the ``with`` block ends.

    At a path of its own it outlives the block: ``size_bytes`` after each window is what `keep` takes to go on there.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the file; without a path it has no name, so nothing can be left behind. Raises StorageError."""
        self._place = _PLACE if path is None else f"The file {path}"
        with report_storage(self._place):
            if path is not None and not path.exists():
                path.touch()
            self._file = tempfile.TemporaryFile() if path is None else path.open("r+b")  # noqa: SIM115 - see __exit__
            self.size_bytes = self._file.seek(0, 2)

    def __enter__(self) -> Self:
        """Return the spool."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the file, which deletes it where it has no name."""
        # Each window was flushed as it was written: what fails here failed there, and is told of already.
        with suppress(OSError):
            self._file.close()

    def keep(self, size_bytes: int) -> None:
        """Forget what was written after the first so many bytes; raises StorageError."""
        with report_storage(self._place):
            self._file.truncate(size_bytes)
        self.size_bytes = size_bytes

    def write(self, ballot: Ballot) -> None:
        """Append one window; raises StoreFull or StorageError."""
        reasons = [{row: reason for row, reason in enumerate(column) if reason} for column in ballot.reasons]
        line = json.dumps([ballot.texts, reasons, ballot.names]).encode() + b"\n"
        with report_storage(self._place):
            self._file.seek(self.size_bytes)
            np.save(self._file, ballot.probs, allow_pickle=False)
            self._file.write(line)
            self._file.flush()
            self.size_bytes = self._file.tell()

    def read(self) -> Iterator[Ballot]:
        """Yield every window; nothing may be written meanwhile."""
        self._file.seek(0)
        while self._file.tell() < self.size_bytes:
            probs = np.load(self._file, allow_pickle=False)
            texts, reasons, names = json.loads(self._file.readline())
            columns = [tuple(column.get(str(row)) for row in range(len(texts))) for column in reasons]
            yield Ballot(texts, probs, columns, names)


def find_groups(texts: Sequence[str]) -> IntArray:
    """Return a number for each text (n,) that equal ones share: 64 bits of blake2b, so that millions do not collide."""
    digests = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), dtype=">i8").astype(np.int64)
