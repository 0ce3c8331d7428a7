"""A real site in a folder of its own under `manage.py up`, whose processes can be measured and killed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import psutil

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = {"web": "labeling.pipeline.serve", "light": "io,verify", "heavy": "consensus,refine"}


class ScratchSite:
    """Migrated on entering; `open` starts the processes, leaving stops them."""

    def __init__(self, folder: Path, settings: Mapping[str, str] = {}) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        own = {"AUTOANNOTATOR_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "labeling.conf.settings"}
        self.environment = os.environ | own | dict(settings)
        self.log = (folder / "up.log").open("wb")
        self.up: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ScratchSite":
        self.manage("migrate", "--verbosity", "0")
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.close()
        self.log.close()

    def manage(self, *arguments: str) -> None:
        """Run a management command and wait for it."""
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, check=True)

    def open(self, web_processes: int = 1) -> None:
        """Start web and workers."""
        command = [sys.executable, "manage.py", "up", "--bind", f"127.0.0.1:{self.port}"]
        command += ["--workers", str(web_processes)]
        self.up = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT)

    def close(self) -> None:
        """Stop web and workers as an operator would; kill them only when that fails."""
        if self.up is None:
            return
        self.up.send_signal(signal.SIGTERM)
        try:
            self.up.wait(40)
        except subprocess.TimeoutExpired:
            self.up.kill()
        self.up = None

    def processes(self, component: str) -> list[psutil.Process]:
        """Living processes of web, light or heavy."""
        if self.up is None:
            return []
        found = []
        for process in psutil.Process(self.up.pid).children(recursive=True):
            try:
                if any(COMPONENTS[component] in part for part in process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill(self, component: str) -> bool:
        """Send SIGKILL; True when there was something to kill."""
        victims = self.processes(component)
        for victim in victims:
            victim.kill()
        return bool(victims)

    def processor_s(self, component: str) -> float:
        """Processor seconds that the component's living processes have taken so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes(component))

    def peak_mb(self, component: str) -> float:
        """The most memory the component's process has held so far, in MB (VmHWM)."""
        peaks = [0.0]
        for process in self.processes(component):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
            line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
            peaks.append(int(line.split()[1]) / 1024)
        return max(peaks)


@contextmanager
def scratch_database(server: str, name: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database on the server, which is gone when the block ends.

    `server` is the address of a database that is there: postgres://user@host:port/postgres.
    """
    import psycopg

    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
