from dataclasses import replace

import pytest

from annotator_core.reproduce import stream
from annotator_core.reproduce.intervals import average
from annotator_core.reproduce.loop_tables import draw_forgetting, draw_loops, tell_loops, write_loops
from annotator_core.reproduce.loops import REVIEWERS, measure_loops
from annotator_core.reproduce.specialists import Folders
from annotator_core.reproduce.stream import BETAS, Passed, open_stream, pass_stream


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
    assert draw_loops(loops).count("<circle") == 3 + 3 * 10
    assert draw_forgetting(loops).count("<circle") == 2 + 2 * 10
    assert "with a person (one seed, which shows no spread): beta 250 " in tell_loops(loops)
    for file in (tmp_path / "data").rglob("*.csv"):
        file.unlink()
    assert measure_loops(folders, 1, 1.0, told.append) == loops


def test_the_verdict_has_each_beta_with_its_interval_and_the_number_of_seeds():
    base = Passed(0, 0.8, 0.9, 0.9, 0.8, 0.8, 0.6, 0.6)
    other = replace(base, reviewed=0.6, accuracy=0.8)
    loops = {(who, beta): (base, base) if beta is None else (base, other) for who in REVIEWERS for beta in BETAS}
    told = tell_loops(loops)
    reviewed, accuracy = average([0.8, 0.6]).tell_percent(), average([0.9, 0.8]).tell_percent()
    assert told.startswith("- Fine-tuning of linear specialists with a person (2 seeds): beta 250 ")
    assert f"beta 2,000 {accuracy} with {reviewed} reviewed" in told
    assert told.endswith("beta infinity 90.0% with 80.0% reviewed.\n")
    assert accuracy == "85.0% (21.5 to 148.5)"


def test_the_papers_beta_has_rows_left_to_change_in_a_stream_of_this_length(opened):
    rows, members = opened
    share = 2_000 / stream.STREAM_ROWS
    never, papers = (pass_stream(rows, members, rows.gold, beta) for beta in (None, round(share * len(rows))))
    assert 2_000 in BETAS
    assert papers.rounds >= 1
    assert papers.reviewed < never.reviewed


def test_an_imperfect_person_changes_the_persons_rows_alone(opened, tmp_path):
    folders = Folders(tmp_path / "data", tmp_path / "none", tmp_path / "kept")
    right, poor = (measure_loops(folders, 1, accuracy, lambda _: None) for accuracy in (1.0, 0.7))
    for beta in BETAS:
        assert poor["llm", beta] == right["llm", beta]
        assert poor["person", beta][0].accuracy < right["person", beta][0].accuracy == 1.0
    assert poor["person", None][0].reviewed == right["person", None][0].reviewed
    again = Folders(tmp_path / "data", tmp_path / "none", tmp_path / "kept-again")
    assert measure_loops(again, 1, 0.7, lambda _: None) == poor
