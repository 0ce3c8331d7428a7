import pytest

from annotator_core.reproduce import stream
from annotator_core.reproduce.loop_tables import draw_forgetting, draw_loops, write_loops
from annotator_core.reproduce.loops import measure_loops
from annotator_core.reproduce.specialists import Folders
from annotator_core.reproduce.stream import BETAS, open_stream, pass_stream


@pytest.fixture
def opened(write_csv, made_texts, tmp_path):
    write_csv(f"data/{stream.STREAM}", made_texts(120, 1))
    for index, source in enumerate(stream.SOURCES):
        # The first source calls good what others call bad: specialists differ, and have something to learn.
        rows = made_texts(60, 2 + index)
        swapped = [
            (i, text, {"negative": "positive", "positive": "negative"}.get(name, name)) for i, text, name in rows
        ]
        write_csv(f"data/{source}/train.csv", swapped if index == 0 else rows)
        write_csv(f"data/{source}/test.csv", made_texts(30, 9 + index))
    return open_stream(tmp_path / "data", tmp_path / "kept", seed=0)


def test_without_rounds_hard_rows_get_the_answers_and_nothing_is_learned(opened):
    rows, members = opened
    passed = pass_stream(rows, members, rows.gold, None)
    assert passed.rounds == 0
    assert passed.home_before == passed.home_after
    assert 0.3 < passed.reviewed < 1.0
    assert passed.accuracy == 1.0


def test_a_round_lowers_the_hard_share_of_what_follows(opened):
    rows, members = opened
    never, early = pass_stream(rows, members, rows.gold, None), pass_stream(rows, members, rows.gold, 20)
    assert early.rounds >= 1
    assert early.reviewed < never.reviewed
    assert early.hard_last < never.hard_last


def test_the_same_seed_gives_the_same_pass(opened):
    rows, members = opened
    assert pass_stream(rows, members, rows.gold, 20) == pass_stream(rows, members, rows.gold, 20)


def test_the_table_of_beta_is_measured_once_and_kept(opened, tmp_path):
    told = []
    folders = Folders(tmp_path / "data", tmp_path / "none", tmp_path / "kept")
    loops = measure_loops(folders, 1, 1.0, told.append)
    assert told == ["beta: seed 0"]
    assert "| person | infinity | 0 |" in write_loops(loops)
    assert draw_loops(loops).count("<circle") == 3 + 3 * 8
    assert draw_forgetting(loops).count("<circle") == 2 + 2 * 8
    for file in (tmp_path / "data").rglob("*.csv"):
        file.unlink()
    assert measure_loops(folders, 1, 1.0, told.append) == loops


def test_an_imperfect_person_changes_the_persons_rows_alone(opened, tmp_path):
    folders = Folders(tmp_path / "data", tmp_path / "none", tmp_path / "kept")
    right, poor = (measure_loops(folders, 1, accuracy, lambda _: None) for accuracy in (1.0, 0.7))
    for beta in BETAS:
        assert poor["llm", beta] == right["llm", beta]
        assert poor["person", beta][0].accuracy < right["person", beta][0].accuracy == 1.0
    assert poor["person", None][0].reviewed == right["person", None][0].reviewed
    again = Folders(tmp_path / "data", tmp_path / "none", tmp_path / "kept-again")
    assert measure_loops(again, 1, 0.7, lambda _: None) == poor
