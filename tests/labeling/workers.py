"""Real worker processes on the test's own database."""

import os
import subprocess
import sys
from threading import Event
from time import monotonic

from django.db import connection


def wait_until(is_over, limit_s=90):
    end = monotonic() + limit_s
    while not is_over():
        assert monotonic() < end, "the workers did nothing"
        Event().wait(0.05)


def start_worker(name, **settings):
    """A light worker for the io queue."""
    given = connection.settings_dict
    url = f"sqlite:///{given['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{given['USER']}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
    environment = os.environ | {"DATABASE_URL": url} | settings  # noqa: TID251 (handed on to the worker)
    command = [sys.executable, "-m", "celery", "-A", "labeling.conf", "worker", "-P", "threads", "-c", "1"]
    command += ["-Q", "io", "-n", f"{name}@%h"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
