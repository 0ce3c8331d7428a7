"""The commands pilot, certify and bench: figures as text and JSON, exit statuses, refusals."""

import json
from pathlib import Path

import pytest

from annotator_core.__main__ import main
from annotator_core.cli.arguments import COMMANDS
from annotator_core.cli.gold import is_certifying
from tests.annotator_core.cli.files import write_csv
from tests.annotator_core.conftest import make_classifier

CLASSES = "--classes=negative,neutral,positive"
Captured = pytest.CaptureFixture[str]


def _name(pool: list[str]) -> list[str]:
    return ["--text-column=text", CLASSES, "--allow-fake", *(f"--specialist={folder}" for folder in pool)]


@pytest.fixture
def source(tmp_path: Path) -> str:
    gold = ["positive" if number % 5 == 0 else "" for number in range(200)]
    return str(write_csv(tmp_path / "in.csv", [f"text {number}" for number in range(200)], gold=gold))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_and_exit_statuses(command: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    told = capsys.readouterr().out
    assert (caught.value.code, "examples:" in told, "exit status: 0 done" in told) == (0, True, True)
    assert f"python -m annotator_core {command} " in told


def test_without_a_command_the_usage_is_wrong(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert (caught.value.code, "usage:" in capsys.readouterr().err) == (2, True)


def test_pilot_tells_the_same_as_text_and_json(source: str, pool: list[str], capsys: Captured) -> None:
    asked = ["pilot", source, *_name(pool), "--rows=80", "--gold-column=gold", "--seconds-per-row=36"]
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_rows"], found["n_drawn"], found["n_answered"]) == (200, 80, 40)
    assert sum(count for _value, count in found["histogram"]) == 80
    assert found["human_hours"]["value"] == pytest.approx(2 * found["hard"]["value"])
    assert told.startswith("80 of 200 rows, drawn at random.\n")
    assert f"For a person: {found['hard']['value']:.1%} (" in told
    assert "On 40 answered rows the majority is right on " in told
    assert main(asked) == 0
    assert capsys.readouterr().out.splitlines()[-8:] == told.splitlines()[-8:]


def test_pilot_compares_the_modes_where_a_price_is_given(source: str, pool: list[str], capsys: Captured) -> None:
    asked = [
        "pilot",
        source,
        *_name(pool),
        "--rows=80",
        "--seconds-per-row=360",
        "--price=0.15,0.6",
        "--usd-per-hour=12",
    ]
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    human, llm, both = found["options"]
    assert [option["mode"] for option in found["options"]] == ["human", "llm", "llm_then_human"]
    assert human["human_nano"] == pytest.approx(human["human_hours"] * 12e9, abs=1)
    assert (llm["llm_nano"], both["is_recommended"]) == (llm["calls"] * found["nano_a_call"], True)
    # Some 150 tokens in at 150 nano-dollars, and 12 of an answer at 600.
    assert 25_000 < found["nano_a_call"] < 35_000
    assert "Recommended: llm_then_human. People answer " in told
    assert "Epsilon: 3 of 3 must agree;" in told
    assert "Beta: About " in told


def test_certify_by_hand(tmp_path: Path, capsys: Captured) -> None:
    # 300 labeled rows, all answered, of which the surest 200 are right: 5 percent is reached by about these.
    texts, right = [f"text {number}" for number in range(300)], ["yes"] * 200 + ["no"] * 100
    scores = [f"{1 - number / 300:.4f}" for number in range(300)]
    table = write_csv(tmp_path / "l.csv", texts, label=["yes"] * 300, confidence=scores, gold=right)
    asked = ["certify", str(table), "--text-column=text", "--gold-column=gold", "--unfitted"]
    assert main([*asked, "--targets=0.1,5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_rows"], found["n_labeled"], found["n_certifying"]) == (300, 300, 300)
    assert found["labeled_accuracy"]["value"] == pytest.approx(2 / 3)
    never, reached = found["lines"]
    assert (never["share_of_rows"], never["threshold"], never["target_error"]) == (None, None, 0.001)
    assert reached["share_of_rows"] == reached["n_texts"] / 300 == pytest.approx(2 / 3, abs=0.05)
    assert main([*asked, "--targets=5"]) == 0
    told = capsys.readouterr().out
    # What is promised is the target, not a bound on the set that the answers chose.
    header = "wrong at most  accept from score  of all rows  texts in it  more to answer"
    shown = (f"{reached['accept_from']!r}", f"{reached['share_of_rows']:.1%}", f"{reached['n_texts']}", "-")
    assert [line.split() for line in told.splitlines()[3:5]] == [header.split(), ["5.0%", *shown]]


@pytest.mark.parametrize(
    ("sure", "unsure"),
    [("0.666667", "0.333333"), ("0.3333334", "0.3333333"), ("16777217", "16777216"), ("5e-324", "0")],
)
def test_certify_prints_a_score_that_excludes_what_is_not_certified(
    tmp_path: Path, capsys: Captured, sure: str, unsure: str
) -> None:
    # As of three voters: 300 rows of one score, all right, then 300 of the next lower one, half of them wrong.
    texts, gold = [f"text {number}" for number in range(600)], ["yes"] * 450 + ["no"] * 150
    scores = [sure] * 300 + [unsure] * 300
    table = write_csv(tmp_path / "l.csv", texts, label=["yes"] * 600, confidence=scores, gold=gold)
    asked = ["certify", str(table), "--text-column=text", "--gold-column=gold", "--unfitted", "--targets=5"]
    assert main(asked) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("5.0%")]
    threshold = float(line.split()[1])
    assert [float(score) >= threshold for score in scores] == [True] * 300 + [False] * 300
    assert " 50.0% " in line


def test_certify_measures_labels_by_answers_that_no_fit_has_seen(tmp_path: Path, capsys: Captured) -> None:
    # Right exactly where a fit has seen the answer, and each such text twice.
    texts = [f"text {number}" for number in range(300)]
    gold = ["no" if certifies else "yes" for certifies in is_certifying(texts)]
    table = write_csv(tmp_path / "l.csv", texts * 2, label=["yes"] * 600, confidence=["0.9"] * 600, gold=gold * 2)
    asked = ["certify", str(table), "--text-column=text", "--gold-column=gold", "--json"]
    assert main(asked) == 3
    fitted = json.loads(capsys.readouterr().out)
    assert (fitted["labeled_accuracy"]["value"], fitted["n_certifying"]) == (0.0, gold.count("no"))
    assert main([*asked, "--unfitted"]) == 3
    unfitted = json.loads(capsys.readouterr().out)
    assert unfitted["labeled_accuracy"]["value"] == pytest.approx(gold.count("yes") / 300)
    assert unfitted["n_certifying"] == 300


def test_certify_without_a_reached_target_exits_with_3(tmp_path: Path, capsys: Captured) -> None:
    answers = ["yes"] * 9 + ["", " "]
    labels = ["yes"] * 8 + ["", "yes", ""]
    scores = ["0.9"] * 8 + ["", "0.5", ""]
    table = write_csv(tmp_path / "l.csv", [f"t{i}" for i in range(11)], label=labels, confidence=scores, gold=answers)
    assert main(["certify", str(table), "--text-column=text", "--gold-column=gold"]) == 3
    told = capsys.readouterr().out
    assert told.startswith("9 of 11 rows have a label; 9 rows are answered, ")
    assert told.count("not reachable") == 5


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--targets=0"], "--targets must be percentages between 0 and 100"),
        (["--targets=x"], "--targets must be percentages between 0 and 100"),
        (["--score-column=score"], "has no column 'score': choose one of text, gold, label, confidence"),
        ([], "row 1: 'high' in column 'confidence' is no score"),
    ],
)
def test_certify_refuses_what_it_cannot_use(tmp_path: Path, capsys: Captured, more: list[str], words: str) -> None:
    table = write_csv(tmp_path / "l.csv", ["a"], gold=["yes"], label=["yes"], confidence=["high"])
    assert main(["certify", str(table), "--text-column=text", "--gold-column=gold", *more]) == 1
    assert words in capsys.readouterr().err


def test_bench_measures_every_specialist(source: str, pool: list[str], tmp_path: Path, capsys: Captured) -> None:
    folder = make_classifier(tmp_path / "tiny")
    asked = ["bench", source, *_name([str(folder), pool[0]]), "--rows=30", "--rounds=2", "--pipeline=3"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows_a_round"], found["rounds"]) == (30, 2)
    counts = [[len(one[key]) for key in ("texts_per_s", "tokens_per_s", "pipeline_per_s")] for one in found["speeds"]]
    assert counts == [[2, 2, 2], [2, 0, 0]]
    assert main(asked[:-1]) == 0
    told = capsys.readouterr().out
    assert told.startswith("2 rounds of 30 texts, medians.\n")
    assert "Peak memory of this process" in told


def test_bench_refuses_no_rounds(source: str, pool: list[str], capsys: Captured) -> None:
    assert main(["bench", source, *_name(pool), "--rounds=0"]) == 1
    assert "must be 1 or more" in capsys.readouterr().err
