import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from annotator_core.__main__ import main
from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.openai_script import OpenAIScript, Step
from annotator_core.fakes.openai_server import FakeOpenAI
from tests.annotator_core.cli.files import EMOTIONS, SENTIMENTS, read_csv, write_stored_votes

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
    drawn = sorted(path.name for path in (tmp_path / "out").glob("*.svg"))
    assert drawn == ["contract.svg", "equal.svg", "policies.svg"]
    assert "| Emotion, real LLM answers (6) | 150 |" in report
    assert _run(tmp_path, "--only", "llm_votes_emotion", "--seeds", "1") == 0
    assert (tmp_path / "out" / "report.md").read_text().splitlines()[6:40] == report.splitlines()[6:40]


def _report(tmp_path, out, *more):
    """The report on six stored specialists by its sections, without the line that holds the memory of the moment."""
    assert _run(tmp_path, "--only", "specialist_votes_tweets", "--seeds", "1", "--out", tmp_path / out, *more) == 0
    text = (tmp_path / out / "report.md").read_text()
    lines = [line for line in text.splitlines() if " MB at most" not in line]
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


def test_every_plot_of_the_folder_is_shown_in_the_report(tmp_path):
    write_stored_votes(tmp_path / "data" / "specialist_votes_tweets", SENTIMENTS, 150, TWEETS)
    report = "".join(_report(tmp_path, "out").values())
    drawn = sorted(path.name for path in (tmp_path / "out").glob("*.svg"))
    assert drawn == ["contract.svg", "epsilon.svg", "equal.svg", "policies.svg", "specialists.svg"]
    assert sorted(re.findall(r"]\((\w+\.svg)\)", report)) == drawn


@pytest.fixture
def server(tmp_path):
    """A set of 150 rows, and a model that knows their gold beside two that name another class."""
    write_stored_votes(tmp_path / "data" / "llm_votes_emotion", EMOTIONS, 150)
    items = read_csv(tmp_path / "data" / "llm_votes_emotion" / "items.csv")
    gold = {item["text"]: item["label"] for item in items}
    wrong = make_answerer(EMOTIONS, 0.0, gold)
    with FakeOpenAI(OpenAIScript(make_answerer(EMOTIONS, 1.0, gold), others={"b": wrong, "c": wrong})) as fake:
        yield fake


def _name_endpoint(server, *models):
    named = ["--only", "llm_votes_emotion", "--asked", "50", "--endpoint", server.url]
    return [*named, "--endpoint-allow", "127.0.0.1", *(f"--model={name}" for name in models)]


def _list_asked(server):
    bodies = [one.body for one in server.script.list_questions()]
    return [f"{body['model']} {body['messages']}" for body in bodies if "<data-" in str(body)]


def _find_cells(report, title, row="| Emotion"):
    part = report.partition(title)[2]
    return next(line for line in part.splitlines() if line.startswith(row)).strip("| ").split(" | ")


def test_with_an_endpoint_its_own_answers_are_in_every_policy_with_an_llm(tmp_path, server):
    asked = [*_name_endpoint(server, "fake-model", "b", "c"), "--seeds", "1"]
    assert _run(tmp_path, *asked) == 0
    report = (tmp_path / "out" / "report.md").read_text()
    three = _find_cells(report, "## Table 3")
    assert "fake-model 100.0 (92.9 to 100.0) (50 rows), b 0.0" in three[3]
    assert three[4] == "0.0 (0.0 to 7.1) (3 models, 50 rows)"
    assert three[5].endswith("(fake-model, 50 rows)")
    # Who answers as gold does is worth as much as a person who is gold.
    policies = _find_cells(report, "every policy on these rows alone")
    assert (policies[1], policies[6], policies[7]) == ("50", policies[9], policies[10])
    assert policies[6] == three[5].removesuffix(" (fake-model, 50 rows)")
    assert "| Emotion, real LLM answers (6) | c | chain-of-thought | 50 | 0.0" in report
    assert "simulated" not in report.partition("## Table 6")[0]
    assert len(_list_asked(server)) == len(set(_list_asked(server))) == 50 * 3 * 3


def test_nothing_is_asked_twice(tmp_path, server):
    assert _run(tmp_path, *_name_endpoint(server, "fake-model"), "--seeds", "1") == 0
    sent = len(server.script.asked)
    first = _find_cells((tmp_path / "out" / "report.md").read_text(), "## Table 3")
    assert _run(tmp_path, *_name_endpoint(server, "fake-model"), "--seeds", "2") == 0
    assert len(server.script.asked) == sent
    assert _find_cells((tmp_path / "out" / "report.md").read_text(), "## Table 3")[3:5] == first[3:5]
    assert _run(tmp_path, *_name_endpoint(server, "fake-model", "b"), "--seeds", "1") == 0
    assert {body.partition(" ")[0] for body in _list_asked(server)[150:]} == {"b"}


def test_killed_while_it_asks_the_command_keeps_every_answer(tmp_path, server):
    asked = [*_name_endpoint(server, "fake-model"), "--seeds", "1"]
    server.script.rest = Step(delay_s=0.02)
    command = [sys.executable, "-m", "annotator_core", *_name(tmp_path, *asked)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as running:
        while len(_list_asked(server)) < 40 and running.poll() is None:
            server.script.rest = Step(delay_s=0.02)
        running.kill()
    assert running.returncode == -signal.SIGKILL
    lines = (tmp_path / "out" / "kept" / "answers.jsonl").read_text().splitlines()
    stored = [line for line in lines if '"answered": {' in line]
    before = len(_list_asked(server))
    assert len(stored) >= 30
    assert _run(tmp_path, *asked) == 0
    assert len(_list_asked(server)) - before == 150 - len(stored)


def test_a_private_endpoint_needs_leave(tmp_path, server, capsys):
    assert _run(tmp_path, *_name_endpoint(server, "fake-model")[:6], "--model=fake-model", "--seeds", "1") == 1
    assert "127.0.0.1" in capsys.readouterr().err
    assert server.script.asked == []


def test_the_key_is_read_from_its_file_and_written_nowhere(tmp_path, server, capsys):
    server.script.keys = frozenset({"secret-key"})
    (tmp_path / "key").write_text("secret-key\n")
    asked = [*_name_endpoint(server, "fake-model"), "--seeds", "1"]
    assert _run(tmp_path, *asked) == 1
    assert _run(tmp_path, *asked, "--key-file", str(tmp_path / "none")) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert _run(tmp_path, *asked, "--key-file", str(tmp_path / "key")) == 0
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"secret-key" not in written


def test_a_set_without_specialists_is_refused_with_what_to_do(tmp_path, capsys):
    assert _run(tmp_path, "--only", "semeval") == 1
    assert "python -m benchmarks.train_specialists" in capsys.readouterr().err


def test_bad_options_are_refused(tmp_path, capsys):
    for more in (
        ["--person-accuracy", "2"],
        ["--seeds", "0"],
        ["--set", "x"],
        ["--endpoint", "http://a"],
        ["--model", "m"],
        ["--endpoint", "http://a", "--model", "m", "--model", "m"],
        ["--endpoint", "http://a", "--model", "m", "--asked", "10"],
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
