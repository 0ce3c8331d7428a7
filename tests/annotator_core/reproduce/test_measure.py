import numpy as np
import pytest

from annotator_core.reproduce.measure import Reviewers, measure_rules, share_right
from annotator_core.reproduce.people import Accuracies, simulate_llm, simulate_person
from annotator_core.reproduce.rules import follow_paper


def test_a_person_who_is_right_gives_gold(ballots_and_gold):
    _, gold = ballots_and_gold
    assert (simulate_person(gold, 3, 1.0, 4) == gold).all()
    assert share_right(simulate_person(np.zeros(5000, np.int64), 3, 0.9, 4), np.zeros(5000)) == pytest.approx(
        0.9, abs=0.02
    )


def test_a_simulated_llm_is_less_often_right_on_hard_rows():
    gold, hard = np.zeros(10_000, dtype=np.int64), np.arange(10_000) < 5_000
    answers = simulate_llm(gold, hard, 3, Accuracies(0.9, 0.6), 2)
    assert share_right(answers[hard], gold[hard]) == pytest.approx(0.6, abs=0.03)
    assert share_right(answers[~hard], gold[~hard]) == pytest.approx(0.9, abs=0.03)


def test_figures_are_those_of_the_rules(ballots_and_gold):
    ballots, gold = ballots_and_gold
    found = measure_rules(ballots, gold, Reviewers(gold, (gold + 1) % 3), seed=0)
    rule = follow_paper(ballots)
    assert found["hard"] == rule.hard.mean()
    assert found["paper_person"] == (rule.hard | (rule.classes == gold)).mean()
    assert found["paper_llm"] == (~rule.hard & (rule.classes == gold)).mean()
    assert found["llm_all"] == 0.0
    assert found["race_person"] >= found["race_alone"] > found["race_llm"]


def test_a_target_that_is_not_reached_accepts_nothing(ballots_and_gold):
    ballots, gold = ballots_and_gold
    found = measure_rules(ballots, gold, Reviewers(gold, gold), seed=0)
    assert found["contract_2%_reviewed"] == 1.0
    assert np.isnan(found["contract_2%_wrong"])
