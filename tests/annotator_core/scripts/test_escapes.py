"""Twelve ways out of the box, each tried by a script and each shut."""

import os
import socket
from pathlib import Path

import pytest

from annotator_core.scripts.box import Box, Ended, Errand, Limits

ROOT = Path(__file__).resolve().parents[3]
SMALL = Limits(wall_s=30, cpu_s=20, memory_bytes=512 << 20, disk_bytes=8 << 20, processes=16)


def attempt(box: Box, body: str, *arguments: object, limits: Limits = SMALL, takes_files: bool = False) -> Ended:
    """Run the body of a function of the arguments a, b; `tell` gives the name of the error that a step ends in."""
    source = (
        "import os, sys, socket, ctypes, signal\n"
        "def tell(step):\n    try:\n        return step()\n    except BaseException as error:\n"
        "        return type(error).__name__\n"
        "def attempt(a=None, b=None):\n" + "".join(f"    {line}\n" for line in body.strip().splitlines())
    )
    return box.run(Errand(source, "attempt", arguments, takes_files=takes_files), limits)


def test_1_files_of_the_machine_are_neither_read_nor_written(needs_box, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret", encoding="utf-8")
    ended = attempt(
        needs_box,
        """
        places = [a, b, "/etc/shadow", "/etc/passwd", "/var/lib", "/home"]
        return [[os.path.exists(place) for place in places],
                [tell(lambda: open(place + "/x", "w").name) for place in ("/usr", "/given/in", "/", sys.prefix)]]
        """.replace("\n        ", "\n"),
        str(secret),
        str(ROOT / "README.md"),
    )
    assert ended.answer == [[False] * 6, ["OSError"] * 4], ended


def test_2_the_environment_is_the_boxs_own(needs_box, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    told = attempt(needs_box, "return [dict(os.environ), open('/proc/1/environ').read()]").answer
    assert "HOME" in told[0]
    assert "s3cret" not in str(told)
    assert "OPENAI_API_KEY" not in str(told)


def test_3_nothing_is_reached_by_tcp(needs_box):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        ended = attempt(needs_box, "return tell(lambda: socket.create_connection(a, 2))", server.getsockname())
        assert ended.answer == "ConnectionRefusedError"
        with pytest.raises(TimeoutError):
            server.accept()


def test_4_nothing_is_reached_by_udp(needs_box):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        body = "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        body += "return [tell(lambda: one.sendto(b'x', tuple(a))), tell(lambda: one.sendto(b'x', ('192.0.2.1', 53)))]"
        ended = attempt(needs_box, body, server.getsockname())
        assert ended.answer[1] == "OSError"
        with pytest.raises(TimeoutError):
            server.recv(1)


def test_5_no_process_outside_hears_a_signal(needs_box):
    body = "return [tell(lambda: os.kill(pid, 0)) for pid in (a, b, -1)]"  # signal 0 only asks: it harms nobody
    ended = attempt(needs_box, body, os.getpid(), os.getppid())
    assert ended.answer == ["ProcessLookupError"] * 3


def test_6_forks_come_to_an_end(needs_box):
    body = """
pids = []
while True:
    try:
        pid = os.fork()
    except OSError as error:
        return [len(pids), error.errno]
    if not pid:
        signal.pause()
    pids.append(pid)
"""
    ended = attempt(needs_box, body)
    assert ended.answer == [SMALL.processes - 2, 11]  # the box's first process and the script count, too


def test_7_memory_comes_to_an_end(needs_box):
    assert attempt(needs_box, "return tell(lambda: len(bytearray(1 << 30)))").answer == "MemoryError"
    shared = """
for _child in range(4):
    if not os.fork():
        held = bytearray(200 << 20)
        for at in range(0, len(held), 4096):
            held[at] = 1
        signal.pause()
signal.pause()
"""
    ended = attempt(needs_box, shared)
    assert (ended.answer, ended.problem) == (None, "It took more than 536,870,912 bytes of memory.")


def test_8_time_comes_to_an_end(needs_box):
    busy = attempt(needs_box, "while True: pass", limits=Limits(wall_s=30, cpu_s=1))
    assert busy.answer is None
    assert busy.problem.startswith("It ended without a result")
    idle = attempt(needs_box, "signal.pause()", limits=Limits(wall_s=1))
    assert idle.problem == "It took longer than 1 seconds."


def test_9_the_disk_comes_to_an_end(needs_box):
    body = """
def fill(folder):
    for number in range(64):
        with open(f"{folder}/{number}", "wb") as file:
            file.write(bytes(1 << 20))
return [tell(lambda: fill("/tmp")), tell(lambda: fill("/dev/shm")), tell(lambda: fill("/dev")), tell(lambda: fill("/"))]
"""
    assert attempt(needs_box, body).answer == ["OSError"] * 4


def test_10_nothing_is_mounted_and_no_world_of_its_own_made(needs_box):
    body = """
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *words):
    return [getattr(libc, name)(*words), ctypes.get_errno()]
flags = {"user": 0x10000000, "mount": 0x00020000, "net": 0x40000000}
return [call("mount", b"none", b"/tmp", b"tmpfs", 0, None)[0], call("umount2", b"/usr", 2)[0],
        call("mount", b"none", b"/usr", None, 32, None)[0], call("chroot", b"/tmp")[0],
        *[call("unshare", flag)[0] for flag in flags.values()]]
"""
    assert attempt(needs_box, body).answer == [-1] * 7


def test_11_a_link_leads_nowhere_outside(needs_box, tmp_path):
    (tmp_path / "secret").write_text("s3cret", encoding="utf-8")
    body = """
os.symlink(a, "/tmp/out/link")
os.symlink("/proc/1/root" + a, "/tmp/out/root")
os.symlink("/given/in/../../" + a, "/tmp/out/up")
open("/tmp/out/own", "w").write("mine")
return [os.path.exists("/tmp/out/" + name) for name in ("link", "root", "up")]
"""
    ended = attempt(needs_box, body, str(tmp_path / "secret"), takes_files=True)
    assert ended.answer == [False] * 3
    assert ended.files == {"own": b"mine"}


def test_12_proc_shows_the_box_alone(needs_box):
    body = """
pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
return [pids, os.path.exists(f"/proc/{a}"), tell(lambda: open("/proc/sys/kernel/core_pattern", "w").write("|x")),
        tell(lambda: open("/proc/sysrq-trigger", "w").write("b")), tell(lambda: open("/proc/kcore", "rb").read(1)),
        tell(lambda: os.listdir("/sys")), tell(lambda: os.listdir(f"/proc/{a}/root"))]
"""
    pids, sees_us, *errors = attempt(needs_box, body, os.getpid()).answer
    assert len(pids) <= 3
    assert not sees_us
    assert set(errors) <= {"PermissionError", "FileNotFoundError", "OSError"}
