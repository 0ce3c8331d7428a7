"""How a pool's votes become classes, scores and routes."""

import numpy as np
import pytest

from annotator_core.consensus.average import average_probs
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import pick_classes
from annotator_core.errors import BadInput
from annotator_core.routing import hard_by_agreement
from labeling.labels.engine import combine


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
