"""Topics: found where features stand together, and folded into plain weights without a trace."""

import numpy as np
from scipy.sparse import csr_matrix

from annotator_core.linear.model import Weights
from annotator_core.linear.topics import add_topics, fold_topics, learn_topics

RNG = np.random.default_rng(2)
FEATURES = csr_matrix(RNG.random((40, 12)) * (RNG.random((40, 12)) < 0.4))


def test_learn_topics_are_the_strongest_directions() -> None:
    topics = learn_topics(FEATURES, seed=0)
    exact = np.linalg.svd(FEATURES.toarray())[2][:3]
    assert topics.shape == (11, 12)
    assert np.abs(np.abs(topics[:3] @ exact.T) - np.eye(3)).max() < 1e-3
    assert np.array_equal(topics, learn_topics(FEATURES, seed=0))


def test_learn_topics_of_hardly_any_text_are_none() -> None:
    assert learn_topics(FEATURES[:3], seed=0).shape == (0, 12)


def test_fold_topics_changes_no_answer() -> None:
    topics = learn_topics(FEATURES, seed=0)
    weights = Weights(RNG.normal(size=(3, 23)).astype(np.float32), np.ones(3, dtype=np.float32))
    folded = fold_topics(weights, topics)
    assert folded.coef.shape == (3, 12)
    assert np.abs(FEATURES @ folded.coef.T - add_topics(FEATURES, topics) @ weights.coef.T).max() < 1e-5
