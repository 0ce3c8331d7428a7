"""Standard input and output, pipes that close, and two commands at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from annotator_core.cli.journal import Journal, Mark
from annotator_core.errors import BadInput
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import write_csv

COMMAND = [sys.executable, "-m", "annotator_core", "label", "-", "--text-column=text", "--allow-fake", "--out=-"]
COMMAND += ["--classes=negative,neutral,positive"]


def _pipe(pool: list[str], content: bytes, *more: str) -> subprocess.CompletedProcess[bytes]:
    named = [f"--specialist={folder}" for folder in pool]
    return subprocess.run([*COMMAND, *named, *more], input=content, capture_output=True, check=False)


@pytest.mark.parametrize("rule", ["--min-agree=2", "--budget=20"])
def test_a_csv_through_pipes_is_that_through_files(label: Label, pool: list[str], tmp_path: Path, rule: str) -> None:
    source = write_csv(tmp_path / "in.csv", [f"text {i}" for i in range(30)])
    assert label(source, tmp_path / "out.csv", rule) == 0
    piped = _pipe(pool, source.read_bytes(), rule)
    assert (piped.returncode, piped.stdout) == (0, (tmp_path / "out.csv").read_bytes())
    assert piped.stderr.decode().splitlines()[0].startswith("30 rows: ")


def test_jsonl_through_pipes(pool: list[str]) -> None:
    content = b'{"text": "a", "n": 1}\n{"text": "caf\xc3\xa9"}\n'
    piped = _pipe(pool, content, "--format=jsonl")
    rows = [json.loads(line) for line in piped.stdout.splitlines()]
    assert [(row["text"], row.get("n")) for row in rows] == [("a", 1), ("café", None)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"text\nfine\ncaf\xe9\n", "error: standard input, line 3 is not UTF-8 (byte 0xe9)"),
        (b"", "error: standard input is empty."),
        (b"text,n\na,1\nb\n", "error: standard input, line 3: 1 cells where the header has 2."),
    ],
)
def test_bad_standard_input_is_named_with_its_line(pool: list[str], content: bytes, words: str) -> None:
    piped = _pipe(pool, content)
    assert (piped.returncode, piped.stdout) == (1, b"")
    assert piped.stderr.decode().startswith(words)


def test_a_reader_that_goes_away_ends_the_command_quietly(pool: list[str], tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [f"text {i}" for i in range(2_000)])
    named = [f"--specialist={pool[0]}"]
    with (
        source.open("rb") as file,
        subprocess.Popen([*COMMAND, *named], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running,
    ):
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        told = running.stderr.read()
    assert (running.returncode, told) == (141, b"")


@pytest.mark.parametrize("kind", ["part", "votes"])
@pytest.mark.parametrize("rule", ["--min-agree=2", "--budget=20"])
def test_two_commands_never_write_the_same_output(
    label: Label, tmp_path: Path, capsys: pytest.CaptureFixture, kind: str, rule: str
) -> None:
    source, out = write_csv(tmp_path / "in.csv", ["a"]), tmp_path / "out.csv"
    with Journal(out, kind, {"mine": 1}):
        assert label(source, out, rule, "--restart") == 1
    assert f"Another command is writing {out}" in capsys.readouterr().err
    assert label(source, out, rule) == 0


def test_a_journal_goes_on_at_the_last_mark_whose_bytes_are_there(tmp_path: Path) -> None:
    out, command = tmp_path / "out.csv", {"input": "x"}
    with Journal(out, "part", command) as journal:
        journal.unfinished.write_bytes(b"0123456789")
        for n_rows, size in ((1, 4), (2, 9), (3, 20)):
            journal.add(Mark(n_rows, size, {"n": n_rows}))
        journal.keep()
    with (tmp_path / ".out.csv.journal").open("a") as file:
        file.write('{"n_rows": 4, "si')
    with Journal(out, "part", command) as journal:
        assert journal.mark == Mark(2, 9, {"n": 2})
        journal.keep()
    with pytest.raises(BadInput, match=r"begun by another command \(other: input\)"):
        Journal(out, "part", {"input": "y"})
    with pytest.raises(BadInput, match=r"out.csv.part was begun by another command \(other: rule\)"):
        Journal(out, "votes", command)
    with Journal(out, "part", {"input": "y"}, is_anew=True) as journal:
        assert journal.mark == Mark()
    assert list(tmp_path.iterdir()) == []
