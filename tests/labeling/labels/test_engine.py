"""How a pool's votes become classes, scores and routes."""

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import pick_classes
from annotator_core.errors import BadInput
from annotator_core.routing import hard_by_agreement
from annotator_core.types import ABSTAIN
from labeling.labels.engine import Heard, combine, fuse


@pytest.fixture
def ballots():
    """Votes and probabilities of three specialists on 200 texts with three classes; some abstain."""
    random = np.random.default_rng(5)
    probs = random.dirichlet([1, 1, 1], size=(200, 3)).astype(np.float32)
    probs[random.random((200, 3)) < 0.1] = np.nan
    return pick_classes(probs), probs


def test_the_papers_rule_is_the_majority_and_nothing_else(ballots):
    """Eq. 3 to 5, bit for bit: no later aggregation may touch what the paper's policy routes."""
    votes, probs = ballots
    found = combine(votes, probs, min_agree=3, is_average=False)
    majority = vote_majority(votes, 3, probs)
    assert found.classes.tobytes() == majority.classes.tobytes()
    assert found.uncertainty.tobytes() == majority.uncertainty.tobytes()
    assert found.is_hard.tobytes() == hard_by_agreement(majority.counts, majority.is_tie, 3).tobytes()


def test_a_fitted_aggregation_gives_class_score_and_confidence_and_leaves_the_votes_alone(ballots):
    votes, probs = ballots
    state = {"name": "average", "n_specialists": 3, "n_classes": 3}
    plain = combine(votes, probs, min_agree=3, is_average=False)
    found = combine(votes, probs, min_agree=3, is_average=False, aggregation=state)
    average = average_probs(probs)
    assert (found.classes.tolist(), found.score.tolist()) == (average.classes.tolist(), average.score.tolist())
    assert found.confidence.tolist() == average.top.tolist()
    assert found.is_hard.tolist() == plain.is_hard.tolist()
    assert found.uncertainty.tolist() == plain.uncertainty.tolist()


@pytest.mark.parametrize("state", [{"name": "best_single", "index": 0, "n_specialists": 2, "n_classes": 3}, {}])
def test_an_aggregation_of_another_pool_is_refused(ballots, state):
    with pytest.raises(BadInput):
        combine(*ballots, min_agree=3, is_average=False, aggregation=state)


def doubted(seed, n_classes, right):
    """Three specialists of that skill, and a model right on 67%: all texts, those that they disagree on, and truths."""
    random = np.random.default_rng(seed)
    truths = random.integers(0, n_classes, 4_000)

    def name(share):
        others = (truths + random.integers(1, n_classes, len(truths))) % n_classes
        return np.where(random.random(len(truths)) < share, truths, others)

    votes, answers = np.stack([name(right) for _ in range(3)], axis=1), name(0.67)
    hard = (votes != votes[:, :1]).any(axis=1)
    pool = Ballots.from_votes(votes, n_classes)
    crowd = Heard(pool, np.where(hard, answers, ABSTAIN).tolist())
    return crowd, Heard(pool.take(hard), answers[hard].tolist()), truths[hard]


@pytest.mark.parametrize("n_gold", [0, 9, 30])
@pytest.mark.parametrize(("n_classes", "right"), [(2, 0.8), (3, 0.75)])
@pytest.mark.parametrize("seed", range(3))
def test_without_an_audit_a_fusion_is_as_right_as_either_on_hard_texts(seed, n_classes, right, n_gold):
    """Fitted on hard texts alone it is right on .55 of them where the pool is on .8."""
    crowd, asked, truths = doubted(seed, n_classes, right)
    gold = np.where(np.arange(len(truths)) < n_gold, truths, ABSTAIN)
    majority = vote_majority(asked.ballots.votes, n_classes, asked.ballots.probs).classes
    best = max(np.mean(majority == truths), np.mean(np.array(asked.answers) == truths))
    fused = np.array([index for index, _top in fuse(asked, gold=gold.tolist(), crowd=crowd)])
    assert np.mean(fused == truths) >= best - 0.02


def test_with_an_audit_a_fusion_is_fitted_on_the_texts_that_were_asked_about():
    """Those that specialists agree on would make them look better than they are on these."""
    _crowd, asked, truths = doubted(0, 3, 0.5)
    gold = np.where(np.arange(len(truths)) < 600, truths, ABSTAIN)
    fused = np.array([index for index, _top in fuse(asked, gold=gold.tolist(), crowd=None)])
    assert np.mean((fused == truths)[600:]) >= 0.65
