"""A command that was killed goes on: the same bytes as undisturbed, nothing left behind, no other command's work."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import write_csv

ROOT = Path(__file__).resolve().parents[3]
Killed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "in.csv", [f"text {i}, it says" for i in range(400)], n=[str(i) for i in range(400)])


@pytest.fixture
def killed(source: Path, pool: list[str]) -> Killed:
    """Run the command in windows of 50 rows, killed at a call: killed(out, kill_at, *more)."""

    def run(out: Path, kill_at: int, *more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.annotator_core.cli.killed", str(kill_at), "50", "label", str(source)]
        command += ["--text-column=text", "--classes=negative,neutral,positive", "--allow-fake", "--out", str(out)]
        command += [f"--specialist={folder}" for folder in pool[:2]]
        return subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)

    return run


def _list_beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize(("rule", "seed"), [("--min-agree=2", 1), ("--budget=20", 2)])
def test_killed_at_any_moment_the_command_goes_on_to_the_same_bytes(
    killed: Killed, tmp_path: Path, rule: str, seed: int
) -> None:
    whole, out, rng = tmp_path / "whole.csv", tmp_path / "out.csv", random.Random(seed)
    undisturbed = killed(whole, 0, rule)
    calls = int(undisturbed.stderr.splitlines()[-1])
    statuses = [killed(out, rng.randrange(calls // 8, calls // 4), rule).returncode for _ in range(3)]
    assert statuses == [-signal.SIGKILL] * 3
    assert not out.exists()
    # As if the last kill had come in the middle of a write, which it seldom does.
    unfinished = tmp_path / next(name for name in _list_beside(out) if not name.endswith(".journal"))
    assert unfinished.stat().st_size > 1_000
    unfinished.write_bytes(unfinished.read_bytes() + b"half a r")
    last = killed(out, 0, rule)
    assert last.stderr.splitlines()[:-2] == undisturbed.stderr.splitlines()[:-2]
    assert out.read_bytes() == whole.read_bytes()
    assert _list_beside(out) == []


@pytest.mark.parametrize(("rule", "seed"), [("--min-agree=2", 3), ("--budget=20", 4)])
def test_killed_at_its_very_end_the_command_gives_the_same_bytes(
    killed: Killed, tmp_path: Path, rule: str, seed: int
) -> None:
    whole, out, rng = tmp_path / "whole.csv", tmp_path / "out.csv", random.Random(seed)
    calls = int(killed(whole, 0, rule).stderr.splitlines()[-1])
    assert killed(out, calls - rng.randrange(1, 80), rule).returncode == -signal.SIGKILL
    assert killed(out, 0, rule).returncode == 0
    assert out.read_bytes() == whole.read_bytes()
    assert _list_beside(out) == []


def _interrupt(killed: Killed, out: Path, *more: str, share: float = 0.75) -> None:
    calls = int(killed(out.with_name("whole.csv"), 0, *more).stderr.splitlines()[-1])
    assert killed(out, int(calls * share), *more).returncode == -signal.SIGKILL


def test_another_command_leaves_the_unfinished_work_alone(
    killed: Killed, label: Label, source: Path, pool: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    _interrupt(killed, out)
    beside = _list_beside(out)
    assert beside == [".out.csv.journal", ".out.csv.part"]
    assert label(source, out, specialists=pool) == 1
    assert "was begun by another command (other: specialists)" in capsys.readouterr().err
    assert label(source, out, "--min-agree=1", specialists=pool[:2]) == 1
    assert "(other: rule)" in capsys.readouterr().err
    assert _list_beside(out) == beside


def test_an_input_that_changed_in_between_is_noticed_and_restart_begins_anew(
    killed: Killed, label: Label, source: Path, pool: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    _interrupt(killed, out)
    write_csv(source, ["other"])
    assert label(source, out, specialists=pool[:2]) == 1
    assert "(other: input)" in capsys.readouterr().err
    assert label(source, out, "--restart", specialists=pool[:2]) == 0
    assert len(out.read_text().splitlines()) == 2
    assert _list_beside(out) == []


@pytest.mark.parametrize(
    ("first", "second", "kind"), [("--min-agree=2", "--budget=20", "part"), ("--budget=20", "--min-agree=2", "votes")]
)
def test_a_command_in_other_passes_leaves_the_unfinished_work_alone_until_a_restart(
    killed: Killed,
    label: Label,
    source: Path,
    pool: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    first: str,
    second: str,
    kind: str,
) -> None:
    out = tmp_path / "out.csv"
    _interrupt(killed, out, first, share=0.25)
    left = {name: (tmp_path / name).read_bytes() for name in _list_beside(out)}
    assert list(left) == [".out.csv.journal", f".out.csv.{kind}"]
    assert label(source, out, second, specialists=pool[:2]) == 1
    assert f".out.csv.{kind} was begun by another command (other: rule)" in capsys.readouterr().err
    assert {name: (tmp_path / name).read_bytes() for name in _list_beside(out)} == left
    assert label(source, out, second, "--restart", specialists=pool[:2]) == 0
    assert _list_beside(out) == []


def test_what_a_restart_would_throw_away_is_told(
    killed: Killed, label: Label, source: Path, pool: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    _interrupt(killed, out)
    assert label(source, out, specialists=pool) == 1
    assert capsys.readouterr().err.endswith("finish that one first, or add --restart to begin anew.\n")
    answers = tmp_path / ".out.csv.answers"
    answers.write_text("paid")
    assert label(source, out, specialists=pool) == 1
    assert f"which also throws away the answers in {answers} that were paid for." in capsys.readouterr().err


def test_a_restart_that_cannot_be_throws_no_answers_away(label: Label, source: Path, tmp_path: Path) -> None:
    answers = tmp_path / ".out.csv.answers"
    answers.write_text("paid")
    asked = ["--restart", "--verifier=http://127.0.0.1:9/v1", "--model=m", "--verifier-allow=127.0.0.1"]
    assert label(source, tmp_path / "out.csv", *asked, "--gold-column=gone") == 1
    assert answers.read_text() == "paid"
