"""The box: foreign Python runs as nobody, without network, files, or the means to take more than its share.

Source: of the boxes tried, bubblewrap started by an unprivileged user with resource limits let nothing out (the
project's measurements); resource limits alone never are a box, so that without bubblewrap there is none.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Final

from annotator_core.errors import PredictionStopped
from annotator_core.scripts.box_view import NOBODY, enter_as_nobody, enter_box
from annotator_core.scripts.box_watch import Watched, watch

_INSIDE: Final = Path(__file__).with_name("box_inside.py")
_PROBE: Final = """\
import os


def probe(kinds):
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    spaces = [os.readlink("/proc/self/ns/" + kind) for kind in kinds]
    return [os.getuid(), status["CapEff"].strip(), status["NoNewPrivs"].strip(), spaces, sorted(os.environ)]
"""
_NAMESPACES: Final = {"user": "users", "mnt": "files", "pid": "processes", "net": "network", "ipc": "messages"}
"""What a box must have of its own, by the kernel's name, and for a person."""
_PROBE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a script may take; chosen for small encoders on a hundred texts.

    wall_s, cpu_s: of the whole, and of each process. memory_bytes: of address space a process, and of memory in use by
    all of them. disk_bytes: of its own temporary files, which are gone with it. processes: threads count as such.
    log_bytes: what is kept of its words; result_bytes: of its result, more ends it.
    """

    wall_s: float = 300.0
    cpu_s: int = 300
    memory_bytes: int = 4 << 30
    disk_bytes: int = 1 << 30
    processes: int = 32
    log_bytes: int = 64 << 10
    result_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Errand:
    """What runs in the box: a script's source, the function to call, and its arguments (JSON values).

    folders: what it may read beside, by name: ``/given/NAME`` in the box. is_called_again: what the function returns is
    called with the texts (the last argument) in turn. takes_files: the plain files it left in ``/tmp/out`` come back.
    """

    source: str
    function: str
    arguments: tuple[object, ...] = ()
    folders: Mapping[str, Path] = field(default_factory=dict)
    is_called_again: bool = False
    takes_files: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an errand: its answer (JSON values, None where it failed), and why it failed, empty where not.

    log: the script's own words, for a person, untrusted. seconds: wall time. files: by name, untrusted.
    """

    answer: object
    problem: str
    log: str
    seconds: float
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WhyNot:
    """There is no box on this machine, and why, for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Box:
    """A box that was tried on this machine. bwrap: the program that makes it."""

    bwrap: str

    def run(self, errand: Errand, limits: Limits | None = None, should_stop: Callable[[], bool] | None = None) -> Ended:
        """Return what became of the errand; whatever the script does ends there.

        Raises PredictionStopped when should_stop said so, OSError where bubblewrap cannot be started.
        """
        given = limits or Limits()
        begun = monotonic()
        with _lay_out(errand) as folder, _open_up(errand.folders) as folders:
            command = self._command({"in": folder, **folders}, given)
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", env={},
                start_new_session=True,
            ) as process:  # fmt: skip
                seen = watch(process, given, should_stop)
        if seen.is_stopped:
            raise PredictionStopped("The script was stopped.")
        return _read(seen, monotonic() - begun)

    def _command(self, folders: Mapping[str, Path], limits: Limits) -> list[str]:
        """Return the command: where we are root, a first step shows the folders to nobody, who makes the box."""
        inside = [sys.executable, "-I", "-B", "-c", _INSIDE.read_text(encoding="utf-8"), json.dumps(_ask_for(limits))]
        if os.geteuid() == 0:
            return [
                *enter_as_nobody(self.bwrap, folders),
                *enter_box(self.bwrap, None, folders, limits.disk_bytes, inside),
            ]
        return enter_box(self.bwrap, folders, folders, limits.disk_bytes, inside)


@cache
def probe_box() -> Box | WhyNot:
    """Return the box of this machine, tried once a process, or why there is none."""
    if sys.platform != "linux":
        return WhyNot("Scripts are run in a box that only Linux has.")
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return WhyNot("bubblewrap is not installed: apt-get install bubblewrap.")
    try:
        ended = Box(bwrap).run(Errand(_PROBE, "probe", (list(_NAMESPACES),)), Limits(wall_s=_PROBE_S))
        ours = [str(Path("/proc/self/ns", kind).readlink()) for kind in _NAMESPACES]
    except OSError as error:
        return WhyNot(f"bubblewrap cannot be started: {error}.")
    shared = _find_shared(ended.answer, ours)
    if shared is None:
        return WhyNot(_explain(ended))
    if shared:
        return WhyNot(f"bubblewrap makes a box here that shares {', '.join(shared)} with the machine.")
    return Box(bwrap)


def _find_shared(answer: object, ours: list[str]) -> list[str] | None:
    """Return what the probe shares with this process, None where it is not tight otherwise or says nothing of it."""
    match answer:
        case [int(uid), "0000000000000000", "1", list(spaces), list(names)] if len(spaces) == len(ours):
            if uid == NOBODY and "PATH" in names and len(names) < 20:
                pairs = zip(_NAMESPACES.values(), spaces, ours, strict=True)
                return [name for name, inside, outside in pairs if inside == outside]
    return None


def _explain(ended: Ended) -> str:
    said = next((line for line in ended.log.splitlines() if line.strip()), "") or ended.problem or "it is not tight"
    return (
        f"bubblewrap makes no box here ({said[:200]}): it needs unprivileged user namespaces, which some distributions "
        "and most containers forbid."
    )


@contextmanager
def _lay_out(errand: Errand) -> Iterator[Path]:
    """Yield a folder that anybody can read, with the script and its arguments."""
    with tempfile.TemporaryDirectory(prefix="box-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        task = {
            "function": errand.function,
            "arguments": errand.arguments,
            "is_called_again": errand.is_called_again,
            "takes_files": errand.takes_files,
        }
        for file, content in {"script.py": errand.source, "task.json": json.dumps(task)}.items():
            (folder / file).write_text(content, encoding="utf-8")
            (folder / file).chmod(0o644)
        yield folder


@contextmanager
def _open_up(folders: Mapping[str, Path]) -> Iterator[Mapping[str, Path]]:
    """Yield the folders as nobody can read them: copies of those that root keeps to itself, the others as they are."""
    private = [name for name, folder in folders.items() if os.geteuid() == 0 and not _is_open(folder)]
    if not private:
        yield folders
        return
    with tempfile.TemporaryDirectory(prefix="box-") as home:
        copies = {name: shutil.copytree(folders[name], Path(home, name)) for name in private}
        for copy in copies.values():
            for path in (copy, *copy.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
        yield {**folders, **copies}


def _is_open(folder: Path) -> bool:
    return all(
        path.stat().st_mode & needed == needed
        for path in (folder, *folder.rglob("*"))
        for needed in [stat.S_IROTH | stat.S_IXOTH if path.is_dir() else stat.S_IROTH]
    )


def _ask_for(limits: Limits) -> dict[str, int]:
    return {
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_FSIZE": limits.disk_bytes,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
    }


def _read(seen: Watched, seconds: float) -> Ended:
    # A NUL is text that no database takes.
    log = seen.log.decode("utf-8", errors="replace").replace("\x00", "\ufffd")
    if seen.problem:
        return Ended(None, seen.problem, log, seconds)
    head, _line, rest = bytes(seen.result).partition(b"\n")
    try:
        told = json.loads(head)
        sizes = {str(name): int(size) for name, size in told["files"]}
        answer = told["answer"]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Ended(None, f"It ended without a result (exit code {seen.code}).", log, seconds)
    if sum(sizes.values()) != len(rest) or min(sizes.values(), default=0) < 0:
        return Ended(None, "Its files did not come back whole.", log, seconds)
    return Ended(answer, "", log, seconds, _split(rest, sizes))


def _split(content: bytes, sizes: Mapping[str, int]) -> dict[str, bytes]:
    files, low = {}, 0
    for name, size in sizes.items():
        files[name] = content[low : low + size]
        low += size
    return files
