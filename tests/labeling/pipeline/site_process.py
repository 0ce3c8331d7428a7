"""`manage.py up` as a real process on a data folder of its own."""

import json
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from time import monotonic

import psutil

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 60
SERVICES = ("DATABASE_URL", "BROKER_URL", "CHANNEL_URL", "SECRET_KEY", "ALLOWED_HOSTS", "AUTOANNOTATOR_TESTING")
ROLES = {"web": "labeling.pipeline.serve", "light": "io,verify", "heavy": "consensus,refine"}


def environment(data, **more):
    """This process's, but with the embedded default on `data`."""
    kept = {name: value for name, value in os.environ.items() if name not in SERVICES}  # noqa: TID251 (handed on)
    return kept | {"AUTOANNOTATOR_DATA": str(data), "SWEEP_S": "0.5"} | more


def manage(data, *words, **more):
    """The finished command."""
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(data, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition):
    """The first true value of the condition."""
    end, pause = monotonic() + PATIENCE_S, Event()
    while monotonic() < end:
        if found := condition():
            return found
        pause.wait(0.05)
    raise AssertionError(f"never true: {condition}")


class Site:
    """A running `up`; its output goes to a file in the data folder."""

    def __init__(self, data, *words):
        self.data, self.port = data, free_port()
        self.log = data.parent / f"{data.name}-{self.port}.log"
        command = [sys.executable, "manage.py", "up", "--bind", f"127.0.0.1:{self.port}", *words]
        with self.log.open("wb") as log:
            self.process = psutil.Popen(command, cwd=ROOT, env=environment(data), stdout=log, stderr=log)
        until(lambda: "Ctrl-C" in self.output() or self.process.poll() is not None)

    def output(self):
        return self.log.read_text(encoding="utf-8")

    def get(self, path):
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def child(self, role):
        """The process that plays the role, once it is there; None before."""
        for each in self.process.children():
            try:
                command = each.cmdline()
            except psutil.Error:
                continue
            if ROLES[role] in command and "labeling.pipeline.child" not in command:
                return each
        return None

    def children(self):
        return [until(lambda role=role: self.child(role)) for role in ROLES]

    def signin_path(self):
        return re.search(r"http://127\.0\.0\.1:\d+(/sign-in/\S+)", self.output())[1]

    def lock(self):
        return json.loads((self.data / "up.lock").read_text(encoding="utf-8"))

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE_S)
