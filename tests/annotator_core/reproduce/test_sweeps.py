from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from annotator_core.reproduce.intervals import share_of_rows
from annotator_core.reproduce.kept import Votes
from annotator_core.reproduce.rules import follow_paper
from annotator_core.reproduce.sets import find_sets
from annotator_core.reproduce.study import Measured, find_reviewers
from annotator_core.reproduce.sweep_tables import draw_points, sweep_large, write_points
from annotator_core.reproduce.sweeps import sweep_epsilon, sweep_pool

DATASET = find_sets(["specialist_votes_tweets"])[0]
SEEDS = 3


@pytest.fixture
def measure():
    """300 rows of six specialists that are right in two of three rows, by how often the person is right."""
    rng = np.random.default_rng(8)
    gold = rng.integers(0, 3, 300)
    told = np.where(rng.random((300, 6)) < 2 / 3, gold[:, None], rng.integers(0, 3, (300, 6)))
    probs = np.full((300, 6, 3), 0.1, dtype=np.float32)
    np.put_along_axis(probs, told[:, :, None], 0.8, axis=2)
    votes = Votes(
        DATASET.specialists, DATASET.classes, probs, gold, np.empty((300, 0), np.int64), np.zeros(6, np.float32), gold
    )

    def make(accuracy):
        return Measured(DATASET, votes, accuracy, ({},) * SEEDS, ({},) * SEEDS, ("majority",) * SEEDS)

    return make


def test_a_person_who_is_gold_has_no_interval(measure):
    measured = measure(1.0)
    for point in sweep_pool(measured):
        rule = follow_paper(measured.votes.pool(DATASET.specialists[: point.setting]))
        assert point.person.value == (rule.hard | (rule.classes == measured.votes.gold)).mean()
        assert isnan(point.person.low)
        assert isnan(point.ordered.low)
    assert sweep_epsilon(measured)[-1].person.tell() == "100.0"


def test_an_imperfect_person_lowers_every_point_and_leaves_the_llm(measure):
    for sweep in (sweep_pool, sweep_epsilon):
        for right, poor in zip(sweep(measure(1.0)), sweep(measure(0.8)), strict=True):
            assert poor.person.value < right.person.value
            assert (poor.reviewed, poor.llm) == (right.reviewed, right.llm)
        assert sweep(measure(0.8)) == sweep(measure(0.8))


def test_where_every_row_is_reviewed_the_accuracy_is_the_persons(measure):
    last = sweep_epsilon(measure(0.8))[-1]
    assert last.reviewed.value == 1.0
    assert last.person.value == pytest.approx(0.8, abs=0.03)


def test_a_persons_answer_to_a_row_is_the_same_under_every_rule(measure):
    votes = measure(0.8).votes
    few, many = (
        find_reviewers(DATASET, votes, votes.pool(names), 0.8, 1)
        for names in (DATASET.specialists[:2], DATASET.specialists)
    )
    assert (few.person == many.person).all()
    assert (few.person != find_reviewers(DATASET, votes, votes.pool(DATASET.pool), 0.8, 2).person).any()


def test_what_is_reviewed_has_its_interval_over_the_rows(measure):
    measured = measure(1.0)
    for point in sweep_epsilon(measured):
        hard = follow_paper(measured.votes.pool(DATASET.specialists), point.setting).hard
        assert point.reviewed == share_of_rows(hard.mean(), 300)
        assert point.reviewed.low < point.reviewed.high


def test_a_sweep_is_a_table_and_a_plot_with_a_line_a_setting(measure):
    swept = sweep_large([measure(1.0)], sweep_pool)
    rows = write_points("m", swept).splitlines()
    points = swept[0][1]
    assert rows[0].startswith("| set | m | reviewed |")
    assert [row.split(" | ")[1:3] for row in rows[2:]] == [[str(each.setting), each.reviewed.tell()] for each in points]
    drawn = draw_points("m", swept)
    assert drawn.count("<circle") == 3 + 3 * len(points)
    assert "specialist_votes_tweets: 6" in drawn


def test_a_set_with_no_more_than_its_pool_has_no_sweep(measure):
    measured = measure(1.0)
    small = replace(measured, votes=replace(measured.votes, names=DATASET.pool, probs=measured.votes.probs[:, :3]))
    assert sweep_large([small], sweep_pool) == []
