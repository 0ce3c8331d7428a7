"""What goes into the box and what comes out, and that there is none where it could not hold."""

import sys
from pathlib import Path

import pytest

from annotator_core.errors import PredictionStopped
from annotator_core.scripts.box import Box, Errand, Limits, WhyNot, probe_box


def test_arguments_go_in_and_the_answer_comes_out(needs_box):
    ended = needs_box.run(Errand("def add(a, b):\n    print('adding')\n    return a + b", "add", ("1 ü", "\u2028")))
    assert (ended.answer, ended.problem, ended.log) == ("1 ü\u2028", "", "adding\n")


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_folders_are_read_and_never_written(needs_box, tmp_path, mode):
    tmp_path.chmod(mode)
    (tmp_path / "words.txt").write_text("hello", encoding="utf-8")
    source = (
        "from pathlib import Path\n"
        "def look():\n"
        "    place = Path('/given/model')\n"
        "    try:\n        (place / 'x').write_text('x')\n    except OSError as error:\n        told = error.errno\n"
        "    return [(place / 'words.txt').read_text(), told]\n"
    )
    assert needs_box.run(Errand(source, "look", folders={"model": tmp_path})).answer == ["hello", 30]
    assert not (tmp_path / "x").exists()


def test_a_function_that_is_returned_is_called_with_the_texts(needs_box):
    source = "def make(a):\n    return lambda texts: [a + len(text) for text in texts]"
    ended = needs_box.run(Errand(source, "make", (10, ["a", "bb"]), is_called_again=True))
    assert ended.answer == [11, 12]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(): raise ValueError('no such luck')", "no such luck"),
        ("def f(:", "SyntaxError"),
        ("def g(): pass", "no attribute 'f'"),
        ("def f(): return {1}", "tolist"),
    ],
)
def test_a_script_that_fails_leaves_its_words(needs_box, source, words):
    ended = needs_box.run(Errand(source, "f"))
    assert ended.answer is None
    assert ended.problem.startswith("It ended without a result")
    assert words in ended.log


def test_words_are_cut_and_too_long_a_result_ends_it(needs_box):
    limits = Limits(log_bytes=1000, result_bytes=10_000)
    told = needs_box.run(Errand("def f():\n    print('x' * 1_000_000)\n    return 1", "f"), limits)
    assert (told.answer, len(told.log)) == (1, 1000)
    long = needs_box.run(Errand("def f(): return 'x' * 1_000_000", "f"), limits)
    assert (long.answer, long.problem) == (None, "Its result has more than 10,000 bytes.")


@pytest.mark.parametrize("forged", ['{"answer": 1, "files": [["a", 9]]}', '{"answer": 1, "files": [["a", -1]]}', "[1]"])
def test_a_forged_result_is_no_result(needs_box, forged):
    source = f"import os\ndef f():\n    os.write(3, {forged.encode()!r} + b'\\n')\n    os._exit(0)"
    assert needs_box.run(Errand(source, "f")).answer is None


def test_who_asks_may_stop_it(needs_box):
    with pytest.raises(PredictionStopped):
        needs_box.run(Errand("import signal\ndef f(): signal.pause()", "f"), should_stop=lambda: True)


def test_without_bubblewrap_there_is_no_box(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = probe_box.__wrapped__()
    assert isinstance(found, WhyNot)
    assert "apt-get install bubblewrap" in found.reason


@pytest.mark.parametrize(
    "body", ["echo no namespaces for you >&2; exit 1", 'while [ $# -gt 0 ]; do shift; done; echo "{}"']
)
def test_a_bubblewrap_that_makes_no_box_is_no_box(monkeypatch, tmp_path, body):
    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = probe_box.__wrapped__()
    assert isinstance(found, WhyNot)
    assert "unprivileged user namespaces" in found.reason


def test_a_bubblewrap_that_lets_everything_through_is_no_box(monkeypatch, tmp_path):
    """Plain Python with limits is no box: what the probe sees decides, not what the program says."""
    program = tmp_path / "bwrap"
    lines = ["#!/usr/bin/env python3", "import os, sys", "at = max(i for i, w in enumerate(sys.argv) if 'python' in w)"]
    program.write_text("\n".join([*lines, "os.execv(sys.argv[at], sys.argv[at:])"]), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert isinstance(probe_box.__wrapped__(), WhyNot)


def put_before(bwrap, folder, swaps):
    """A bubblewrap that hands its words to the real one, some of them changed."""
    program = folder / "bwrap"
    swaps = {str(program): [bwrap]} | swaps
    lines = [
        f"#!{sys.executable}",
        "import os, sys",
        f"words = [one for word in sys.argv for one in {swaps!r}.get(word, [word])]",
        f"os.execv({bwrap!r}, words)",
    ]
    program.write_text("\n".join(lines), encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("kept", "shared"), [("", []), ("net", ["network"]), ("pid", ["processes"]), ("ipc", ["messages"])]
)
def test_a_box_that_shares_something_with_the_machine_is_none(needs_box, monkeypatch, tmp_path, kept, shared):
    spaces = [f"--unshare-{one}" for one in ("ipc", "net", "pid", "uts") if one != kept]
    # Without processes of its own it could not mount theirs, and would fail for that.
    processes = {"--proc": ["--ro-bind", "/proc"]} if kept == "pid" else {}
    put_before(needs_box.bwrap, tmp_path, {"--unshare-all": spaces} | processes)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = probe_box.__wrapped__()
    reasons = [WhyNot(f"bubblewrap makes a box here that shares {one} with the machine.") for one in shared]
    assert [found] == (reasons or [Box(str(tmp_path / "bwrap"))])


def test_the_box_of_this_machine_is_found_once(needs_box):
    assert isinstance(needs_box, Box)
    assert probe_box() is probe_box()
    assert probe_box() == needs_box
    assert Path(needs_box.bwrap).is_file()


def test_a_result_that_the_script_forged_is_none(needs_box):
    source = 'import os\ndef f():\n    os.write(3, b\'{"answer": 1, "files": [["a", 1e999]]}\\n\')\n    os._exit(0)'
    ended = needs_box.run(Errand(source, "f"))
    assert (ended.answer, ended.problem) == (None, "It ended without a result (exit code 0).")


def test_words_hold_no_character_that_a_database_refuses(needs_box):
    assert needs_box.run(Errand("def f():\n    print('a\\0b')\n    return 1", "f")).log == "a\ufffdb\n"
