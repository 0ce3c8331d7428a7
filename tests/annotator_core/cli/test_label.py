"""The label command from the shell's side: files in, files out, exit codes."""

import csv
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotator_core.__main__ import main
from annotator_core.fakes.hub import FakeHub, HubContent
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import read_csv, write_csv
from tests.annotator_core.conftest import make_classifier


def test_label_a_csv_with_fakes(label: Label, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [f"text {i}" for i in range(200)] + [""]
    source = write_csv(tmp_path / "in.csv", texts, id=[str(i) for i in range(201)])
    assert label(source, tmp_path / "out.csv") == 0
    rows = read_csv(tmp_path / "out.csv")
    assert list(rows[0]) == ["text", "id", "label", "label_source", "confidence", "uncertainty", "route", "votes"]
    assert [row["text"] for row in rows] == texts
    for row in rows:
        is_accepted = row["route"] == "accept"
        assert (row["label"] in {"negative", "neutral", "positive"}) == is_accepted == (row["uncertainty"] == "0.0")
        assert row["label_source"] == ("consensus" if is_accepted else "")
        assert bool(row["confidence"]) == is_accepted
    assert rows[-1]["votes"] == "f0=abstain; f1=abstain; f2=abstain"
    told = capsys.readouterr().err
    assert "201 rows: " in told
    assert "f0 abstained on 1 rows, first because: The text is empty." in told


def test_label_real_models_from_a_folder_and_from_a_hub(
    label: Label, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_classifier(tmp_path / "local")
    with FakeHub(HubContent({"someone/remote": make_classifier(tmp_path / "served", seed=1)})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("AUTOANNOTATOR_DATA", str(tmp_path / "data"))
        source = write_csv(tmp_path / "in.csv", ["good movie", "bad flight", "good", "awful service " * 40])
        specialists = [str(folder), "someone/remote", "someone/remote@main"]
        assert label(source, tmp_path / "out.jsonl", "--max-length=16", specialists=specialists) == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [vote.partition("=")[0] for vote in rows[0]["votes"].split("; ")] == [
        "local",
        "someone/remote",
        specialists[2],
    ]
    [folder] = (tmp_path / "data" / "hub").glob("someone--remote@*")
    assert (folder / "model.safetensors").is_file()


def test_label_jsonl_keeps_values_and_lone_surrogates(label: Label, tmp_path: Path) -> None:
    lines = ['{"text": "caf\\u00e9 \U0001f642", "n": 1.5, "tags": ["a"]}', '{"text": "bad \\ud800"}', '{"text": null}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    assert label(tmp_path / "in.jsonl", tmp_path / "out.jsonl") == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    for row, line in zip(rows, lines, strict=True):
        assert {key: row[key] for key in json.loads(line)} == json.loads(line)
    assert [row["route"] for row in rows[1:]] == ["review", "review"]
    assert label(tmp_path / "in.jsonl", tmp_path / "out.csv") == 0
    flat = read_csv(tmp_path / "out.csv")
    assert (flat[0]["tags"], flat[0]["n"], flat[1]["text"], flat[2]["text"]) == ('["a"]', "1.5", "bad \\ud800", "")


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["NA", "null", "nan", "007", "1e5", "=1+1", "@x", " a ", '"', '""', "a\r\nb", "a\rb", "\n", "\ufeff", "\0"]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_label_gives_every_cell_back_as_it_was(label: Label, tmp_path: Path, cells: list[tuple[str, str]]) -> None:
    texts, others = [cell[0] for cell in cells], [cell[1] for cell in cells]
    source = write_csv(tmp_path / "in.csv", texts, other=others)
    assert label(source, tmp_path / "out.csv") == 0
    assert [(row["text"], row["other"]) for row in read_csv(tmp_path / "out.csv")] == cells


def test_label_columns_of_the_same_name_get_a_prefix(label: Label, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", ["a"], label=["mine"], aa_route=["x"], route=["y"])
    assert label(source, tmp_path / "out.csv") == 0
    (row,) = read_csv(tmp_path / "out.csv")
    assert (row["label"], row["aa_route"], row["route"]) == ("mine", "x", "y")
    assert {"aa_label", "aa_aa_route"} <= set(row)


def _count_review(path: Path) -> int:
    return sum(row["route"] == "review" for row in read_csv(path))


def test_label_rules_of_review(label: Label, tmp_path: Path) -> None:
    source, out = write_csv(tmp_path / "in.csv", [f"text {i}" for i in range(200)]), tmp_path / "out.csv"
    counts = {}
    for rule in ("--min-agree=3", "--epsilon=0.33", "--min-agree=2", "--epsilon=0", "--budget=12.5", "--budget=0"):
        assert label(source, out, rule) == 0
        counts[rule] = _count_review(out)
    assert counts["--min-agree=3"] == counts["--epsilon=0.33"] > counts["--min-agree=2"] > 0
    assert (counts["--epsilon=0"], counts["--budget=12.5"], counts["--budget=0"]) == (200, 25, 0)


def test_label_take_majority_leaves_no_label_empty(label: Label, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [f"text {i}" for i in range(50)])
    assert label(source, tmp_path / "out.csv", "--take-majority") == 0
    assert all(row["label"] for row in read_csv(tmp_path / "out.csv"))
    assert _count_review(tmp_path / "out.csv") > 0


def test_label_twice_gives_the_same_bytes(label: Label, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [f"text {i}" for i in range(50)])
    assert label(source, tmp_path / "a.csv") == label(source, tmp_path / "b.csv") == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_label_may_write_over_its_input(label: Label, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", ["a", "b"])
    assert label(source, source) == 0
    assert len(read_csv(source)) == 2
    assert stat.S_IMODE(source.stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _map_file(path: Path, **targets: str | None) -> Path:
    path.write_text(json.dumps(targets))
    return path


def test_label_unclear_labels_need_a_map(
    label: Label, tmp_path: Path, fake_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(fake_folder("numbered", labels=("LABEL_0", "LABEL_1", "LABEL_2"), noise=0.0))
    source, out = write_csv(tmp_path / "in.csv", ["a", "b", "c", "d"]), tmp_path / "out.csv"
    assert label(source, out, specialists=[folder]) == 1
    told = capsys.readouterr().err
    assert "what LABEL_0, LABEL_1, LABEL_2 means is not clear" in told
    assert '{"LABEL_0": null, "LABEL_1": null, "LABEL_2": null}' in told
    assert not out.exists()
    path = _map_file(tmp_path / "m.json", LABEL_0="positive", LABEL_1="neutral", LABEL_2="negative")
    assert label(source, out, f"--label-map={folder}={path}", specialists=[folder]) == 0


def test_label_a_map_with_a_hole_needs_a_yes(
    label: Label, tmp_path: Path, fake_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(fake_folder("two", labels=("pos", "neg")))
    source, out = write_csv(tmp_path / "in.csv", ["a"]), tmp_path / "out.csv"
    assert label(source, out, specialists=[folder]) == 1
    assert "1 of 3 classes have no label of the model" in capsys.readouterr().err
    assert label(source, out, "--allow-holes", specialists=[folder]) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"positive": "positive"}', "must name each of the model's labels: negative, neutral, positive"),
        ('{"negative": "bad", "neutral": null, "positive": null}', "names 'bad', which is none of the classes"),
        ('{"negative": [1], "neutral": null, "positive": null}', "none of the classes"),
        ("[]", "must name each"),
        ("{", "cannot be read as JSON"),
    ],
)
def test_label_bad_map_files(
    label: Label, pool: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    (tmp_path / "m.json").write_text(content)
    source = write_csv(tmp_path / "in.csv", ["a"])
    assert label(source, tmp_path / "out.csv", f"--label-map={pool[0]}={tmp_path / 'm.json'}") == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--label-map=other=x.json"], "--label-map names 'other', which is no --specialist"),
        (["--label-map=x"], "must be SPECIALIST=FILE"),
        (["--classes=one"], "two or more different names"),
        (["--classes=a,a"], "two or more different names"),
        (["--classes=a,,b"], "two or more different names"),
        (["--budget=101"], "between 0 and 100, not 101"),
        (["--epsilon=2"], "between 0 and 1, not 2"),
        (["--min-agree=4"], "between 1 and the number of specialists, 3, not 4"),
        (["--specialist=./missing/x"], "neither a folder nor a model id"),
        (["--text-column=body"], "has no column 'body'"),
        (["--confidence=0.95"], "--confidence is a percentage from 50 up and under 100, such as 95, not 0.95"),
        (["--gold-column=text"], "The majority makes no use of the answers in --gold-column: add --policy default"),
        (["--gold-column=text", "--aggregator=average", "--budget=5"], "The average makes no use of the answers"),
        (["--policy=default", "--gold-column=gone"], "has no column 'gone': choose one of text"),
    ],
)
def test_label_values_that_cannot_be(
    label: Label, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert label(write_csv(tmp_path / "in.csv", ["a"]), tmp_path / "out.csv", *more) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_label_same_names_are_told_apart(label: Label, pool: list[str], tmp_path: Path) -> None:
    assert label(write_csv(tmp_path / "in.csv", ["a"]), tmp_path / "out.csv", specialists=[pool[0], pool[0]]) == 0
    votes = read_csv(tmp_path / "out.csv")[0]["votes"]
    assert [vote.partition("=")[0] for vote in votes.split("; ")] == ["f0#1", "f0#2"]


def test_label_wrong_usage_exits_with_2(label: Label, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        label(tmp_path / "in.csv", tmp_path / "out.csv", "--epsilon=0.1", "--budget=5")
    assert caught.value.code == 2


def test_label_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["label", "--help"])
    assert caught.value.code == 0
    assert "examples:" in capsys.readouterr().out


def test_label_a_crashing_specialist_leaves_nothing_behind(
    label: Label, tmp_path: Path, fake_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out.csv").write_text("yesterday's")
    source = write_csv(tmp_path / "in.csv", ["a"])
    before = sorted(tmp_path.iterdir())
    assert label(source, tmp_path / "out.csv", specialists=[str(fake_folder("bad", crash_from_call=1))]) == 1
    assert "crashed at call 1" in capsys.readouterr().err
    assert (tmp_path / "out.csv").read_text() == "yesterday's"
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "bad"])


def test_label_a_specialist_that_gives_nan_abstains_and_is_told(
    label: Label, tmp_path: Path, fake_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_csv(tmp_path / "in.csv", ["a", "b"])
    assert label(source, tmp_path / "out.csv", specialists=[str(fake_folder("nan", nan_share=1.0))]) == 0
    assert _count_review(tmp_path / "out.csv") == 2
    assert "nan abstained on 2 rows, first because: The model gave no finite number" in capsys.readouterr().err


@pytest.mark.parametrize("n_rows", [1, 2_000])
def test_label_a_full_disk_says_so(
    label: Label, tmp_path: Path, capsys: pytest.CaptureFixture[str], n_rows: int
) -> None:
    assert label(write_csv(tmp_path / "in.csv", ["a"] * n_rows), Path("/dev/full")) == 1
    assert "The file /dev/full has no room left" in capsys.readouterr().err
    assert Path("/dev/full").is_char_device()


# The last one fits into the buffer of a file, which tries it once more as it is closed.
@pytest.mark.parametrize(
    ("rule", "n_rows", "limit_bytes"),
    [("--min-agree=1", 2_000, 8_192), ("--budget=20", 2_000, 8_192), ("--budget=20", 100, 2_048)],
)
def test_label_a_large_output_on_a_full_disk_leaves_nothing_behind(
    pool: list[str], tmp_path: Path, rule: str, n_rows: int, limit_bytes: int
) -> None:
    source = write_csv(tmp_path / "in.csv", [f"text {i}" for i in range(n_rows)])
    before = sorted(tmp_path.iterdir())
    command = [sys.executable, "-m", "annotator_core", "label", str(source), "--text-column=text", "--allow-fake"]
    command += [
        "--classes=negative,neutral,positive",
        f"--specialist={pool[0]}",
        "--out",
        str(tmp_path / "out.csv"),
        rule,
    ]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    run = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, check=False)
    assert (run.returncode, run.stderr.count("has no room left"), "Traceback" in run.stderr) == (1, 1, False)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("rule", ["--min-agree=1", "--budget=20"])
def test_label_a_folder_as_output_is_named_before_the_first_vote(
    label: Label, tmp_path: Path, fake_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str], rule: str
) -> None:
    source, out = write_csv(tmp_path / "in.csv", ["a"]), tmp_path / "out.csv"
    out.mkdir()
    assert label(source, out, rule, specialists=[str(fake_folder("bad", crash_from_call=1))]) == 1
    assert f"error: {out} is a folder: name a file in it with --out." in capsys.readouterr().err


def test_label_a_tsv_has_tabs(label: Label, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", ["a, b", "tab\tbed"])
    assert label(source, tmp_path / "out.tsv") == 0
    with (tmp_path / "out.tsv").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert [row[:2] for row in rows] == [["text", "label"], ["a, b", rows[1][1]], ["tab\tbed", rows[2][1]]]
    assert label(tmp_path / "out.tsv", tmp_path / "again.jsonl") == 0


@pytest.mark.parametrize("name", ["out.json", "out.parquet", "out"])
def test_label_an_ending_that_says_nothing_needs_a_format(
    label: Label, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source = write_csv(tmp_path / "in.csv", ["a"])
    assert label(source, tmp_path / name) == 1
    assert f"{name} is of no kind that can be written: its name must end in .csv" in capsys.readouterr().err
    assert label(source, tmp_path / name, "--format=jsonl") == 0
    assert json.loads((tmp_path / name).read_text())["text"] == "a"


def test_label_out_in_a_missing_folder_is_named(
    label: Label, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert label(write_csv(tmp_path / "in.csv", ["a"]), tmp_path / "no" / "out.csv") == 1
    assert "cannot be used (No such file or directory)" in capsys.readouterr().err


def test_label_a_folder_that_takes_no_files_is_named(
    label: Label, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert label(write_csv(tmp_path / "in.csv", ["a"]), Path("/sys/out.csv")) == 1
    assert "error: The file /sys/out.csv cannot be used (" in capsys.readouterr().err


def test_label_a_folder_as_input_is_named(label: Label, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.csv").mkdir()
    assert label(tmp_path / "in.csv", tmp_path / "out.csv") == 1
    assert "in.csv cannot be read (Is a directory): check the path." in capsys.readouterr().err


def test_label_to_standard_output(label: Label, pool: list[str], tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", ["a", "b"])
    command = [sys.executable, "-m", "annotator_core", "label", str(source), "--text-column=text", "--allow-fake"]
    command += ["--classes=negative,neutral,positive", f"--specialist={pool[0]}", "--out=/dev/stdout"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(run.stdout.splitlines()) == 3
    assert "2 rows: " in run.stderr
    assert "torch" not in run.stderr


def test_label_a_1_mb_text_is_voted_on(label: Label, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", ["good " * 200_000, "x" * 1_000_000])
    assert label(source, tmp_path / "out.csv", specialists=[str(make_classifier(tmp_path / "tiny"))]) == 0
    assert all(row["label"] for row in read_csv(tmp_path / "out.csv"))


def test_interrupt_exits_with_130_and_leaves_nothing_behind(
    label: Label, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> float:
        raise KeyboardInterrupt

    source = write_csv(tmp_path / "in.csv", ["a"])
    monkeypatch.setattr("annotator_core.fakes.specialist.time.perf_counter", interrupt)
    assert label(source, tmp_path / "out.csv") == 130
    assert not (tmp_path / "out.csv").exists()
