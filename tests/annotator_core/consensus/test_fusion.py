"""Fusion: a good verifier is followed, a bad one is not, and the paper's mode obeys."""

import csv
import json

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.fusion import add_verifier, fit_fusion, replace_answers, restore_fusion
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import opinion
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import make_votes, permute


def _answers(gold, right, k=3, seed=0):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(gold)) < right, gold, (gold + 1 + rng.integers(0, k - 1, len(gold))) % k)


@pytest.mark.parametrize(("right", "n_gold"), [(0.97, 200), (0.34, 200), (0.97, 0)])
def test_fusing_is_at_least_as_good_as_either(right, n_gold):
    pool, gold = make_votes(1200, right=0.8, abstain=0)
    answers = _answers(gold, right)
    known = np.where(np.arange(1200) < n_gold, gold, ABSTAIN)
    fused = opinion(fit_fusion(pool, answers, known).predict(pool, answers)).classes
    alone = vote_majority(pool.votes, 3, pool.probs).classes
    best = max(np.mean(alone[n_gold:] == gold[n_gold:]), np.mean(answers[n_gold:] == gold[n_gold:]))
    assert np.mean(fused[n_gold:] == gold[n_gold:]) >= best - 0.01


@pytest.mark.parametrize("seed", range(5))
def test_a_few_gold_rows_unmask_a_verifier_that_errs_as_its_pool_does(seed):
    """Rows on which specialists differ, whose errors are those of the verifier: only gold can tell who is wrong."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 3, 300)
    votes = (gold[:, None] + (rng.random((300, 3)) < 0.3)) % 3
    hard = (votes != votes[:, :1]).any(axis=1)
    gold, pool = gold[hard], Ballots.from_votes(votes[hard], 3)
    answers, known = (gold + 1) % 3, np.where(np.arange(len(gold)) < 12, gold, ABSTAIN)
    fused = opinion(fit_fusion(pool, answers, known).predict(pool, answers)).classes
    alone = vote_majority(pool.votes, 3, pool.probs).classes
    assert np.mean(fused == gold) >= np.mean(alone == gold)


@pytest.mark.parametrize("n_gold", [0, 30, 150])
def test_permuting_changes_nothing(n_gold):
    pool, gold = make_votes(150)
    answers, known = _answers(gold, 0.7), np.where(np.arange(150) < n_gold, gold, ABSTAIN)
    other, other_known, rows, _columns = permute(pool, known)
    one = fit_fusion(pool, answers, known).predict(pool, answers)[rows]
    two = fit_fusion(other, answers[rows], other_known).predict(other, answers[rows])
    assert np.allclose(one, two, atol=1e-6, equal_nan=True)


def test_its_state_comes_back():
    pool, gold = make_votes(100)
    answers = _answers(gold, 0.7)
    fitted = fit_fusion(pool, answers, gold)
    back = restore_fusion(json.loads(json.dumps(fitted.to_state())))
    assert back.predict(pool, answers).tobytes() == fitted.predict(pool, answers).tobytes()


def test_replacing_takes_the_answer_where_there_is_one():
    assert replace_answers(np.array([0, 1, ABSTAIN]), np.array([2, ABSTAIN, ABSTAIN])).tolist() == [2, 1, ABSTAIN]


@pytest.mark.parametrize("answers", [np.zeros(9, dtype=int), np.full(10, 3), np.full(10, -2)])
def test_impossible_answers_are_refused(answers):
    with pytest.raises(BadInput):
        add_verifier(make_votes(10)[0], answers)


@pytest.mark.parametrize(("name", "least"), [("llm_votes_emotion", -0.02), ("llm_votes_stance", -0.02)])
def test_real_answers_never_pull_the_pool_down(needs_datasets, name, least):
    """Chatgpt replaces or joins three flan-t5 on hard rows; confusion is learned on a half, ten times."""
    pool, answers, gold = _read(needs_datasets / name)
    majority = vote_majority(pool.votes, pool.n_classes, pool.probs)
    hard = majority.counts < 3
    gains = []
    for seed in range(10):
        half = np.random.default_rng(seed).permutation(len(gold)) < len(gold) // 2
        fused = opinion(fit_fusion(pool.take(half), answers[half], gold[half]).predict(pool, answers)).classes
        right = np.where(hard, fused, majority.classes) == gold
        gains.append(right[~half].mean() - (majority.classes == gold)[~half].mean())
    assert np.mean(gains) > least


def _read(folder):
    items, votes = (
        list(csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines(keepends=True)))
        for name in ("items.csv", "votes.csv")
    )
    classes = sorted({row["label"] for row in items})
    rows = {row["id"]: index for index, row in enumerate(items)}
    voters = ["flan-t5-base", "flan-t5-large", "flan-t5-xl", "chatgpt"]
    table = np.full((len(items), 4), ABSTAIN)
    for vote in votes:
        if vote["annotator"] in voters and vote["label"]:
            table[rows[vote["item"]], voters.index(vote["annotator"])] = classes.index(vote["label"])
    gold = np.array([classes.index(row["label"]) for row in items])
    return Ballots.from_votes(table[:, :3], len(classes)), table[:, 3], gold
