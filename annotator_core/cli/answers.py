"""A file that remembers what a language model answered and what it cost: nothing in it is ever asked or paid twice."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final, Self

from annotator_core.cli.journal import open_locked
from annotator_core.errors import BadInput
from annotator_core.storage import report_storage
from annotator_core.verifiers.capability import Probe
from annotator_core.verifiers.contract import Call, Completion, Settled, Usage
from annotator_core.verifiers.ledger import MemoryLedger, find_cost

_FORMAT: Final = {"file": "answers of language models", "version": 1}


@dataclass(slots=True)
class Spent:
    """What one command asked for and paid: requests that are over, tokens in and out, nano-dollars."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    nano: int = 0

    def add(self, nano: int, usage: Usage | None, requests: int = 1) -> None:
        """Count requests with their sum."""
        self.requests += requests
        self.nano += nano
        if usage is not None:
            self.tokens_in += usage.tokens_in
            self.tokens_out += usage.tokens_out


class AnswerFile:
    """A Ledger of one command, used in a ``with`` block. Without a path it remembers nothing beyond that.

    A call is written down before it is sent and its answer before it is used, so that after a kill every answer that
    came is kept, and a call that was under way counts as paid at its worst. `spent` is what this command asked for and
    paid, with what it did before it was killed.
    """

    def __init__(self, path: Path | None, cap_nano: int | None, *, is_kept: bool, is_anew: bool = False) -> None:
        """Read the file. is_kept: it stays after success. is_anew: what stands there is forgotten.

        Raises BadInput for a file that is none or in use, StorageError.
        """
        self._path, self._is_kept, self._file = path, is_kept, None
        self.spent, self.states = Spent(), dict[str, Any]()
        stored: dict[str, Completion] = {}
        if path is not None:
            with self._report():
                self._file = open_locked(path, path)
            try:
                if is_anew:
                    self._file.truncate(0)
                stored = self._take_up(self._file)
            except BaseException:
                self._close()
                raise
        self._memory = MemoryLedger(cap_nano, stored)
        self._memory.spent_nano = self.spent.nano

    def __enter__(self) -> Self:
        """Return the ledger."""
        return self

    def __exit__(self, error_type: type[BaseException] | None, *exc_info: object) -> None:
        """Forget the file after success, or say what is kept in it."""
        if self._file is None or self._path is None:
            return
        try:
            if error_type is None and self._is_kept:
                self._write({"finished": True})
            elif error_type is None or not (self._memory.stored or self.spent.requests):
                self._path.unlink(missing_ok=True)
            else:
                sys.stderr.write(
                    f"{len(self._memory.stored):,} answers are kept in {self._path}: they are not asked again.\n"
                )
        finally:
            self._close()

    def recall(self, keys: Sequence[str]) -> Mapping[str, Completion]:
        """Return the stored completions among these keys."""
        return self._memory.recall(keys)

    def reserve(self, calls: Sequence[Call]) -> int:
        """Set money aside for the first calls that there is room for; return how many."""
        count = self._memory.reserve(calls)
        if count:
            self._write({"asked": [[call.key, call.reserve_nano] for call in calls[:count]]})
        return count

    def settle(self, settled: Sequence[Settled]) -> None:
        """Keep what became of calls."""
        for one in settled:
            answered = None if one.completion is None else asdict(one.completion)
            self._write({"key": one.call.key, "nano": find_cost(one), "answered": answered})
            self.spent.add(find_cost(one), one.completion.usage if one.completion else None)
        self._memory.settle(settled)

    def reserve_probe(self, name: str, nano: int) -> bool:
        """Return whether there is money to find out what an endpoint can do; after a kill it counts as paid."""
        cap = self._memory.cap_nano
        if cap is not None and self._memory.spent_nano + nano > cap:
            return False
        self._write({"asked": [[name, nano]]})
        return True

    def keep_probe(self, name: str, found: Probe) -> None:
        """Remember what an endpoint can do, and what it cost to find out."""
        state, usage = found.capability.to_state(), asdict(found.usage)
        self._write({"state": name, "is": state, "nano": found.cost_nano, "usage": usage, "requests": found.requests})
        self.states[name] = state
        self.spent.add(found.cost_nano, found.usage, found.requests)
        self._memory.spent_nano += found.cost_nano

    def _write(self, line: Mapping[str, object]) -> None:
        if self._file is not None:
            with self._report():
                self._file.write(json.dumps(line) + "\n")
                self._file.flush()

    def _take_up(self, file: IO[str]) -> dict[str, Completion]:
        """Return the stored answers; count what was spent since the last command that finished."""
        stored: dict[str, Completion] = {}
        under_way: dict[str, int] = {}
        with self._report():
            lines = list(_read(file, self._path))
            file.truncate()
        if not lines:
            self._write(_FORMAT)
        for line in lines:
            if "finished" in line:
                self.spent, under_way = Spent(), {}
            elif "asked" in line:
                under_way.update(line["asked"])
            elif "state" in line:
                under_way.pop(line["state"], None)
                self.states[line["state"]] = line["is"]
                self.spent.add(line["nano"], Usage(**line["usage"]), line["requests"])
            elif "key" in line:
                under_way.pop(line["key"], None)
                completion = _restore(line["answered"])
                self.spent.add(line["nano"], completion.usage if completion else None)
                if completion is not None:
                    stored[line["key"]] = completion
        self._book_lost(under_way)
        return stored

    def _book_lost(self, under_way: Mapping[str, int]) -> None:
        for key, nano in under_way.items():
            self._write({"key": key, "nano": nano, "answered": None})
            self.spent.add(nano, None)

    def _close(self) -> None:
        # Each line was flushed as it was written: what fails here failed there, and is told of already.
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def _report(self) -> AbstractContextManager[None]:
        return nullcontext() if self._path is None else report_storage(f"The file {self._path}")


def _read(file: IO[str], path: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the lines, and leave the file at the end of the last whole one: a kill may have cut one off."""
    file.seek(0)
    end = 0
    while line := file.readline():
        try:
            found = json.loads(line) if line.endswith("\n") else None
        except ValueError:
            found = None
        if found is None:
            break
        if not end and found != _FORMAT:
            raise BadInput(f"{path} holds no answers of language models: name another file.")
        end = file.tell()
        yield found
    if not end and line:
        raise BadInput(f"{path} holds no answers of language models: name another file.")
    file.seek(end)


def _restore(state: Mapping[str, Any] | None) -> Completion | None:
    if state is None:
        return None
    probs = state["class_probs"]
    return Completion(
        **{**state, "usage": Usage(**state["usage"]), "class_probs": None if probs is None else tuple(probs)}
    )
