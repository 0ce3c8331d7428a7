import numpy as np

from annotator_core.reproduce.equal import compare_equal, count_right
from annotator_core.reproduce.learning import count_while_learning, learn_from_texts
from annotator_core.reproduce.people import simulate_person
from annotator_core.reproduce.rules import Answers, draw_audit, follow_paper


def test_our_rules_need_no_more_than_all_rows_and_no_less_than_the_least(ballots_and_gold):
    ballots, gold = ballots_and_gold
    texts = [f"class {label} row {row}" for row, label in enumerate(gold)]
    found = compare_equal(ballots, Answers(gold, gold), texts, seed=1)
    assert found.paper == int(follow_paper(ballots).hard.sum())
    rule = follow_paper(ballots)
    assert found.accuracy == (rule.hard | (rule.classes == gold)).mean()
    for needed in (found.order, found.race, found.answers, found.texts):
        assert 0 < needed <= 200
    assert found.race >= found.audit == 40
    assert compare_equal(ballots, Answers(gold, gold), texts, seed=1) == found


def test_the_accuracy_to_reach_is_the_papers_with_the_same_imperfect_person(ballots_and_gold):
    ballots, gold = ballots_and_gold
    texts, rule = [f"class {label} row {row}" for row, label in enumerate(gold)], follow_paper(ballots)
    right, poor = Answers(gold, gold), Answers(gold, simulate_person(gold, 3, 0.8, 1))
    found = compare_equal(ballots, poor, texts, seed=1)
    assert found.accuracy == (np.where(rule.hard, poor.person, rule.classes) == gold).mean()
    assert count_right(rule, poor) == round(200 * found.accuracy) < count_right(rule, right)
    assert found.paper == compare_equal(ballots, right, texts, seed=1).paper
    assert compare_equal(ballots, poor, texts, seed=1) == found


def test_rules_learn_the_persons_answers_not_gold(ballots_and_gold):
    _ballots, gold = ballots_and_gold
    is_audited, blind = draw_audit(200, 1), np.full((200, 3), 1 / 3, dtype=np.float32)
    swapped = np.array([1, 0, 2])[gold]  # a person who takes one class for another, always
    told = learn_from_texts(lambda _: blind, swapped, [f"word{label}" for label in gold], 3)
    assert (told(is_audited).argmax(axis=1) == swapped).all()


def test_texts_that_tell_the_class_save_reviews(ballots_and_gold):
    _ballots, gold = ballots_and_gold
    is_audited = draw_audit(200, 1)
    blind = np.full((200, 3), 1 / 3, dtype=np.float32)
    told = learn_from_texts(lambda _: blind, gold, [f"word{label}" for label in gold], 3)
    assert count_while_learning(told, Answers(gold, gold), is_audited, 200, range(20, 200, 20)) == 40
    mute = learn_from_texts(lambda _: blind, gold, [f"word{row % 7}" for row in range(200)], 3)
    assert count_while_learning(mute, Answers(gold, gold), is_audited, 200, range(20, 200, 20)) > 150


def test_an_audit_of_one_class_leaves_the_votes_opinion():
    gold = np.zeros(20, dtype=np.int64)
    blind = np.full((20, 2), 0.5, dtype=np.float32)
    learn = learn_from_texts(lambda _: blind, gold, ["same"] * 20, 2)
    assert (learn(np.ones(20, dtype=bool)) == blind).all()
