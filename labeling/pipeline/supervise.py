"""Keeps child processes alive: starts them, passes their logs on, restarts the dead, stops all together."""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import FrameType

STOP_S = 25.0  # a worker stores or gives back what it has in hand within 20 s; what is left after that is killed
LONGEST_WAIT_S = 30.0
HEALTHY_AFTER_S = 60.0  # a child that lived this long starts again at the shortest wait
TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A process to keep alive: `python -m` this module with these arguments. `env` is added where it is not set."""

    name: str
    module: tuple[str, ...]
    nice: int = 0
    env: tuple[tuple[str, str], ...] = ()
    pass_fds: tuple[int, ...] = ()


@dataclass(slots=True)
class Child:
    """A spec with its running process, how often it died lately, and when it may start again."""

    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths: int = 0
    rest: bytes = field(default=b"")


class Supervisor:
    """Children in their own process groups, so that Ctrl-C in a terminal reaches the supervisor alone."""

    def __init__(self, specs: Sequence[ChildSpec], folder: Path, say: Callable[[str, str], None]) -> None:
        self.children = [Child(spec) for spec in specs]
        self.folder = folder
        self.say = say
        self.is_stopping = False
        self.signals = 0
        self.selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Supervise until SIGINT or SIGTERM, then stop all children; returns when the last one is gone."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        try:
            while not self.is_stopping:
                for child in self.children:
                    self._care(child)
                self._pass_logs(TICK_S)
        finally:
            self._stop()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.signals += 1
        self.is_stopping = True

    def _care(self, child: Child) -> None:
        """Start the child when it is due; plan its restart when it has died."""
        now = monotonic()
        if child.process is None and now >= child.start_at:
            self._start(child)
        elif child.process is not None and child.process.poll() is not None:
            code = self._forget(child)
            child.deaths = 1 if now - child.started_at > HEALTHY_AFTER_S else child.deaths + 1
            wait = backoff_s(child.deaths)
            child.start_at = now + wait
            self.say(child.spec.name, f"ended ({_reason(code)}); starting again in {wait:.0f} s")

    def _start(self, child: Child) -> None:
        spec = child.spec
        environment = dict(spec.env) | os.environ | {"PYTHONUNBUFFERED": "1"}  # noqa: TID251 (handed on, not read)
        command = [sys.executable, "-m", "labeling.pipeline.child", str(os.getpid()), str(spec.nice), *spec.module]
        child.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=spec.pass_fds,
            process_group=0,
        )
        child.started_at = monotonic()
        if child.process.stdout is None:  # pragma: no cover
            raise RuntimeError("a pipe was asked for")
        self.selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _forget(self, child: Child) -> int:
        """Take a dead child's process and pipe away; returns its exit code."""
        process, child.process = child.process, None
        if process is None:
            return 0
        if process.stdout is not None:
            if process.stdout in self.selector.get_map():
                self.selector.unregister(process.stdout)
            process.stdout.close()
        return process.wait()

    def _pass_logs(self, timeout_s: float) -> None:
        """Print whole lines of the children behind their names; returns after the timeout or the first lines."""
        for key, _events in self.selector.select(timeout_s):
            child: Child = key.data
            data = os.read(key.fd, 65_536)
            if not data:
                self.selector.unregister(key.fileobj)
            *lines, child.rest = (child.rest + data).split(b"\n")
            for line in lines:
                self.say(child.spec.name, line.decode(errors="replace"))

    def _stop(self) -> None:
        """SIGTERM to all, then wait; SIGKILL after STOP_S, or at a second Ctrl-C."""
        self.is_stopping = True
        asked = self.signals
        self._signal_all(signal.SIGTERM)
        end = monotonic() + STOP_S
        while self._living() and monotonic() < end and self.signals <= asked:
            self._pass_logs(TICK_S / 4)
        self._signal_all(signal.SIGKILL)
        for child in self.children:
            self._forget(child)

    def _living(self) -> list[Child]:
        return [child for child in self.children if child.process is not None and child.process.poll() is None]

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._living():
            if child.process is not None:
                os.killpg(child.process.pid, number)


def backoff_s(deaths: int) -> float:
    """Seconds to wait before the next start: 1, 2, 4, ... up to 30."""
    return min(2.0 ** (deaths - 1), LONGEST_WAIT_S)


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
