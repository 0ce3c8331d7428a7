"""Looking again at the same answers: what is a look, what it costs, and that all looks together hold."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotator_core.__main__ import main
from annotator_core.cli.looks import count_look, list_answered, name_look
from annotator_core.cli.tables import open_table
from annotator_core.contract.certify import certify, confidence_at
from annotator_core.contract.simulate import allowed_violations
from annotator_core.fakes.specialist import FakeSettings, find_answer
from annotator_core.spool import find_groups
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import write_csv
from tests.annotator_core.conftest import LABELS

TEXTS = [f"text {number}" for number in range(900)]
ANSWERS = [LABELS[find_answer(text, FakeSettings(LABELS))] for text in TEXTS]
MORE = ["--target-error=1", "--gold-column=answer"]
Captured = pytest.CaptureFixture[str]
Certify = Callable[..., dict]


def _answer(source: Path, step: int) -> Path:
    return write_csv(source, TEXTS, answer=[one if row % step == 0 else "" for row, one in enumerate(ANSWERS)])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return _answer(tmp_path / "in.csv", 4)


def test_each_try_with_more_answers_or_another_target_is_another_look(
    label: Label, source: Path, tmp_path: Path, capsys: Captured
) -> None:
    out, told = tmp_path / "out.csv", []
    for step, target in ((4, 1), (2, 1), (2, 1.5)):
        _answer(source, step)
        assert label(source, out, f"--target-error={target}", "--gold-column=answer") == 3
        told.append(capsys.readouterr().err)
    assert all(f"This was look {number} at these answers" in each for number, each in enumerate(told, start=1))
    assert "with 96.96% confidence" in told[0]
    assert "The next one is look 2, at 99.24%." in told[0]
    assert "with 99.24% confidence" in told[1]
    assert "Each try with more answers or another target is another look" in told[0]


def test_the_same_question_about_the_same_answers_is_the_same_look(
    label: Label, source: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out.csv"
    assert [label(source, out, *MORE), label(source, out, *MORE), label(source, out, *MORE, "--anyway")] == [3, 3, 0]
    assert capsys.readouterr().err.count("This was look 1 at these answers") == 3


def test_restart_forgets_the_votes_but_not_the_looks(
    label: Label, source: Path, pool: list[str], tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out.csv"
    assert label(source, out, *MORE) == 3
    assert label(source, out, *MORE, "--restart", specialists=pool[:2]) == 3
    assert "This was look 2 at these answers" in capsys.readouterr().err
    write_csv(source, [f"other {text}" for text in TEXTS], answer=ANSWERS)
    assert label(source, out, *MORE, "--restart", "--anyway") == 0
    assert "This was look 1 at these answers" in capsys.readouterr().err


@pytest.mark.parametrize("other", [["--restart"], ["--budget=10"]])
def test_a_command_that_looks_at_no_answers_forgets_no_looks(
    label: Label, source: Path, tmp_path: Path, capsys: Captured, other: list[str]
) -> None:
    out = tmp_path / "out.csv"
    assert [label(source, out, *MORE), label(source, out, *other)] == [3, 0]
    assert [path.name for path in tmp_path.glob(".out*")] == [".out.csv.journal"]
    assert label(source, out, "--target-error=2", MORE[1]) == 3
    assert "This was look 2 at these answers" in capsys.readouterr().err


def test_a_look_that_nothing_counted_is_named(label: Label, source: Path, tmp_path: Path, capsys: Captured) -> None:
    assert label(source, tmp_path / "out.csv", *MORE, "--look=3") == 3
    assert "This was look 3 at these answers" in capsys.readouterr().err
    assert label(source, tmp_path / "out.csv", "--target-error=2", MORE[1], "--look=3") == 3
    assert "This was look 4 at these answers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [(["--look=2"], "--look is about --target-error"), ([*MORE, "--look=0"], "--look counts from 1, not 0")],
)
def test_looks_that_cannot_be(
    label: Label, source: Path, tmp_path: Path, capsys: Captured, more: list[str], words: str
) -> None:
    assert label(source, tmp_path / "out.csv", *more) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("change", ["appended", "unanswered text changed", "answered text changed", "row taken away"])
def test_other_rows_beside_the_answered_ones_make_no_look_the_first(
    label: Label, source: Path, tmp_path: Path, capsys: Captured, change: str
) -> None:
    out, texts = tmp_path / "out.csv", list(TEXTS)
    assert label(source, out, *MORE) == 3
    answers = [one if row % 4 == 0 else "" for row, one in enumerate(ANSWERS)]
    if change == "appended":
        texts, answers = [*texts, "one more"], [*answers, ""]
    elif change == "row taken away":
        texts, answers = texts[1:], answers[1:]
    else:
        texts[0 if change == "answered text changed" else 1] += " changed"
    write_csv(source, texts, answer=answers)
    assert label(source, out, *MORE, "--restart") == 3
    assert "This was look 2 at these answers" in capsys.readouterr().err


def test_looks_are_counted_by_what_was_asked_of_which_texts() -> None:
    name, other = name_look({"target": 1}, b"answers"), name_look({"target": 2}, b"answers")
    assert len({name, other, name_look({"target": 1}, b"more answers")}) == 3
    first, kept = count_look({}, np.array([-7, 3]), name, None)
    second, kept = count_look(kept, np.array([3, 2**62]), other, None)
    again, kept = count_look(kept, np.array([3]), name, 9)
    # The first text alone is shared with the first look alone.
    third, kept = count_look(json.loads(json.dumps(kept)), np.array([-7, 8]), "third", None)
    assert (first, second, again, third, count_look(kept, np.array([4]), name, None)[0]) == (1, 2, 1, 3, 1)


def test_answered_texts_are_known_by_what_they_say(source: Path) -> None:
    table = open_table(source, "text")
    found = list_answered(table, np.where(np.arange(900) < 3, 0, -1))
    assert found.tolist() == sorted(find_groups(TEXTS[:3]).tolist())
    assert len(list_answered(open_table(write_csv(source, ["a", "b", "a"]), "text"), np.array([0, 0, 0]))) == 2


@pytest.fixture
def certified(tmp_path: Path, capsys: Captured) -> Certify:
    """Run certify at 5% on so many right rows: certified(82, "--look=2")."""

    def run(rows: int, *more: str, status: int = 0) -> dict:
        texts, scores = [f"text {number}" for number in range(rows)], [f"{number / rows:.4f}" for number in range(rows)]
        table = write_csv(tmp_path / "l.csv", texts, label=["yes"] * rows, confidence=scores, gold=["yes"] * rows)
        asked = ["certify", str(table), "--text-column=text", "--gold-column=gold", "--unfitted", "--targets=5"]
        assert main([*asked, "--json", *more]) == status
        return json.loads(capsys.readouterr().out)

    return run


def test_certify_asks_more_of_every_look(certified: Certify) -> None:
    # Of the risk 0.05 x 6 / pi^2 = 0.0304 two walks have half each: 0.95^82 = 0.0149 is the first below. Look 2: 109.
    assert certified(82)["lines"][0]["confidence"] == pytest.approx(0.969604, abs=1e-6)
    refused = certified(81, status=3)
    assert (refused["look"], refused["confidence"], refused["lines"][0]["more"]) == (1, 0.95, 110 - 81)
    assert certified(108, "--look=2", status=3)["look"] == 2
    assert certified(109, "--look=2")["lines"][0]["share_of_rows"] == 1.0


def test_certify_at_every_look_asks_always_the_same(certified: Certify) -> None:
    found = certified(300, "--always-valid")
    line = found["lines"][0]
    assert (found["look"], line["confidence"], line["threshold"]) == (None, 0.95, 0.0)
    assert certified(82, "--always-valid", status=3)["lines"][0]["accept_from"] is None


def test_certify_says_what_a_look_costs(tmp_path: Path, capsys: Captured) -> None:
    table = write_csv(tmp_path / "l.csv", ["a"], label=["yes"], confidence=["1"], gold=["yes"])
    asked = ["certify", str(table), "--text-column=text", "--gold-column=gold", "--unfitted"]
    assert main([*asked, "--look=2"]) == 3
    assert "This was look 2 at these answers, at 99.24%: so all looks together hold with 95%" in capsys.readouterr().out
    assert main([*asked, "--always-valid"]) == 3
    assert "It holds with 95% confidence at every look" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*asked, "--look=2", "--always-valid"])


def test_who_stops_at_the_first_promise_is_seldom_fooled() -> None:
    # Scores that say nothing, 40.2% wrong, target 40%: any promise is a little wrong.
    rng, fooled = np.random.default_rng(8), {"counted": 0, "each taken for the only one": 0}
    for _ in range(100):
        is_right, scores = rng.random(100) >= 0.402, rng.random(100)
        for name in fooled:
            found = (
                certify(
                    scores[:rows],
                    is_right[:rows],
                    target_error=0.4,
                    confidence=confidence_at(look) if name == "counted" else 0.95,
                )
                for look, rows in enumerate(range(10, 101, 10), start=1)
            )
            fooled[name] += any(one.is_reached for one in found)
    assert fooled["counted"] <= allowed_violations(100) < fooled["each taken for the only one"]
