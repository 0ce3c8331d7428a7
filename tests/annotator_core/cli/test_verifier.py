"""``label --verifier``: a language model decides hard rows, within a cap, and no answer is paid for twice."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotator_core.cli.answers import AnswerFile
from annotator_core.errors import BadInput
from annotator_core.fakes.openai_answers import find_item, make_answerer
from annotator_core.fakes.openai_script import DROP, OUTSIDE, REFUSAL, Answerer, OpenAIScript, Step, fail, say
from annotator_core.fakes.openai_server import FakeOpenAI
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import read_csv, write_csv

ROOT = Path(__file__).resolve().parents[3]
CLASSES = ("negative", "neutral", "positive")
TEXTS = [f"text {number}" for number in range(60)]
Ask = Callable[..., int]


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(OpenAIScript(_make_answerer())) as fake:
        yield fake


def _make_answerer() -> Answerer:
    """Return an answerer that is right, about the animals of the endpoint's test, too."""
    answerer = make_answerer(CLASSES, 1.0)
    return lambda messages: "dog" if "barks" in messages[-1]["content"] else answerer(messages)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "in.csv", [*TEXTS, "", "text 1"])


@pytest.fixture
def ask(label: Label, server: FakeOpenAI, source: Path, tmp_path: Path) -> Ask:
    """Run the command with the fake model: ask(*more) writes out.csv."""

    def run(*more: str, out: str = "out.csv") -> int:
        fixed = [f"--verifier={server.url}", "--model=fake-model", "--verifier-allow=127.0.0.1", "--price=1,2"]
        return label(source, tmp_path / out, *fixed, *more)

    return run


def _items(server: FakeOpenAI) -> list[str]:
    """Return the texts that were asked about, without the test of the endpoint."""
    asked = [find_item(one.body["messages"]) for one in server.script.list_questions() if one.body]
    return [text for text in asked if "animal" not in text]


def test_the_model_labels_hard_rows_and_no_others(ask: Ask, server: FakeOpenAI, tmp_path: Path) -> None:
    assert ask() == 0
    rows = read_csv(tmp_path / "out.csv")
    asked = [row for row in rows if row["verifier_outcome"]]
    assert {row["route"] for row in rows} == {"accept", "verify", "review"}
    assert asked == [row for row in rows if row["route"] == "verify"]
    for row in asked:
        assert (row["label"], row["label_source"]) == (row["verifier_label"], "verifier")
        assert (row["verifier_outcome"], float(row["verifier_confidence"]) > 0.8) == ("answered", True)
    # An empty text has nothing to ask about: a person sees it.
    assert [row["text"] for row in rows if row["route"] == "review"] == [""]
    # Equal texts are asked about once.
    assert sorted(_items(server)) == sorted({row["text"] for row in asked})
    assert list(tmp_path.glob(".out*")) == []


def test_what_was_asked_and_paid_is_told(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("--max-usd=3") == 0
    told = capsys.readouterr().err
    assert " labeled with the language model, 1 need review." in told
    assert "requests to the language model, " in told
    assert " of $3.0000.\n" in told


@pytest.fixture
def tested(ask: Ask, tmp_path: Path) -> Callable[[], Path]:
    """A file in which nothing stands but what the endpoint can do."""

    def make() -> Path:
        whole, kept = tmp_path / "whole", tmp_path / "tested"
        assert ask("--answers", str(whole), out="first.csv") == 0
        kept.write_text("\n".join(whole.read_text().splitlines()[:3]) + "\n")
        return kept

    return make


@pytest.mark.parametrize("step", [OUTSIDE, REFUSAL, say(""), say("positive", finish="length")])
def test_what_is_no_answer_goes_to_a_person(
    ask: Ask, server: FakeOpenAI, tested: Callable[[], Path], tmp_path: Path, step: Step
) -> None:
    kept = tested()
    server.script.rest = step
    assert ask("--answers", str(kept)) == 0
    rows = read_csv(tmp_path / "out.csv")
    assert {row["route"] for row in rows} == {"accept", "review"}
    assert {(row["label"], row["label_source"]) for row in rows if row["route"] == "review"} == {("", "")}


def test_a_request_that_is_rejected_stops_the_command(
    ask: Ask, server: FakeOpenAI, tested: Callable[[], Path], tmp_path: Path
) -> None:
    kept = tested()
    server.script.rest = fail(400)
    assert ask("--answers", str(kept)) == 1
    assert not (tmp_path / "out.csv").exists()


def test_answers_of_a_file_are_never_asked_again(ask: Ask, server: FakeOpenAI, tmp_path: Path) -> None:
    answers = str(tmp_path / "answers.jsonl")
    assert ask("--answers", answers) == 0
    asked = len(server.script.asked)
    assert ask("--answers", answers, "--max-usd=0", out="again.csv") == 0
    assert len(server.script.asked) == asked
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


@pytest.fixture
def large(source: Path) -> Path:
    """More hard rows than two cents pay for."""
    return write_csv(source, [f"text {number}" for number in range(400)])


@pytest.mark.usefixtures("large")
def test_a_cap_stops_the_command_and_a_higher_one_goes_on(
    ask: Ask, server: FakeOpenAI, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("--max-usd=0.02") == 4
    assert "The cap leaves no room for another question: raise it to go on." in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
    first = _items(server)
    assert ask("--max-usd=1") == 0
    assert len(_items(server)) == len(set(_items(server))) > len(first) > 0
    assert list(tmp_path.glob(".out*")) == []


@pytest.mark.usefixtures("large")
def test_the_cap_holds_with_sixteen_calls_under_way(ask: Ask, tmp_path: Path) -> None:
    assert ask("--max-usd=0.02", "--concurrency=16") == 4
    lines = [json.loads(line) for line in (tmp_path / ".out.csv.answers").read_text().splitlines()]
    assert 0 < sum(line.get("nano", 0) for line in lines) <= 20_000_000


@pytest.mark.usefixtures("large")
def test_anyway_leaves_the_rest_to_people(ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("--max-usd=0.02") == 4
    assert ask("--max-usd=0.02", "--anyway") == 0
    assert "The other hard rows go to a person." in capsys.readouterr().err
    rows = read_csv(tmp_path / "out.csv")
    assert {"verify", "review"} < {row["route"] for row in rows}
    assert {row["label"] for row in rows if row["verifier_outcome"] == "failed"} == {""}


def test_a_cap_without_room_for_the_first_test_asks_nothing(ask: Ask, server: FakeOpenAI) -> None:
    assert ask("--max-usd=0.0001") == 4
    assert server.script.asked == []


def test_sure_from_leaves_doubtful_answers_to_a_person(ask: Ask, server: FakeOpenAI, tmp_path: Path) -> None:
    server.script.confidence = 0.6
    assert ask("--sure-from=0.9") == 0
    rows = read_csv(tmp_path / "out.csv")
    assert {row["route"] for row in rows} == {"accept", "review"}
    assert {row["verifier_outcome"] for row in rows if row["text"] and row["route"] == "review"} == {"answered"}


@pytest.mark.parametrize("strategy", ["one-shot", "few-shot"])
def test_examples_stand_before_the_question(ask: Ask, server: FakeOpenAI, tmp_path: Path, strategy: str) -> None:
    examples = write_csv(tmp_path / "examples.csv", ["text one", "text two"], label=["negative", "neutral"])
    assert ask("--strategy", strategy, "--examples", str(examples)) == 0
    count = {"one-shot": 1, "few-shot": 2}[strategy]
    questions = [one.body["messages"] for one in server.script.list_questions()[-5:]]
    assert {len(messages) for messages in questions} == {2 + 2 * count}


def test_an_answered_row_is_no_example(
    ask: Ask, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(source, TEXTS, answer=["negative" if number < 5 else "" for number in range(60)])
    examples = write_csv(tmp_path / "examples.csv", TEXTS[:5], label=["negative"] * 5)
    assert ask("--strategy=one-shot", "--examples", str(examples), "--gold-column=answer") == 1
    assert "which may not stand as examples" in capsys.readouterr().err


def test_votes_can_be_shown(ask: Ask, server: FakeOpenAI) -> None:
    assert ask("--show-votes", "--strategy=chain-of-thought") == 0
    assert '[{"model": "f0", "label": ' in server.script.list_questions()[-1].body["messages"][-1]["content"]


def test_draws_and_models_give_a_majority(ask: Ask, server: FakeOpenAI, tmp_path: Path) -> None:
    assert ask("--draws=3") == 0
    hard = {row["text"] for row in read_csv(tmp_path / "out.csv") if row["route"] == "verify"}
    assert len(_items(server)) == 3 * len(hard)
    assert server.script.list_questions()[-1].body["temperature"] == 0.7


@pytest.mark.parametrize("how", ["--fuse", "--policy=default"])
def test_fusing_makes_an_answer_one_more_vote(ask: Ask, tmp_path: Path, how: str) -> None:
    assert ask(how) == 0
    rows = read_csv(tmp_path / "out.csv")
    fused = [row for row in rows if row["route"] == "verify"]
    assert {row["label_source"] for row in fused} == {"fused"}
    assert {bool(row["confidence"]) for row in fused} == {True}
    assert {row["route"] for row in rows} == {"accept", "verify", "review"}


def test_fusing_with_answers_of_people_asks_about_their_fitting_third(
    ask: Ask, server: FakeOpenAI, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answerer = _make_answerer()
    texts = [f"row {number}" for number in range(400)]
    gold = [answerer([{"content": text}]) for text in texts]
    write_csv(source, texts, answer=gold)
    # The model is always wrong, and people's answers show it.
    wrong = dict(zip(CLASSES, (*CLASSES[1:], CLASSES[0]), strict=True))
    server.script.answerer = lambda messages: wrong.get(answerer(messages), "dog")
    assert ask("--fuse", "--gold-column=answer") == 0
    assert "in place of its labels the answers would hurt" in capsys.readouterr().err
    rows = read_csv(tmp_path / "out.csv")
    decided = [row for row in rows if row["route"] == "verify"]
    right = sum(row["label"] == row["answer"] for row in decided) / len(decided)
    assert right > 0.5 > sum(row["verifier_label"] == row["answer"] for row in decided)


@pytest.mark.parametrize(("is_wrong", "rule"), [(True, ["--budget=30"]), (True, []), (False, ["--budget=30"])])
def test_answers_in_place_of_labels_are_warned_of_where_they_hurt(
    ask: Ask,
    server: FakeOpenAI,
    source: Path,
    capsys: pytest.CaptureFixture[str],
    is_wrong: bool,
    rule: list[str],
) -> None:
    answerer = _make_answerer()
    texts = [f"row {number}" for number in range(400)]
    write_csv(source, texts, answer=[answerer([{"content": text}]) for text in texts])
    wrong = dict(zip(CLASSES, (*CLASSES[1:], CLASSES[0]), strict=True))
    if is_wrong:
        server.script.answerer = lambda messages: wrong.get(answerer(messages), "dog")
    assert ask("--gold-column=answer", *rule) == 0
    told = capsys.readouterr().err
    assert ("in place of its labels the answers would hurt" in told) == is_wrong
    assert "better than the labels they replace" not in told
    asked = _items(server)
    assert len(asked) == len(set(asked)) > 100


@pytest.mark.parametrize("rule", [[], ["--fuse"]])
def test_answers_not_shown_to_be_better_are_warned_of_where_they_replace(
    ask: Ask, source: Path, capsys: pytest.CaptureFixture[str], rule: list[str]
) -> None:
    answerer = _make_answerer()
    texts = [f"row {number}" for number in range(60)]
    # So few rows have gold that no model could prove itself.
    write_csv(
        source, texts, answer=[answerer([{"content": text}]) if row < 6 else "" for row, text in enumerate(texts)]
    )
    assert ask("--gold-column=answer", *rule) == 0
    told = capsys.readouterr().err
    assert ("that does not show that the answers are better than the labels they replace" in told) == (not rule)
    assert "would hurt" not in told


def test_a_killed_command_asks_nothing_that_was_stored(
    server: FakeOpenAI, source: Path, pool: list[str], tmp_path: Path
) -> None:
    write_csv(source, [f"text {number}" for number in range(300)])
    server.script.rest = Step(delay_s=0.02)
    command = [sys.executable, "-m", "annotator_core", "label", str(source), "--text-column=text", "--allow-fake"]
    command += ["--classes=negative,neutral,positive", "--out", str(tmp_path / "out.csv"), "--price=1,2"]
    command += [f"--specialist={folder}" for folder in pool]
    command += [f"--verifier={server.url}", "--model=fake-model", "--verifier-allow=127.0.0.1"]
    rng, kept = random.Random(5), tmp_path / ".out.csv.answers"
    for _ in range(2):
        wanted = len(_items(server)) + rng.randrange(10, 40)
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
            while len(_items(server)) < wanted and process.poll() is None:
                server.script.rest = Step(delay_s=0.02)
            process.send_signal(signal.SIGKILL)
    lines = [json.loads(line) for line in kept.read_text().splitlines() if line.endswith("}")]
    stored = {line["key"] for line in lines if line.get("answered")}
    before = len(_items(server))
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0
    rows = read_csv(tmp_path / "out.csv")
    hard = {row["text"] for row in rows if row["route"] == "verify"}
    # Every text whose answer was stored was asked about once; only calls under way at a kill were asked twice.
    assert len(_items(server)) - before == len(hard) - len(stored)
    assert len(stored) >= 15
    assert list(tmp_path.glob(".out*")) == []


def test_a_broken_connection_stops_with_its_reason_and_keeps_the_answers(
    ask: Ask, server: FakeOpenAI, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script.keys = frozenset({"secret-key"})
    assert ask() == 1
    assert server.script.list_questions()[0].headers.get("authorization") is None
    assert "secret-key" not in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    ask: Ask, server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script.keys = frozenset({"secret-key"})
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    assert ask("--answers", str(tmp_path / "answers")) == 0
    assert {one.headers["authorization"] for one in server.script.asked} == {"Bearer secret-key"}
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"secret-key" not in written
    assert "secret-key" not in capsys.readouterr().err


def test_a_private_address_needs_leave(label: Label, server: FakeOpenAI, source: Path, tmp_path: Path) -> None:
    assert label(source, tmp_path / "out.csv", f"--verifier={server.url}", "--model=fake-model") == 1
    assert server.script.asked == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--model=b", "--model=b"], "named twice"),
        (["--max-usd=1", "--price="], "--price"),
        (["--price=1"], "IN,OUT"),
        (["--price=1,-2"], "at least 0"),
        (["--max-usd=-1"], "at least 0"),
        (["--strategy=few-shot"], "needs --examples"),
        (["--examples=x.csv"], "needs --examples"),
        (["--draws=0"], "1 or more"),
        (["--sure-from=1.5"], "between 0 and 1"),
    ],
)
def test_what_cannot_be_is_refused(ask: Ask, capsys: pytest.CaptureFixture[str], more: list[str], why: str) -> None:
    assert ask(*more) == 1
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "more", [["--verifier=http://x/v1"], ["--model=m"], ["--fuse"], ["--max-usd=1", "--price=1,1"]]
)
def test_what_says_half_is_refused(label: Label, source: Path, tmp_path: Path, more: list[str]) -> None:
    assert label(source, tmp_path / "out.csv", *more) == 1


@pytest.mark.parametrize("content", ["text,label\n", '{"some": "json"}\n', "no line end"])
def test_a_file_of_something_else_is_left_alone(ask: Ask, tmp_path: Path, content: str) -> None:
    (tmp_path / "mine").write_text(content)
    assert ask("--answers", str(tmp_path / "mine")) == 1
    assert (tmp_path / "mine").read_text() == content


def test_calls_that_a_kill_cut_off_count_as_paid(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    path.write_text(
        '{"file": "answers of language models", "version": 1}\n{"asked": [["k", 70], ["l", 5]]}\n{"key": "k"'
    )
    with AnswerFile(path, 100, is_kept=True) as ledger:
        assert (ledger.spent.nano, ledger.spent.requests) == (75, 2)
        assert ledger.recall(["k", "l"]) == {}
    # What the next command spends is its own.
    with AnswerFile(path, 100, is_kept=True) as ledger:
        assert ledger.spent.nano == 0


def test_two_commands_cannot_write_one_file_of_answers(tmp_path: Path) -> None:
    with AnswerFile(tmp_path / "answers", None, is_kept=True), pytest.raises(BadInput, match="Another command"):
        AnswerFile(tmp_path / "answers", None, is_kept=True)


def test_restart_forgets_the_answers_beside_the_output(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    path.write_text('{"file": "answers of language models", "version": 1}\n{"asked": [["k", 70]]}\n')
    with AnswerFile(path, None, is_kept=False, is_anew=True) as ledger:
        assert (ledger.spent.nano, ledger.states) == (0, {})
    assert not path.exists()


def test_a_dropped_call_is_booked_at_its_worst(
    ask: Ask, server: FakeOpenAI, tested: Callable[[], Path], tmp_path: Path
) -> None:
    kept = tested()
    server.script.steps = [DROP]
    assert ask("--answers", str(kept), "--concurrency=1") == 0
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    (lost,) = [line for line in lines if "key" in line and line["answered"] is None]
    reserves = dict(pair for line in lines for pair in line.get("asked", []))
    assert lost["nano"] == reserves[lost["key"]]
