"""How a command that was killed goes on: a journal beside its output says who began it and how far it came."""

import fcntl
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self

from annotator_core.cli.outputs import is_direct
from annotator_core.errors import BadInput
from annotator_core.storage import report_storage

Command = Mapping[str, object]
"""What makes two commands the same: JSON values by the words that a message uses for them."""
PRECISION: Final = "precision"
"""What a message says the value of, because a machine may have chosen it."""
LOOKS: Final = "looks"
LASTING: Final = (LOOKS,)
"""Facts that outlast --restart: what people have seen of their answers stays seen, whatever else is begun anew."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a command came: rows done, bytes of its unfinished file, and what it counted so far (JSON values).

    states: of its specialists, as `Continued.to_state` gives them, in their order.
    """

    n_rows: int = 0
    size_bytes: int = 0
    counts: Mapping[str, object] = field(default_factory=dict)
    states: Sequence[Mapping[str, Any]] = ()


class Journal:
    """The marks and facts of one command that writes an unfinished file; without a file nothing is kept.

    Used in a ``with`` block: after an error, an interrupt or a kill the file and its journal stay if any mark was set
    or a fact noted, else and after success they are removed. The journal is locked, so that no second command writes
    the same output. facts: what was noted last by each name, JSON values.
    """

    def __init__(self, out: Path, kind: str, command: Command, *, is_anew: bool = False) -> None:
        """Take up what the same command left in ``.<out>.<kind>``; is_anew: forget it, whosever it is.

        Facts of the names in `LASTING` are not forgotten.
        A direct output has no unfinished file. Raises BadInput where another command began it, or one is at work;
        StorageError as the disk does.
        """
        self._out = out
        self.unfinished = None if is_direct(out) else out.with_name(f".{out.name}.{kind}")
        self.mark = Mark()
        self.facts = dict[str, Any]()
        self._is_kept = False
        self._file: IO[str] | None = None
        if self.unfinished is not None:
            self._path = self.unfinished.with_name(f"{self.unfinished.name}.journal")
            with self._report():
                self._file = open_locked(self._path, out)
                try:
                    self._take_up(self._file, self.unfinished, command, is_anew=is_anew)
                except BaseException:
                    self._file.close()
                    raise

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(self, error_type: type[BaseException] | None, *exc_info: object) -> None:
        """Forget the work, or say what is kept of it."""
        if self._file is None or self.unfinished is None:
            return
        is_left = error_type is not None or self._is_kept
        if is_left and self.mark.n_rows:
            sys.stderr.write(
                f"{self.mark.n_rows:,} rows are done and kept in {self.unfinished}: run the same command to go on, "
                "or add --restart to begin anew.\n"
            )
        elif not (is_left and self.facts):
            self.unfinished.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        self._file.close()

    def keep(self) -> None:
        """Have the work stay, though there is no error."""
        self._is_kept = True

    def add(self, mark: Mark) -> None:
        """Set a mark; what it speaks of must have been written before. Raises StorageError or StoreFull."""
        self._write(asdict(mark))
        self.mark = mark

    def note(self, name: str, value: object) -> None:
        """Keep a fact, a JSON value, in the place of what has that name. Raises StorageError or StoreFull."""
        self._write({"fact": name, "value": value})
        self.facts[name] = value

    def _write(self, line: Mapping[str, object]) -> None:
        if self._file is not None:
            with self._report():
                self._file.write(json.dumps(line) + "\n")
                self._file.flush()

    def _take_up(self, file: IO[str], unfinished: Path, command: Command, *, is_anew: bool) -> None:
        known, facts, marks = _read(file)
        self.facts = {name: value for name, value in facts.items() if not is_anew or name in LASTING}
        if known and not is_anew:
            _compare(known, command, unfinished)
            size = unfinished.stat().st_size if unfinished.exists() else 0
            self.mark = next((mark for mark in reversed(marks) if mark.size_bytes <= size), Mark())
        file.seek(0)
        file.truncate()
        noted = [{"fact": name, "value": value} for name, value in self.facts.items()]
        kept = [asdict(self.mark)] if self.mark.n_rows else []
        file.writelines(json.dumps(line) + "\n" for line in (command, *noted, *kept))
        file.flush()

    def _report(self) -> AbstractContextManager[None]:
        return report_storage(f"The file {self._out}")


def open_locked(path: Path, out: Path) -> IO[str]:
    """Return a file to append to that no other command holds; raise BadInput, naming `out`, where one does."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise BadInput(f"Another command is writing {out}: wait for it, or stop it.") from None
        # The one before may have removed the file between our opening and locking it.
        if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            return file
        file.close()


def _read(file: IO[str]) -> tuple[Command, dict[str, Any], list[Mark]]:
    """Return the command, its facts and its marks; a line that a kill cut off ends them."""
    file.seek(0)
    lines: list[dict[str, Any]] = []
    for line in file:
        try:
            found = json.loads(line) if line.endswith("\n") else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            break
        lines.append(found)
    facts = {line["fact"]: line["value"] for line in lines[1:] if "fact" in line}
    marks = [
        Mark(int(line["n_rows"]), int(line["size_bytes"]), line["counts"], tuple(line["states"]))
        for line in lines[1:]
        if "states" in line
    ]
    return (lines[0] if lines else {}), facts, marks


def _compare(known: Command, command: Command, unfinished: Path) -> None:
    mine = json.loads(json.dumps(command))
    other = [
        f"{word}, there {known.get(word)}" if word == PRECISION else word
        for word in {**known, **mine}
        if known.get(word) != mine.get(word)
    ]
    if other:
        raise BadInput(
            f"{unfinished} was begun by another command (other: {', '.join(other)}): finish that one first, "
            "or add --restart to begin anew."
        )
