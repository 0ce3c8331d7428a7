import numpy as np

from annotator_core.__main__ import main


def _write_votes(folder, classes=("anger", "fear", "joy", "love", "sadness", "surprise")):
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    gold = rng.integers(0, len(classes), 150)
    items, votes = ["id,text,label"], ["item,annotator,label"]
    for row, label in enumerate(gold):
        items.append(f"{row},word{label} text {row},{classes[label]}")
        for name in ("flan-t5-large", "flan-t5-base", "flan-t5-xl", "chatgpt", "text-davinci-003", "flan-ul2"):
            answer = label if rng.random() < 0.7 else rng.integers(0, len(classes))
            votes.append(f"{row},{name},{classes[answer]}")
    (folder / "items.csv").write_text("\n".join(items) + "\n")
    (folder / "votes.csv").write_text("\n".join(votes) + "\n")


def _run(tmp_path, *more):
    named = ["--data", tmp_path / "data", "--specialists", tmp_path / "none", "--out", tmp_path / "out", *more]
    return main(["reproduce", *map(str, named)])


def test_a_report_is_written_with_its_plots_and_again_from_what_was_kept(tmp_path, capsys):
    _write_votes(tmp_path / "data" / "llm_votes_emotion")
    assert _run(tmp_path, "--only", "llm_votes_emotion", "--seeds", "1") == 0
    report = (tmp_path / "out" / "report.md").read_text()
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'report.md'}\n"
    assert sorted(path.name for path in (tmp_path / "out").glob("*.svg")) == ["equal.svg", "policies.svg"]
    assert "| Emotion, real LLM answers (6) | 150 |" in report
    assert _run(tmp_path, "--only", "llm_votes_emotion", "--seeds", "1") == 0
    assert (tmp_path / "out" / "report.md").read_text().splitlines()[6:40] == report.splitlines()[6:40]


def test_a_set_without_specialists_is_refused_with_what_to_do(tmp_path, capsys):
    assert _run(tmp_path, "--only", "semeval") == 1
    assert "python -m benchmarks.train_specialists" in capsys.readouterr().err


def test_bad_options_are_refused(tmp_path, capsys):
    for more in (
        ["--person-accuracy", "2"],
        ["--seeds", "0"],
        ["--set", "x"],
        ["--endpoint", "http://a"],
        ["--only", "x"],
    ):
        assert _run(tmp_path, *more) == 1
        assert capsys.readouterr().err.startswith("error: ")
