import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.opinion import Opinion
from annotator_core.reproduce.people import simulate_person
from annotator_core.reproduce.rules import (
    Answers,
    audit_size,
    count_to_reach,
    draw_audit,
    follow_paper,
    order_reviews,
    review_first,
)

GOLD = np.array([0, 0, 1, 1, 0])
RIGHT = Answers(GOLD, GOLD)
FORMED = Opinion(
    np.array([0, 1, 1, 0, 1]), np.full(5, 0.9, np.float32), np.array([0.9, 0.1, 0.8, 0.2, 0.3], np.float32)
)


def test_the_papers_rule_sends_every_disagreement_to_review():
    rule = follow_paper(Ballots.from_votes(np.array([[0, 0, 0], [0, 1, 1], [0, 1, -1], [1, 1, 1]]), 2))
    assert rule.hard.tolist() == [False, True, True, False]
    assert rule.classes.tolist() == [0, 1, 0, 1]


def test_fewer_must_agree_where_that_is_asked():
    rule = follow_paper(Ballots.from_votes(np.array([[0, 0, 0], [0, 1, 1], [0, 1, -1]]), 2), min_agree=2)
    assert rule.hard.tolist() == [False, False, True]


def test_an_audit_has_the_same_rows_for_a_seed():
    assert (draw_audit(1000, 3) == draw_audit(1000, 3)).all()
    assert [int(draw_audit(n, 1).sum()) for n in (100, 1000, 5000)] == [audit_size(n) for n in (100, 1000, 5000)]


def test_reviews_are_counted_until_so_many_rows_are_right():
    nobody = np.zeros(5, dtype=bool)
    counted = [count_to_reach(FORMED, RIGHT, nobody, right) for right in (2, 3, 4, 5)]
    assert counted == [0, 1, 2, 3]


def test_audited_rows_count_as_reviews():
    is_audited = np.array([True, False, False, False, False])
    assert count_to_reach(FORMED, RIGHT, is_audited, 3) == 2


def test_a_wrong_answer_repairs_nothing_and_may_spoil_a_right_row():
    nobody = np.zeros(5, dtype=bool)
    useless, spoiling = Answers(GOLD, np.array([0, 0, 1, 0, 0])), Answers(GOLD, np.array([0, 0, 0, 1, 0]))
    assert [count_to_reach(FORMED, useless, nobody, right) for right in (3, 4, 5)] == [1, 3, 5]
    assert [count_to_reach(FORMED, spoiling, nobody, right) for right in (3, 4, 5)] == [1, 2, 3]
    assert count_to_reach(FORMED, spoiling, np.array([False, False, True, False, False]), 4) == 4


@pytest.mark.parametrize("accuracy", [1.0, 0.7])
def test_the_count_is_the_first_that_makes_so_many_rows_right(accuracy):
    rng = np.random.default_rng(4)
    gold, classes, audited = rng.integers(0, 3, 40), rng.integers(0, 3, 40), rng.random(40) < 0.2
    formed = Opinion(classes, np.full(40, 0.5, np.float32), rng.random(40).astype(np.float32))
    answers = Answers(gold, simulate_person(gold, 3, accuracy, 2))
    labeled = [review_first(formed, audited, count) for count in range(int(audited.sum()), 41)]
    right = [int((np.where(reviewed, answers.person, classes) == gold).sum()) for reviewed in labeled]
    for wanted in range(41):
        expected = next((int(each.sum()) for each, n in zip(labeled, right, strict=True) if n >= wanted), 40)
        assert count_to_reach(formed, answers, audited, wanted) == expected


def test_the_least_certain_rows_are_reviewed_first():
    is_audited = np.array([False, False, True, False, False])
    assert order_reviews(FORMED, is_audited).tolist() == [1, 3, 4, 0]
    assert review_first(FORMED, is_audited, 3).tolist() == [False, True, True, True, False]
