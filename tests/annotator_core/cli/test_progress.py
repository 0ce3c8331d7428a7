"""Bars: on stderr where that is a terminal, full at their end, and nothing of them anywhere else."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from annotator_core.__main__ import main
from annotator_core.cli.progress import show_parts
from tests.annotator_core.cli.files import write_csv, write_stored_votes

Captured = pytest.CaptureFixture[str]
FULL = {
    "label": "600/600",  # 200 rows, 3 specialists
    "pilot": "603/603",  # 80 drawn, 40 answered and, for their time, 81 rows, 3 specialists
    "certify": "200/200",  # rows
    "bench": "6/6",  # 3 specialists, 2 rounds
    "reproduce": "2/2",  # votes, 1 seed
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def ask(pool: list[str], tmp_path: Path) -> Callable[[str], list[str]]:
    """Return the arguments of a command."""
    texts, gold = [f"text {number}" for number in range(200)], ["positive" if n % 5 == 0 else "" for n in range(200)]
    scores = [f"{number / 200}" for number in range(200)]
    source = str(write_csv(tmp_path / "in.csv", texts, gold=gold, label=["positive"] * 200, confidence=scores))
    write_stored_votes(tmp_path / "data" / "llm_votes_stance")
    named = [source, "--text-column=text", "--classes=negative,neutral,positive", "--allow-fake"]
    named += [f"--specialist={folder}" for folder in pool]
    arguments = {
        "label": [*named, f"--out={tmp_path / 'out.csv'}"],
        "pilot": [*named, "--rows=80", "--gold-column=gold"],
        "certify": [source, "--text-column=text", "--gold-column=gold", "--unfitted", "--targets=20"],
        "bench": [*named, "--rows=30", "--rounds=2"],
        "reproduce": [
            *("--only=llm_votes_stance", "--seeds=1", f"--data={tmp_path / 'data'}"),
            *(f"--specialists={tmp_path / 'none'}", f"--out={tmp_path / 'report'}"),
        ],
    }
    return lambda command: [command, *arguments[command]]


@pytest.mark.parametrize("command", FULL)
def test_a_command_shows_a_bar_on_a_terminal_and_nothing_of_it_elsewhere(
    ask: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch, capsys: Captured, command: str
) -> None:
    assert main(ask(command)) == 0
    piped = capsys.readouterr()
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    assert main(ask(command)) == 0
    shown, out = terminal.getvalue(), capsys.readouterr().out
    assert (shown.count("\r") > 1, f"| {FULL[command]} [" in shown) == (True, True)
    assert [mark in told for mark in ("\r", "it/s", "%|") for told in (piped.out, piped.err, out)] == [False] * 9
    assert len(out.splitlines()) == len(piped.out.splitlines())


def _break_off() -> None:
    with show_parts(3) as begin:
        begin("one")
        begin("two")
        raise ValueError("broken")


def test_parts_are_lines_above_their_bar_and_count_when_they_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    with pytest.raises(ValueError, match="broken"):
        _break_off()
    shown = terminal.getvalue()
    assert [line for line in shown.replace("\r", "\n").splitlines() if line in ("one", "two")] == ["one", "two"]
    assert ("| 1/3 [" in shown, "| 2/3 [" in shown, shown.endswith("\n")) == (True, False, True)


def test_parts_are_plain_lines_where_nobody_watches(capsys: Captured) -> None:
    with show_parts(2) as begin:
        begin("one")
        begin("two")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "one\ntwo\n")
