"""What ``bench`` reads before its clock runs and on it, and that transformers' pipeline reads the same."""

import json
from pathlib import Path

import pytest

from annotator_core.__main__ import main
from annotator_core.cli.arguments import parse
from annotator_core.cli.bench import _draw, _open_counter, _open_pipeline
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.types import LabelMap
from tests.annotator_core.cli.files import write_csv
from tests.annotator_core.conftest import LABELS, SENTENCE

Captured = pytest.CaptureFixture[str]
LONG = " ".join(SENTENCE.split()[:6] * 40)


def _ask(source: Path, *more: str) -> list[str]:
    return ["bench", str(source), "--text-column=text", f"--classes={','.join(LABELS)}", *more]


@pytest.mark.parametrize(
    ("n_rows", "rows", "rounds", "a_round"), [(900, 200, 3, 200), (300, 100, 1, 100), (5, 9, 2, 2)]
)
def test_a_model_reads_256_texts_before_the_clock_runs(
    tmp_path: Path, n_rows: int, rows: int, rounds: int, a_round: int
) -> None:
    source = write_csv(tmp_path / "in.csv", [f"text {number}" for number in range(n_rows)])
    _command, named = parse(_ask(source, "--specialist=x", f"--rows={rows}", f"--rounds={rounds}"))
    drawn = _draw(named)
    assert [len(texts) for texts in drawn.rounds] == [a_round] * rounds
    counted = [text for texts in drawn.rounds for text in texts]
    assert len(counted) == len(set(counted))
    assert len(drawn.warm_up) == len(set(drawn.warm_up)) == 256
    # Further rows, as far as there are any.
    assert len(set(drawn.warm_up) & set(counted)) == max(0, min(len(counted), 256 - (n_rows - len(counted))))


def _tiny(classifier: Path, max_length: int | None) -> SpecialistSpec:
    return SpecialistSpec(classifier, LabelMap(LABELS, (0, 1, 2)), 3, max_length)


def test_the_pipeline_cuts_texts_where_the_specialist_does(classifier: Path) -> None:
    begin = " ".join(LONG.split()[:6])
    short, full = (_open_pipeline(_tiny(classifier, length)) for length in (8, None))
    assert short([LONG]) == short([begin])
    assert full([LONG]) != full([begin])
    assert _open_counter(_tiny(classifier, 8))([LONG, "", "good"]) == 8 + 3


def test_a_tokenizer_without_a_limit_and_a_text_that_is_none_are_no_error(
    classifier: Path, tmp_path: Path, capsys: Captured
) -> None:
    path = classifier / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    settings.pop("model_max_length")
    path.write_text(json.dumps(settings))
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in [LONG, "\ud800", "good movie", ""] * 9))
    asked = _ask(source, f"--specialist={classifier}", "--rows=12", "--rounds=3", "--pipeline=12", "--json")
    assert main(asked) == 0
    (speed,) = json.loads(capsys.readouterr().out)["speeds"]
    assert [len(speed[key]) for key in ("texts_per_s", "pipeline_per_s")] == [3, 3]


def test_a_round_without_a_text_to_read_has_no_pipeline_beside_it(
    classifier: Path, tmp_path: Path, capsys: Captured
) -> None:
    source = write_csv(tmp_path / "in.csv", [""] * 6, other=["x"] * 6)
    asked = _ask(source, f"--specialist={classifier}", "--rows=3", "--rounds=2", "--pipeline=2")
    assert main([*asked, "--json"]) == 0
    (speed,) = json.loads(capsys.readouterr().out)["speeds"]
    assert (len(speed["texts_per_s"]), speed["pipeline_per_s"]) == (2, [])
    assert main(asked) == 0
    assert " -  " in capsys.readouterr().out
