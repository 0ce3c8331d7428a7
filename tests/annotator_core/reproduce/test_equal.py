import numpy as np

from annotator_core.reproduce.equal import compare_equal, count_right
from annotator_core.reproduce.learning import count_while_learning, learn_from_texts
from annotator_core.reproduce.rules import draw_audit, follow_paper


def test_our_rules_need_no_more_than_all_rows_and_no_less_than_the_least(ballots_and_gold):
    ballots, gold = ballots_and_gold
    texts = [f"class {label} row {row}" for row, label in enumerate(gold)]
    found = compare_equal(ballots, gold, texts, seed=1)
    assert found.paper == int(follow_paper(ballots).hard.sum())
    assert found.accuracy == count_right(follow_paper(ballots), gold) / 200
    for needed in (found.order, found.race, found.answers, found.texts):
        assert 0 < needed <= 200
    assert found.race >= found.audit == 40
    assert compare_equal(ballots, gold, texts, seed=1) == found


def test_texts_that_tell_the_class_save_reviews(ballots_and_gold):
    _ballots, gold = ballots_and_gold
    is_audited = draw_audit(200, 1)
    blind = np.full((200, 3), 1 / 3, dtype=np.float32)
    told = learn_from_texts(lambda _: blind, gold, [f"word{label}" for label in gold], 3)
    assert count_while_learning(told, gold, is_audited, 200, 20) == 40
    mute = learn_from_texts(lambda _: blind, gold, [f"word{row % 7}" for row in range(200)], 3)
    assert count_while_learning(mute, gold, is_audited, 200, 20) > 150


def test_an_audit_of_one_class_leaves_the_votes_opinion():
    gold = np.zeros(20, dtype=np.int64)
    blind = np.full((20, 2), 0.5, dtype=np.float32)
    learn = learn_from_texts(lambda _: blind, gold, ["same"] * 20, 2)
    assert (learn(np.ones(20, dtype=bool)) == blind).all()
