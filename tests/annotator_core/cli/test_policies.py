"""Answers in a column: the race, the target error, their exit statuses, and what may not change a label."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotator_core.cli.gold import collect_audit, merge_texts, read_gold
from annotator_core.cli.tables import open_table
from annotator_core.errors import BadInput
from annotator_core.fakes.specialist import FakeSettings, find_answer
from annotator_core.loop import cast_votes
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import read_csv, write_csv
from tests.annotator_core.conftest import LABELS

TEXTS = [f"text {number}" for number in range(900)]
ANSWERS = [LABELS[find_answer(text, FakeSettings(LABELS))] for text in TEXTS]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """900 rows, every second one answered by what a fake without noise says."""
    gold = [answer if number % 2 else "" for number, answer in enumerate(ANSWERS)]
    return write_csv(tmp_path / "in.csv", TEXTS, answer=gold)


@pytest.fixture
def biased(fake_folder: Callable[..., Path]) -> list[str]:
    """Two that guess alike more often than not, and one that knows."""
    return [
        str(fake_folder(name, seed=seed, noise=noise))
        for name, seed, noise in (("b", 1, 0.5), ("c", 2, 0.5), ("k", 3, 0.02))
    ]


def _find_accuracy(path: Path) -> float:
    return float(np.mean([row["label"] == answer for row, answer in zip(read_csv(path), ANSWERS, strict=True)]))


def test_the_race_labels_better_than_the_majority(
    label: Label, source: Path, biased: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    majority, race = tmp_path / "majority.csv", tmp_path / "race.csv"
    assert label(source, majority, "--take-majority", specialists=biased) == 0
    more = ["--aggregator=race", "--gold-column=answer", "--take-majority"]
    assert label(source, race, *more, specialists=biased) == 0
    assert _find_accuracy(race) > 0.95 > 0.85 > _find_accuracy(majority)
    assert "predicts the" in capsys.readouterr().err


def test_a_reached_target_accepts_rows_and_says_why(
    label: Label, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    assert label(source, out, "--target-error=10", "--gold-column=answer") == 0
    assert "may be accepted: at most 10.0% wrong with 96.96% confidence" in capsys.readouterr().err
    rows = read_csv(out)
    wrong = [row["label"] != answer for row, answer in zip(rows, ANSWERS, strict=True) if row["route"] == "accept"]
    assert len(wrong) > 300
    assert np.mean(wrong) < 0.1
    assert {row["label"] for row in rows if row["route"] == "review"} == {""}


def test_an_unreached_target_exits_with_3_keeps_the_votes_and_names_the_price(
    label: Label, source: Path, pool: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, more = tmp_path / "out.csv", ["--target-error=1", "--gold-column=answer"]
    assert label(source, out, *more) == 3
    assert not out.exists()
    told = capsys.readouterr().err
    assert "Not reachable" in told
    assert "900 rows are done and kept in" in told
    write_csv(source, TEXTS, answer=ANSWERS)
    assert label(source, out, *more, "--anyway") == 0
    assert len(read_csv(out)) == 900
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("n_answered", "rest"), [(60, "."), (900, ", and only 0 rows are left without one.")], ids=["enough", "too few"]
)
def test_a_price_is_compared_with_the_rows_that_are_left(
    label: Label,
    fake_folder: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    n_answered: int,
    rest: str,
) -> None:
    gold = [answer if number < n_answered else "" for number, answer in enumerate(ANSWERS)]
    source = write_csv(tmp_path / "in.csv", TEXTS, answer=gold)
    sure = [str(fake_folder("k", seed=3, noise=0.0))]
    target = 5 if n_answered == 60 else 0.1
    asked = [f"--target-error={target}", "--gold-column=answer", "--aggregator=average"]
    assert label(source, tmp_path / "out.csv", *asked, specialists=sure) == 3
    (told,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("That is ")]
    assert told.partition(" more random texts to answer in all")[2] == rest


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--target-error=5"], "name their column with --gold-column"),
        (["--aggregator=stacker"], "name their column with --gold-column"),
        (["--aggregator=best"], "There is no aggregator 'best': choose one of majority"),
        (["--target-error=0", "--gold-column=answer"], "--target-error is a percentage between 0 and 100, not 0"),
        (["--confidence=100"], "--confidence is a percentage from 50 up and under 100, such as 95, not 100"),
        (["--aggregator=race", "--gold-column=gold"], "has no column 'gold': choose one of text, answer"),
        (["--aggregator=race", "--gold-column=text"], "row 1: 'text 0' in column 'text' is none of the classes"),
    ],
)
def test_policies_that_cannot_be(
    label: Label, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert label(source, tmp_path / "out.csv", *more) == 1
    assert words in capsys.readouterr().err


def test_the_average_needs_no_second_pass_and_no_answers(label: Label, source: Path, tmp_path: Path) -> None:
    assert label(source, tmp_path / "a.csv", "--aggregator=average", "--take-majority") == 0
    assert label(source, tmp_path / "d.csv", "--aggregator=dawid_skene", "--take-majority") == 0
    assert _find_accuracy(tmp_path / "a.csv") > 0.7
    assert _find_accuracy(tmp_path / "d.csv") > 0.7


@pytest.mark.parametrize(
    ("gold", "same"),
    [([], ["--aggregator=average"]), (["--gold-column=answer"], ["--gold-column=answer", "--aggregator=race"])],
)
def test_the_recommended_policy_averages_until_there_are_answers_for_a_race(
    label: Label, source: Path, tmp_path: Path, gold: list[str], same: list[str]
) -> None:
    recommended, named = tmp_path / "recommended.csv", tmp_path / "named.csv"
    assert label(source, recommended, "--policy=default", *gold) == label(source, named, *same) == 0
    assert recommended.read_bytes() == named.read_bytes()


def test_the_recommended_policy_averages_where_answers_are_few(
    label: Label, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(source, TEXTS, answer=[answer if number % 10 == 0 else "" for number, answer in enumerate(ANSWERS)])
    recommended, average = tmp_path / "recommended.csv", tmp_path / "average.csv"
    assert label(source, recommended, "--policy=default", "--gold-column=answer") == 0
    assert "fitting answers: the averaged probability decides until 50 allow a race" in capsys.readouterr().err
    assert label(source, average, "--aggregator=average") == 0
    assert recommended.read_bytes() == average.read_bytes()


RULES = [
    ["--min-agree=2"],
    ["--budget=20"],
    # Its scores are of the votes alone, so that hundreds are equal.
    ["--budget=10", "--aggregator=dawid_skene"],
    ["--aggregator=race", "--gold-column=answer"],
    ["--target-error=10", "--gold-column=answer", "--anyway"],
]
OURS = ("text", "label", "label_source", "uncertainty", "route")


@pytest.mark.parametrize("rule", RULES)
def test_the_order_of_specialists_and_rows_changes_nothing(
    label: Label, source: Path, pool: list[str], tmp_path: Path, rule: list[str]
) -> None:
    one, other, shuffled = tmp_path / "one.csv", tmp_path / "other.csv", tmp_path / "shuffled.csv"
    order = np.random.default_rng(5).permutation(len(TEXTS))
    gold = [answer if number % 2 else "" for number, answer in enumerate(ANSWERS)]
    write_csv(shuffled, [TEXTS[row] for row in order], answer=[gold[row] for row in order])
    assert label(source, one, *rule) == label(shuffled, other, *rule, specialists=[pool[2], pool[0], pool[1]]) == 0
    first, second = read_csv(one), read_csv(other)
    assert [[first[row][name] for name in OURS] for row in order] == [[row[name] for name in OURS] for row in second]
    differences = [
        abs(float(first[row]["confidence"]) - float(second[place]["confidence"]))
        for place, row in enumerate(order)
        if first[row]["confidence"]
    ]
    assert max(differences) <= 1e-6 + 1e-9


@pytest.mark.parametrize("rule", RULES)
def test_equal_seeds_give_equal_bytes(label: Label, source: Path, tmp_path: Path, rule: list[str]) -> None:
    assert (
        label(source, tmp_path / "a.csv", *rule, "--seed=3")
        == label(source, tmp_path / "b.csv", *rule, "--seed=3")
        == 0
    )
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def _write_numbers(path: Path) -> Path:
    path.write_text('{"text": "a", "g": 1}\n{"text": "b", "g": 0}\n{"text": "c", "g": null}\n')
    return path


def test_answers_are_read_by_name_and_empty_cells_are_none(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "g": " yes "}\n{"text": "b", "g": null}\n{"text": "c"}\n{"text": "d", "g": "no"}\n')
    assert read_gold(open_table(path, "text"), "g", ("no", "yes")).tolist() == [1, -1, -1, 0]
    assert read_gold(open_table(_write_numbers(path), "text"), "g", ("0", "1")).tolist() == [1, 0, -1]
    path.write_text('{"text": "a", "g": ""}\n')
    with pytest.raises(BadInput, match="holds no answer"):
        read_gold(open_table(path, "text"), "g", ("no", "yes"))


def test_a_text_answered_twice_counts_once_and_wrong_if_one_answer_is() -> None:
    scores, is_right = merge_texts(["a", "b", "a"], np.float32([0.5, 0.25, 0.5]), np.array([True, True, False]))
    assert (scores.tolist(), is_right.tolist()) == ([0.5, 0.25], [False, True])


def test_two_thirds_of_the_answers_certify_and_no_row_without(fake_folder: Callable[..., Path]) -> None:
    from annotator_core import open_specialist

    ballot = cast_votes(TEXTS, [open_specialist(fake_folder(), LABELS, allow_fake=True)])
    gold = np.where(np.arange(900) < 300, 0, -1)
    audit = collect_audit(lambda: [ballot], gold)
    assert len(audit.texts) == 900
    assert not audit.is_certifying[audit.gold == -1].any()
    assert audit.is_certifying.sum() == pytest.approx(200, abs=25)
