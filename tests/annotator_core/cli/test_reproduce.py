import re
import signal
import subprocess
import sys
from pathlib import Path

from annotator_core.__main__ import main
from tests.annotator_core.cli.files import EMOTIONS, SENTIMENTS, write_stored_votes

ROOT = Path(__file__).resolve().parents[3]

TWEETS = tuple(f"sent_{name}" for name in ("tweets_a", "airline", "reviews", "tweets_b", "tweets_c", "finance"))
WITH_A_PERSON = (
    "## Reviews at equal accuracy",
    "## Table 3",
    "## Policies at equal",
    "## The contract",
    "## Table 5",
    "## The sweep of epsilon",
)


def _name(tmp_path, *more, out="out"):
    named = ["--data", tmp_path / "data", "--specialists", tmp_path / "none", "--out", tmp_path / out, *more]
    return ["reproduce", *map(str, named)]


def _run(tmp_path, *more):
    return main(_name(tmp_path, *more))


def test_a_report_is_written_with_its_plots_and_again_from_what_was_kept(tmp_path, capsys):
    write_stored_votes(tmp_path / "data" / "llm_votes_emotion", EMOTIONS, 150)
    assert _run(tmp_path, "--only", "llm_votes_emotion", "--seeds", "1") == 0
    report = (tmp_path / "out" / "report.md").read_text()
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'report.md'}\n"
    assert sorted(path.name for path in (tmp_path / "out").glob("*.svg")) == ["equal.svg", "policies.svg"]
    assert "| Emotion, real LLM answers (6) | 150 |" in report
    assert _run(tmp_path, "--only", "llm_votes_emotion", "--seeds", "1") == 0
    assert (tmp_path / "out" / "report.md").read_text().splitlines()[6:40] == report.splitlines()[6:40]


def _report(tmp_path, out, *more):
    """The report on six stored specialists by its sections, without the line that holds the memory of the moment."""
    assert _run(tmp_path, "--only", "specialist_votes_tweets", "--seeds", "1", "--out", tmp_path / out, *more) == 0
    text = (tmp_path / out / "report.md").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("Tokens are")]
    parts = "\n".join(lines).split("\n## ")
    return {f"## {part.partition(chr(10))[0]}": part for part in parts[1:]} | {"head": parts[0]}


def _find(report, title):
    return next(part for name, part in report.items() if name.startswith(title))


def _find_rows(report, title):
    return [line for line in _find(report, title).splitlines() if line.startswith("|")]


def test_an_imperfect_person_is_in_every_table_that_has_one(tmp_path):
    write_stored_votes(tmp_path / "data" / "specialist_votes_tweets", SENTIMENTS, 150, TWEETS)
    gold, poor = _report(tmp_path, "gold"), _report(tmp_path, "poor", "--person-accuracy", "0.8")
    assert "the person is gold." in gold["head"]
    assert "the person is right on 80% of the rows" in poor["head"]
    for title in WITH_A_PERSON:
        assert "right on 80% of the rows" not in _find(gold, title)
        assert "right on 80% of the rows" in _find(poor, title)
        if title != "## The contract":  # so few rows certify nothing, whoever answers
            assert _find_rows(gold, title) != _find_rows(poor, title)
    assert _find(gold, "## Table 4") == _find(poor, "## Table 4")
    assert _report(tmp_path, "again", "--person-accuracy", "0.8") == poor


def test_a_set_without_specialists_is_refused_with_what_to_do(tmp_path, capsys):
    assert _run(tmp_path, "--only", "semeval") == 1
    assert "python -m benchmarks.train_specialists" in capsys.readouterr().err


def test_bad_options_are_refused(tmp_path, capsys):
    for more in (
        ["--person-accuracy", "2"],
        ["--seeds", "0"],
        ["--set", "x"],
        ["--endpoint", "http://a"],
        ["--only", "x"],
    ):
        assert _run(tmp_path, *more) == 1
        assert capsys.readouterr().err.startswith("error: ")


def _read_report(out):
    """The report and its plots, without the figure of memory, which is that of the process."""
    told = re.sub(r"[\d,]+ MB", "", (out / "report.md").read_text())
    return told, {path.name: path.read_bytes() for path in out.glob("*.svg")}


def test_killed_in_its_midst_the_command_goes_on_to_the_same_report(tmp_path):
    write_stored_votes(tmp_path / "data" / "llm_votes_stance")
    asked = ["--only", "llm_votes_stance", "--seeds", "2"]
    assert main(_name(tmp_path, *asked, out="whole")) == 0
    command = [sys.executable, "-m", "annotator_core", *_name(tmp_path, *asked)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        next(line for line in running.stderr if line == "llm_votes_stance: seed 1\n")
        running.kill()
    assert running.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "report.md").exists()
    (kept,) = (tmp_path / "out" / "kept" / "figures").glob("*.json")
    was = kept.stat()
    assert _run(tmp_path, *asked) == 0
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (was.st_ino, was.st_mtime_ns)
    assert _read_report(tmp_path / "out") == _read_report(tmp_path / "whole")
