"""A boxed process is watched from outside: its words and its result are read up to a limit, time and memory counted."""

import os
import selectors
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from annotator_core.scripts.box import Limits

_LOOK_EVERY_S: Final = 0.1
_BLOCK_BYTES: Final = 1 << 16


@dataclass(slots=True)
class Watched:
    """What came out of a process. problem: why it was ended, empty where it ended by itself. code: its exit code."""

    result: bytearray = field(default_factory=bytearray)
    log: bytearray = field(default_factory=bytearray)
    problem: str = ""
    is_stopped: bool = False
    code: int | None = None


def watch(process: "subprocess.Popen[bytes]", limits: "Limits", should_stop: Callable[[], bool] | None) -> Watched:
    """Return what a process wrote until it ended, or was ended with all its children for taking too much."""
    seen, deadline = Watched(), monotonic() + limits.wall_s
    try:
        with selectors.DefaultSelector() as selector:
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map() and not (seen.problem or seen.is_stopped):
                excess = _read_ready(selector, process, seen, limits) or _find_excess(process, limits, deadline)
                seen.problem, seen.is_stopped = excess, should_stop is not None and should_stop()
    finally:
        _end(process, is_due=bool(seen.problem) or seen.is_stopped)
    seen.code = process.wait()
    return seen


def _read_ready(
    selector: selectors.BaseSelector, process: "subprocess.Popen[bytes]", seen: Watched, limits: "Limits"
) -> str:
    """Read what is there; why the process must end, empty where it need not."""
    for key, _events in selector.select(_LOOK_EVERY_S):
        block = os.read(key.fd, _BLOCK_BYTES)
        if not block:
            selector.unregister(key.fileobj)
        elif key.fileobj is process.stderr:
            # The rest is read, too, and thrown away: a full pipe would stop the script.
            seen.log += block[: max(0, limits.log_bytes - len(seen.log))]
        else:
            seen.result += block
    if len(seen.result) > limits.result_bytes:
        return f"Its result has more than {limits.result_bytes:,} bytes."
    return ""


def _find_excess(process: "subprocess.Popen[bytes]", limits: "Limits", deadline: float) -> str:
    if monotonic() > deadline:
        return f"It took longer than {limits.wall_s:g} seconds."
    if measure_memory(process.pid) > limits.memory_bytes:
        return f"It took more than {limits.memory_bytes:,} bytes of memory."
    return ""


def measure_memory(pid: int) -> int:
    """Return the memory in use of a process and all that come from it, in bytes; 0 when it is gone."""
    total = 0
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for one in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def _end(process: "subprocess.Popen[bytes]", *, is_due: bool) -> None:
    """Kill the box where it must end; what stands in it dies with the process that made it."""
    if is_due or process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
