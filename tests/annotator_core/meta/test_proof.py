"""What a candidate is worth: hand-computed tables, and properties."""

import numpy as np
import pytest

from annotator_core.errors import PredictionStopped
from annotator_core.meta.choice import WHY_NOT, Standing, WhyNot, choose
from annotator_core.meta.proof import answer, map_votes, measure_agreement, mutual_information, prove
from annotator_core.specialists.folder import inspect_folder
from annotator_core.types import ABSTAIN
from tests.annotator_core.meta.made import DEMO

GOLD = np.tile([0, 1, 2], 20)
NO_GOLD = np.full(60, ABSTAIN)


def judge(votes, gold=GOLD, similarity=None, top=3):
    proofs = prove(votes, votes, gold, [[True] * 60] * len(votes), 3)
    standings = [
        Standing(one, proof, vote)
        for one, proof, vote in zip(similarity or [0.5] * len(votes), proofs, votes, strict=True)
    ]
    return proofs, choose(standings, gold, top)


def test_a_real_transformer_answers_under_its_own_labels() -> None:
    card = inspect_folder(DEMO["overall"])
    found = answer(card, ["Awful, it never came", "I love it"])
    assert card.labels[found.labels[0]] == "bad"
    assert (len(found.labels), found.truncated) == (2, 0)
    with pytest.raises(PredictionStopped):
        answer(card, ["a", "b"], lambda: True)


def test_votes_follow_the_map_and_abstentions_stay() -> None:
    assert map_votes(np.array([0, 2, ABSTAIN, 1]), (1, ABSTAIN, 0)).tolist() == [1, 0, ABSTAIN, ABSTAIN]


def test_mutual_information_of_equal_unrelated_and_constant_answers() -> None:
    assert mutual_information(GOLD, (GOLD + 1) % 3, 3) == pytest.approx(1.0, abs=0.04)
    rng = np.random.default_rng(0)
    assert mutual_information(rng.integers(0, 3, 2_000), rng.integers(0, 3, 2_000), 3) < 0.005
    assert mutual_information(GOLD, np.zeros(60, dtype=np.int64), 3) == 0.0
    assert mutual_information(GOLD, NO_GOLD, 3) is None


def test_mutual_information_is_symmetric_and_blind_to_the_names_of_labels() -> None:
    rng = np.random.default_rng(1)
    one = rng.integers(0, 3, 300)
    other = np.where(rng.random(300) < 0.7, one, rng.integers(0, 3, 300))
    forward = mutual_information(one, other, 3)
    assert forward == pytest.approx(mutual_information(other, one, 3))
    assert forward == pytest.approx(mutual_information(one, (other + 2) % 3, 3))


def test_agreement_counts_rows_that_both_voted_on() -> None:
    assert measure_agreement(np.array([0, 1, ABSTAIN]), np.array([0, 0, 2])) == 0.5
    assert measure_agreement(np.array([ABSTAIN]), np.array([1])) is None


def test_with_known_classes_the_more_accurate_come_first_and_abstentions_are_not_right() -> None:
    half = np.where(np.arange(60) < 40, GOLD, ABSTAIN)
    proofs, choices = judge([half, GOLD])
    assert [proof.accuracy.value for proof in proofs] == [pytest.approx(2 / 3), 1.0]
    assert (choices[0].index, choices[0].rank, choices[0].why_not) == (1, 1, None)
    assert proofs[0].abstained == pytest.approx(1 / 3)
    assert proofs[1].class_shares == pytest.approx((1 / 3,) * 3)


def test_one_class_every_time_is_not_taken() -> None:
    _proofs, (first, second) = judge([np.zeros(60, dtype=np.int64), GOLD])
    assert (first.index, second.why_not) == (1, WhyNot.NO_BETTER_THAN_ONE_CLASS)


def test_without_known_classes_those_that_tell_of_each_other_come_first() -> None:
    rng = np.random.default_rng(2)
    noisy = [np.where(rng.random(60) < 0.8, GOLD, rng.integers(0, 3, 60)) for _ in range(2)]
    _proofs, choices = judge([np.zeros(60, dtype=np.int64), *noisy], NO_GOLD)
    assert {choices[0].index, choices[1].index} == {1, 2}
    assert choices[2].why_not is WhyNot.TELLS_NOTHING


def test_a_copy_of_a_better_one_is_not_taken() -> None:
    _proofs, choices = judge([GOLD, GOLD.copy()], similarity=[0.1, 0.9])
    assert [(choice.index, choice.why_not) for choice in choices] == [(1, None), (0, WhyNot.COPY)]


def test_only_the_top_is_recommended() -> None:
    rng = np.random.default_rng(3)
    noisy = [np.where(rng.random(60) < 0.7, GOLD, rng.integers(0, 3, 60)) for _ in range(4)]
    _proofs, choices = judge(noisy, top=2)
    assert [choice.why_not for choice in choices] == [None, None, WhyNot.OTHERS_BETTER, WhyNot.OTHERS_BETTER]
    assert [choice.rank for choice in choices] == [1, 2, 3, 4]
    assert all(WHY_NOT[why] for why in WhyNot)


def test_one_that_abstains_on_most_rows_is_not_taken() -> None:
    mostly = np.where(np.arange(60) < 27, GOLD, ABSTAIN)
    _proofs, choices = judge([mostly, GOLD])
    assert choices[1].why_not is WhyNot.ABSTAINS


def test_a_lone_candidate_without_known_classes_is_taken_for_its_card() -> None:
    (proof,), (choice,) = judge([GOLD], NO_GOLD)
    assert (proof.information, proof.agreement, proof.accuracy.value, choice.why_not) == (None, None, None, None)


def test_unnamed_labels_are_no_abstention() -> None:
    proofs = prove([GOLD], [NO_GOLD], NO_GOLD, [[True] * 60], 3)
    assert proofs[0].abstained is None


def test_rows_that_a_map_was_read_off_do_not_test_it() -> None:
    held_out = [index >= 30 for index in range(60)]
    right_there = np.where(np.arange(60) < 30, GOLD, (GOLD + 1) % 3)
    (proof,) = prove([right_there], [right_there], GOLD, [held_out], 3)
    assert (proof.n_gold, proof.accuracy.value) == (30, 0.0)
