"""`make demo LLM=fake`, as a person starts it: the site runs, the practice model answers, and one stop ends it all.

Its prerequisite `setup` is taken as done (`make -o setup`): a test installs nothing.
"""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import psutil
import pytest

from tests.labeling.pipeline.site_process import PATIENCE_S, ROOT, environment, free_port, until

pytestmark = pytest.mark.slow
MAKES_OWN = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "OUTBOUND_ALLOW")


@pytest.fixture
def demo(tmp_path):
    """The command at work, what it prints, and its data folder; whatever is left of it is killed."""
    data, log = tmp_path / "data", tmp_path / "log"
    words = [f"PY={sys.executable}", f"BIND=127.0.0.1:{free_port()}", f"PRACTICE_PORT={free_port()}"]
    env = {name: value for name, value in environment(data).items() if name not in MAKES_OWN}
    with log.open("wb") as out:
        running = psutil.Popen(
            ["make", "-o", "setup", "demo", "LLM=fake", *words],
            cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    yield running, log, data
    for one in [*_children(running), running]:
        if one.is_running():
            one.kill()
            one.wait(PATIENCE_S)


def _children(running):
    return running.children(recursive=True) if running.is_running() else []


def _count_answers(data):
    with closing(sqlite3.connect(f"file:{data / 'autoannotator.sqlite3'}?mode=ro", uri=True)) as base:
        return base.execute("SELECT COUNT(*) FROM labels_verifieranswer WHERE label_class_id IS NOT NULL").fetchone()[0]


def _spent(data):
    with closing(sqlite3.connect(f"file:{data / 'autoannotator.sqlite3'}?mode=ro", uri=True)) as base:
        return base.execute("SELECT spent_nano, cap_nano FROM llm_budget WHERE run > 0").fetchone()


@pytest.mark.timeout(240)
def test_make_demo_shows_a_language_model_at_work(demo):
    running, log, data = demo
    until(lambda: "Ctrl-C" in log.read_text(encoding="utf-8") or running.poll() is not None)
    assert running.poll() is None, log.read_text(encoding="utf-8")
    assert "/sign-in/" in log.read_text(encoding="utf-8")
    until(lambda: _count_answers(data) >= 5)
    spent, cap = _spent(data)
    assert 0 < spent < cap
    everyone = [*_children(running), running]
    os.killpg(running.pid, signal.SIGINT)
    _gone, left = psutil.wait_procs(everyone, timeout=PATIENCE_S)
    assert left == []
