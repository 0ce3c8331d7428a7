"""Real models by the shell: the order of rows and specialists changes nothing in fp32, and bf16 goes on as it began."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotator_core.__main__ import main
from annotator_core.cli import passes, tables
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import read_csv, write_csv
from tests.annotator_core.conftest import SENTENCE, make_classifier

CLASSES = ("negative", "neutral", "positive")
TinyLabel = Callable[..., int]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def tiny_pool(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    home = tmp_path_factory.mktemp("pool")
    return [str(make_classifier(home / f"tiny{seed}", seed=seed)) for seed in range(3)]


def _make_texts(n: int) -> list[str]:
    rng = np.random.default_rng(2)
    words = SENTENCE.split()
    return [" ".join(rng.choice(words, rng.integers(1, 20))) + f" {number}" for number in range(n)]


# To the digits that are printed, the last of which may be rounded up here and down there. A regression is fitted until
# nothing moves by 1e-4, which is how far it may end from where it would with other last digits.
RULES = [
    (["--min-agree=2"], 1.01e-6),
    (["--budget=20"], 1.01e-6),
    (["--aggregator=race", "--gold-column=gold", "--take-majority"], 1e-4),
    (["--target-error=45", "--gold-column=gold", "--anyway"], 1e-4),
]


@pytest.mark.parametrize(("rule", "moves"), RULES)
def test_in_fp32_the_order_of_rows_and_real_specialists_changes_nothing(
    label: Label, tiny_pool: list[str], tmp_path: Path, rule: list[str], moves: float
) -> None:
    texts, rng = _make_texts(500), np.random.default_rng(4)
    gold = [CLASSES[number % 3] if number % 2 else "" for number in range(500)]
    order = rng.permutation(500)
    one = write_csv(tmp_path / "one.csv", texts, gold=gold)
    other = write_csv(tmp_path / "other.csv", [texts[row] for row in order], gold=[gold[row] for row in order])
    turned = [tiny_pool[2], tiny_pool[0], tiny_pool[1]]
    assert label(one, tmp_path / "a.csv", "--precision=fp32", *rule, specialists=tiny_pool) == 0
    assert label(other, tmp_path / "b.csv", "--precision=fp32", *rule, specialists=turned) == 0
    first, second = read_csv(tmp_path / "a.csv"), read_csv(tmp_path / "b.csv")
    words = ("text", "label", "label_source", "uncertainty", "route")
    assert [[first[row][name] for name in words] for row in order] == [[row[name] for name in words] for row in second]
    assert len({row["label"] for row in first}) > 1
    for row, theirs in zip(order, second, strict=True):
        mine = first[row]
        assert float(mine["confidence"] or 0) == pytest.approx(float(theirs["confidence"] or 0), abs=moves)
        assert _read_votes(mine["votes"]) == pytest.approx(_read_votes(theirs["votes"]), abs=1.01e-4)


def _read_votes(cell: str) -> dict[str, float]:
    votes = (vote.rpartition("@") for vote in cell.split("; "))
    return {name: float(prob) for name, _at, prob in votes}


@pytest.fixture
def tiny_label(tiny_pool: list[str], tmp_path: Path, label: Label, monkeypatch: pytest.MonkeyPatch) -> TinyLabel:
    """Run the command on 400 rows, 50 a window, interrupted at one of them: tiny_label(out, *more, stop_at=5)."""
    cast_votes, source = passes.cast_votes, write_csv(tmp_path / "in.csv", _make_texts(400))
    monkeypatch.setattr(tables, "WINDOW_ROWS", 50)

    def run(out: Path, *more: str, stop_at: int | None = None) -> int:
        windows = iter(range(9))

        def cast_some(*given):
            if next(windows) == stop_at:
                raise KeyboardInterrupt
            return cast_votes(*given)

        monkeypatch.setattr(passes, "cast_votes", cast_some)
        return label(source, out, *more, specialists=tiny_pool[:2])

    return run


# After two windows the sample of 256 rows is being drawn, after five the next one ends it, after seven it is full.
@pytest.mark.parametrize("stop_at", [2, 5, 7])
@pytest.mark.parametrize("rule", ["--min-agree=2", "--budget=20"])
def test_a_command_that_goes_on_in_bf16_gives_the_bytes_of_an_undisturbed_one(
    tiny_label: TinyLabel, tmp_path: Path, stop_at: int, rule: str
) -> None:
    whole, out, exact = tmp_path / "whole.csv", tmp_path / "out.csv", tmp_path / "exact.csv"
    assert tiny_label(whole, "--precision=bf16", rule) == 0
    assert tiny_label(out, "--precision=bf16", rule, stop_at=stop_at) == 130
    assert tiny_label(out, "--precision=bf16", rule) == 0
    assert out.read_bytes() == whole.read_bytes()
    assert tiny_label(exact, "--precision=fp32", rule) == 0
    # Otherwise nothing was computed in bf16.
    assert exact.read_bytes() != whole.read_bytes()


def test_a_command_goes_on_in_its_own_precision_only(tiny_label: TinyLabel, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "out.csv"
    assert tiny_label(out, "--precision=bf16", stop_at=2) == 130
    # The models are so narrow that fp32 is best.
    for precision in ("fp32", "auto"):
        assert tiny_label(out, f"--precision={precision}") == 1
        assert "was begun by another command (other: precision, there bf16, bf16)" in capsys.readouterr().err
    assert tiny_label(out, "--precision=bf16") == 0


@pytest.mark.parametrize("command", ["pilot", "bench"])
def test_other_commands_take_a_precision(command: str, tiny_pool: list[str], tmp_path: Path, capsys: Captured) -> None:
    source = write_csv(tmp_path / "in.csv", _make_texts(40))
    fixed = [command, str(source), "--text-column=text", f"--classes={','.join(CLASSES)}", "--rows=10"]
    assert main([*fixed, f"--specialist={tiny_pool[0]}", "--precision=bf16"]) == 0
    assert "tiny0" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*fixed, f"--specialist={tiny_pool[0]}", "--precision=fp16"])
