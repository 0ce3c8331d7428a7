"""Real models by the shell: the order of rows and specialists changes nothing in fp32, and bf16 goes on as it began."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotator_core.__main__ import main
from annotator_core.cli import passes, tables
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import read_csv, write_csv
from tests.annotator_core.conftest import SENTENCE, make_classifier

DEMO = Path(__file__).resolve().parents[3] / "annotator_core" / "demo"
CLASSES = ("negative", "neutral", "positive")
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def tiny_pool(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    home = tmp_path_factory.mktemp("pool")
    return [str(make_classifier(home / f"tiny{seed}", seed=seed)) for seed in range(3)]


def _make_texts(n: int) -> list[str]:
    rng = np.random.default_rng(2)
    words = SENTENCE.split()
    return [" ".join(rng.choice(words, rng.integers(1, 20))) + f" {number}" for number in range(n)]


RULES = [
    ["--min-agree=2"],
    ["--budget=20"],
    ["--aggregator=race", "--gold-column=gold", "--take-majority"],
    ["--target-error=45", "--gold-column=gold", "--anyway"],
]


@pytest.mark.parametrize("rule", RULES)
def test_in_fp32_the_order_of_rows_and_real_specialists_changes_nothing(
    label: Label, tiny_pool: list[str], tmp_path: Path, rule: list[str]
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
        # To the digits that are printed, the last of which may be rounded up here and down there.
        assert float(mine["confidence"] or 0) == pytest.approx(float(theirs["confidence"] or 0), abs=1.01e-6)
        assert _read_votes(mine["votes"]) == pytest.approx(_read_votes(theirs["votes"]), abs=1.01e-4)


def _read_votes(cell: str) -> dict[str, float]:
    votes = (vote.rpartition("@") for vote in cell.split("; "))
    return {name: float(prob) for name, _at, prob in votes}


@pytest.fixture
def feedback(tmp_path: Path) -> Path:
    """Texts of the demo, whose models are sure enough for bf16 to decide most rows."""
    with (DEMO / "training.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:450]
    return write_csv(tmp_path / "in.csv", texts)


@pytest.fixture
def demo_label(feedback: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command on two of the demo's models, 50 rows a window: demo_label(out, *more, stop_at=None)."""
    cast_votes = passes.cast_votes
    monkeypatch.setattr(tables, "WINDOW_ROWS", 50)

    def run(out: Path, *more: str, stop_at: int | None = None) -> int:
        windows = iter(range(10))

        def cast_some(*given):
            if next(windows) == stop_at:
                raise KeyboardInterrupt
            return cast_votes(*given)

        monkeypatch.setattr(passes, "cast_votes", cast_some)
        named = [f"--specialist={DEMO / 'specialists' / name}" for name in ("courier", "checkout")]
        fixed = ["label", str(feedback), "--text-column=text", "--out", str(out), f"--classes={','.join(CLASSES)}"]
        maps = out.with_name("map.json")
        maps.write_text('{"POS": "positive", "NEG": "negative", "NEU": "neutral"}')
        named.append(f"--label-map={DEMO / 'specialists' / 'checkout'}={maps}")
        return main([*fixed, *named, *more])

    return run


# After two windows the sample of 256 rows is being drawn, after five a part of the sixth, after seven it is full.
@pytest.mark.parametrize("stop_at", [2, 5, 7])
@pytest.mark.parametrize("rule", ["--min-agree=2", "--budget=20"])
def test_a_command_that_goes_on_in_bf16_gives_the_bytes_of_an_undisturbed_one(
    demo_label: Callable[..., int], tmp_path: Path, stop_at: int, rule: str
) -> None:
    whole, out, exact = tmp_path / "whole.csv", tmp_path / "out.csv", tmp_path / "exact.csv"
    assert demo_label(whole, "--precision=bf16", rule) == 0
    assert demo_label(out, "--precision=bf16", rule, stop_at=stop_at) == 130
    assert demo_label(out, "--precision=bf16", rule) == 0
    assert out.read_bytes() == whole.read_bytes()
    assert demo_label(exact, "--precision=fp32", rule) == 0
    # Otherwise nothing was computed in bf16.
    assert exact.read_bytes() != whole.read_bytes()


def test_a_command_goes_on_in_its_own_precision_only(
    demo_label: Callable[..., int], tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out.csv"
    assert demo_label(out, "--precision=bf16", stop_at=2) == 130
    # The models are so narrow that fp32 is best.
    for precision in ("fp32", "auto"):
        assert demo_label(out, f"--precision={precision}") == 1
        assert "was begun by another command (other: precision, there bf16, bf16)" in capsys.readouterr().err
    assert demo_label(out, "--precision=bf16") == 0


@pytest.mark.parametrize("command", ["pilot", "bench"])
def test_other_commands_take_a_precision(command: str, feedback: Path, capsys: Captured) -> None:
    fixed = [command, str(feedback), "--text-column=text", f"--classes={','.join(CLASSES)}", "--rows=10"]
    folder = DEMO / "specialists" / "courier"
    assert main([*fixed, f"--specialist={folder}", "--precision=bf16"]) == 0
    assert "courier" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*fixed, f"--specialist={folder}", "--precision=fp16"])
