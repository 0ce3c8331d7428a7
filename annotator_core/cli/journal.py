"""How a command that was killed goes on: a journal beside its output says who began it and how far it came."""

import fcntl
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self

from annotator_core.cli.outputs import is_direct, name_answers
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


@dataclass(frozen=True, slots=True)
class _Left:
    """What stands in a journal: the kind of unfinished file and its command, both empty where only facts were kept."""

    kind: str
    command: Command
    facts: dict[str, Any]
    marks: Sequence[Mark]


class Journal:
    """The marks and facts of one command that writes an unfinished file; without a file nothing is kept.

    Used in a ``with`` block: after an error, an interrupt or a kill the file and its journal stay if any mark was set,
    else and after success they are removed, but for facts that were noted before: only who notes a fact again has done
    with it. There is one journal to an output, whatever kind of file grows beside it, and it is locked, so that no
    second command writes the same output. facts: what was noted last by each name, JSON values.
    """

    def __init__(self, out: Path, kind: str, command: Command, *, is_anew: bool = False) -> None:
        """Take up what the same command left in ``.<out>.<kind>``; is_anew: forget it, whosever it is.

        Facts of the names in `LASTING` are not forgotten.
        A direct output has no unfinished file. Raises BadInput where another command began it, or one is at work;
        StorageError as the disk does.
        """
        self._out, self._kind, self._command = out, kind, command
        self.unfinished = None if is_direct(out) else _name_unfinished(out, kind)
        self.mark = Mark()
        self.facts = dict[str, Any]()
        self._noted = set[str]()
        self._is_kept = False
        self._file: IO[str] | None = None
        if self.unfinished is not None:
            self._path = out.with_name(f".{out.name}.journal")
            with self._report():
                self._file = open_locked(self._path, out)
                try:
                    self._take_up(self._file, self.unfinished, is_anew=is_anew)
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
        # A full disk, which fails here once more, is told of by the error that ended the block.
        closing: AbstractContextManager[None] = self._report() if error_type is None else suppress(OSError)
        with closing, self._file:
            if is_left and self.mark.n_rows:
                sys.stderr.write(
                    f"{self.mark.n_rows:,} rows are done and kept in {self.unfinished}: run the same command to go on, "
                    f"or {_tell_restart(self._out)}.\n"
                )
            else:
                self._forget(self._file, self.unfinished, is_left=is_left)

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
        self._noted.add(name)

    def _write(self, line: Mapping[str, object]) -> None:
        if self._file is not None:
            with self._report():
                self._file.write(json.dumps(line) + "\n")
                self._file.flush()

    def _take_up(self, file: IO[str], unfinished: Path, *, is_anew: bool) -> None:
        left = _read(file)
        self.facts = {name: value for name, value in left.facts.items() if not is_anew or name in LASTING}
        if left.kind and not is_anew:
            _compare(left, self._kind, self._command, self._out)
            size = unfinished.stat().st_size if unfinished.exists() else 0
            self.mark = next((mark for mark in reversed(left.marks) if mark.size_bytes <= size), Mark())
        elif left.kind not in ("", self._kind):
            _name_unfinished(self._out, left.kind).unlink(missing_ok=True)
        kept = [self.mark] if self.mark.n_rows else []
        _write_anew(file, {"kind": self._kind, "command": self._command}, self.facts, kept)

    def _forget(self, file: IO[str], unfinished: Path, *, is_left: bool) -> None:
        unfinished.unlink(missing_ok=True)
        facts = {name: value for name, value in self.facts.items() if is_left or name not in self._noted}
        if facts:
            _write_anew(file, {"kind": "", "command": {}}, facts, [])
        else:
            self._path.unlink(missing_ok=True)

    def _report(self) -> AbstractContextManager[None]:
        return report_storage(f"The file {self._out}")


def _name_unfinished(out: Path, kind: str) -> Path:
    return out.with_name(f".{out.name}.{kind}")


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


def _read(file: IO[str]) -> _Left:
    """Return what stands there; a line that a kill cut off ends it."""
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
    first: Mapping[str, Any] = lines[0] if lines else {"kind": "", "command": {}}
    facts = {line["fact"]: line["value"] for line in lines[1:] if "fact" in line}
    marks = [
        Mark(int(line["n_rows"]), int(line["size_bytes"]), line["counts"], tuple(line["states"]))
        for line in lines[1:]
        if "states" in line
    ]
    return _Left(first.get("kind", ""), first.get("command", {}), facts, marks)


def _write_anew(file: IO[str], first: Command, facts: Mapping[str, Any], marks: Sequence[Mark]) -> None:
    file.seek(0)
    file.truncate()
    noted = [{"fact": name, "value": value} for name, value in facts.items()]
    file.writelines(json.dumps(line) + "\n" for line in (first, *noted, *map(asdict, marks)))
    file.flush()


def _compare(left: _Left, kind: str, command: Command, out: Path) -> None:
    mine, known = json.loads(json.dumps(command)), left.command
    other = [
        f"{word}, there {known.get(word)}" if word == PRECISION else word
        for word in {**known, **mine}
        if known.get(word) != mine.get(word)
    ]
    if left.kind != kind:
        other = ["rule"]  # what makes the kind; beyond that the two tell different things of themselves
    if other:
        raise BadInput(
            f"{_name_unfinished(out, left.kind)} was begun by another command (other: {', '.join(other)}): finish that "
            f"one first, or {_tell_restart(out)}."
        )


def _tell_restart(out: Path) -> str:
    answers = name_answers(out)
    paid = f", which also throws away the answers in {answers} that were paid for" if answers.exists() else ""
    return f"add --restart to begin anew{paid}"
