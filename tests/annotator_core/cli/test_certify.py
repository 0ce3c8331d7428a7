"""The command certify: thresholds by class, the price of answers, and how many it takes before anybody answers."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from annotator_core.__main__ import main
from annotator_core.contract.certify import confidence_at
from annotator_core.contract.plan import plan_audit
from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import read_csv, write_csv

Captured = pytest.CaptureFixture[str]
ASKED = ("--text-column=text", "--gold-column=gold", "--unfitted")
Certify = Callable[..., str]


@pytest.fixture
def certify(tmp_path: Path, capsys: Captured) -> Certify:
    """Run certify on a table and return what it writes: certify(labels, gold, *more, status=0)."""

    def run(labels: list[str], gold: list[str], *more: str, status: int = 0) -> str:
        n = len(labels)
        scores = [f"{1 - row / n:.4f}" if label else "" for row, label in enumerate(labels)]
        texts = [f"text {number}" for number in range(n)]
        table = write_csv(tmp_path / "l.csv", texts, label=labels, confidence=scores, gold=gold)
        assert main(["certify", str(table), *ASKED, *more]) == status
        return capsys.readouterr().out

    return run


def test_each_class_has_a_threshold_of_its_own(certify: Certify) -> None:
    # "often" is always right; "rare" is right only where it is among the surest half, every fifth row is its.
    labels = ["rare" if row % 5 == 0 else "often" for row in range(1_000)]
    gold = ["other" if label == "rare" and row >= 750 else label for row, label in enumerate(labels)]
    told = certify(labels, gold, "--targets=10", "--per-class")
    found = json.loads(certify(labels, gold, "--targets=10", "--per-class", "--json"))
    often, rare = found["lines"]
    assert [(line["label"], line["target_error"]) for line in found["lines"]] == [("often", 0.1), ("rare", 0.1)]
    assert (often["share_of_rows"], often["n_texts"]) == (0.8, 800)
    assert 0.1 < rare["share_of_rows"] == rare["n_texts"] / 1_000 < 0.18
    # Two classes share the risk of a target, so each has half.
    assert rare["confidence"] == pytest.approx(1 - (1 - confidence_at(1)) / 2)
    shown = [line.split() for line in told.splitlines() if line.startswith("10.0%")]
    assert shown == [
        ["10.0%", line["label"], repr(line["accept_from"]), f"{line['share_of_rows']:.1%}", str(line["n_texts"]), "-"]
        for line in (often, rare)
    ]
    assert "The lines of one target hold together" in told


def test_a_rare_class_needs_answers_in_proportion(certify: Certify) -> None:
    labels = ["rare" if row % 20 == 0 else "often" for row in range(400)]
    found = json.loads(certify(labels, labels, "--targets=5", "--per-class", "--json"))
    often, rare = found["lines"]
    assert (often["n_texts"], often["more"], rare["threshold"]) == (380, None, None)
    # 20 rows of the class, all right; at half of look 2's risk it takes 124, so 104 more: one row in 20 is its.
    assert rare["more"] == 104 * 20


def test_labels_of_no_answer_are_certified_by_none(certify: Certify) -> None:
    labels = ["yes"] * 200 + ["no"] * 50
    found = json.loads(certify(labels, ["yes"] * 200 + [""] * 50, "--targets=5", "--per-class", "--json"))
    no, yes = found["lines"]
    assert (no["label"], no["n_texts"], no["threshold"]) == ("no", 0, None)
    assert (yes["label"], yes["share_of_rows"]) == ("yes", 0.8)


def test_answers_that_are_still_needed_have_a_price(certify: Certify) -> None:
    labels = ["yes"] * 60
    told = certify(labels, labels, "--targets=5", "--price-per-label=0.5", status=3)
    (line,) = [line.split() for line in told.splitlines() if line.startswith("5.0%")]
    # At look 2 it takes 110 without a wrong one; no row of the table is left to answer.
    assert line == ["5.0%", "not", "reachable", "-", "-", "50"]
    assert "Only 0 rows are left without an answer: what takes more cannot be had from this table." in told
    told = certify(labels * 2, labels + [""] * 60, "--targets=5", "--price-per-label=0.5", status=3)
    (line,) = [line.split() for line in told.splitlines() if line.startswith("5.0%")]
    assert line == ["5.0%", "not", "reachable", "-", "-", "50", "25.00"]
    assert ("price" in told, "More to answer is the least that it takes" in told, "Only" in told) == (True, True, False)
    assert "price" not in certify(labels, labels, "--targets=5", status=3)


@pytest.mark.parametrize(("times", "span", "is_warned"), [(1, [1, 1], False), (2, [1, 2], True)])
def test_texts_that_stand_there_unequally_often_are_warned_of(
    tmp_path: Path, capsys: Captured, times: int, span: list[int], is_warned: bool
) -> None:
    # Text 0 is answered and stands there again without an answer; nobody answered text 300, so its copies say little.
    texts = [f"text {row}" for row in range(300)] + ["text 0"] * (times - 1) + ["text 300"] * 5
    rows = len(texts)
    gold = ["yes"] * 300 + [""] * (rows - 300)
    table = write_csv(tmp_path / "l.csv", texts, label=["yes"] * rows, confidence=["0.5"] * rows, gold=gold)
    asked = ["certify", str(table), *ASKED, "--targets=5"]
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["copies"] == span
    assert main(asked) == 0
    assert ("stand in the table 1 to 2 times. Rows drawn at random hold" in capsys.readouterr().out) == is_warned


def test_a_plan_counts_answers_before_anybody_answers(tmp_path: Path, capsys: Captured) -> None:
    table = write_csv(tmp_path / "t.csv", [f"text {row % 750}" for row in range(900)])
    asked = ["certify", str(table), "--text-column=text", "--plan=5,2", "--price-per-label=0.1"]
    plan = plan_audit(0.05, 0.02, frame_texts=750, confidence=confidence_at(1))
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["plan"]["total_rows"], found["plan"]["frame_texts"]) == (plan.total_rows, 750)
    assert found["price"] == pytest.approx(plan.total_rows / 10)
    assert main([*asked, "--look=2", "--unfitted"]) == 0
    told = capsys.readouterr().out
    rows = plan_audit(0.05, 0.02, frame_texts=750, confidence=confidence_at(2), is_unfitted=True).total_rows
    reached = f"Reachable with {rows} answers (all certify); there are 750 texts to draw from."
    assert f"{reached} They cost {rows / 10:,.2f}." in told
    assert "Counted for look 2 at the answers" in told
    assert "So many succeed four times of five where the least sure of these labels are wrong twice as often" in told
    assert "to accept 100% of the rows:" in told
    main([*asked[:3], "--plan=5,6,60"])
    told = capsys.readouterr().out
    assert ("to accept 60% of the rows or a twentieth of all less:" in told, "succeed" in told) == (True, False)


@pytest.mark.parametrize(("plan", "words"), [("5,3", "there are only 700 texts"), ("5,6", "no better than the target")])
def test_a_plan_that_cannot_succeed_exits_with_3(tmp_path: Path, capsys: Captured, plan: str, words: str) -> None:
    table = write_csv(tmp_path / "t.csv", [f"text {row}" for row in range(700)])
    assert main(["certify", str(table), "--text-column=text", f"--plan={plan}"]) == 3
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([], "Name the column of people's answers with --gold-column, or ask with --plan"),
        (["--plan=5"], "--plan '5' must be TARGET,TRUE or TARGET,TRUE,SHARE, in percent"),
        (["--plan=5,x"], "--plan '5,x' must be TARGET,TRUE"),
        (["--plan=5,2,0"], "cannot be planned with"),
        (["--plan=5,2", "--always-valid"], "leave --always-valid out"),
        (["--gold-column=gold", "--per-class", "--always-valid"], "leave --always-valid out"),
        (["--gold-column=gold", "--price-per-label=-1"], "--price-per-label is 0 or more"),
        (["--gold-column=gold", "--confidence=0.95"], "percentage from 50 up and under 100, such as 95, not 0.95"),
        (["--plan=5,2", "--confidence=100"], "percentage from 50 up and under 100, such as 95, not 100"),
        (["--gold-column=gold", "--score-column=blank"], "no label has a score in 'blank'"),
    ],
)
def test_questions_that_cannot_be_asked(tmp_path: Path, capsys: Captured, more: list[str], words: str) -> None:
    table = write_csv(tmp_path / "t.csv", ["a"], label=["yes"], confidence=["1"], gold=["yes"], blank=[" "])
    assert main(["certify", str(table), "--text-column=text", *more]) == 1
    assert words in capsys.readouterr().err


def test_labels_without_a_score_count_and_are_never_accepted(tmp_path: Path, capsys: Captured) -> None:
    # As of label --verifier: the last 100 of 500 were decided by a model, which is right in half of them.
    gold = ["yes"] * 450 + ["no"] * 50
    scores = [f"{1 - row / 500:.4f}" for row in range(400)] + [""] * 100
    table = write_csv(
        tmp_path / "l.csv", [f"text {row}" for row in range(500)], label=["yes"] * 500, confidence=scores, gold=gold
    )
    asked = ["certify", str(table), *ASKED, "--targets=5"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (line,) = found["lines"]
    assert (found["n_labeled"], found["n_unscored"], found["labeled_accuracy"]["value"]) == (500, 100, 0.9)
    assert (line["n_texts"], line["share_of_rows"]) == (400, 0.8)
    assert main(asked) == 0
    assert (
        "100 labels have no score, as where a language model decided: none of them is accepted."
        in capsys.readouterr().out
    )


def _answer(messages: list[dict[str, str]]) -> str:
    # The endpoint is tested with an animal first.
    return "dog" if "barks" in messages[-1]["content"] else "positive"


def test_what_label_writes_with_a_language_model_is_taken(label: Label, tmp_path: Path, capsys: Captured) -> None:
    texts, out = [f"text {row}" for row in range(40)], tmp_path / "out.csv"
    table = write_csv(tmp_path / "in.csv", texts, gold=["positive"] * 40)
    with FakeOpenAI(OpenAIScript(_answer)) as server:
        asked = [f"--verifier={server.url}", "--model=fake-model", "--verifier-allow=127.0.0.1"]
        assert label(table, out, *asked) == 0
    n_asked = sum(row["label_source"] == "verifier" for row in read_csv(out))
    capsys.readouterr()
    assert main(["certify", str(out), *ASKED, "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["n_unscored"] == n_asked > 0
