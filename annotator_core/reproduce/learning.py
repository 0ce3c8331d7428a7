"""Our rule when it learns on while people review: from their answers, and from the texts that they read.

The race's rows are the audit alone. Here each batch of answers enters, too. That is sound for a model of P(class |
votes, words), since rows are chosen by what the model sees, and for no model that counts classes; so only logistic
stacking may take over from the race's winner.

Source: Shimodaira (2000), Journal of Statistical Planning and Inference 90, 227: rows chosen by what the model sees
need no weights where the model is right.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_matrix, hstack
from threadpoolctl import threadpool_limits

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.laps import run_laps
from annotator_core.consensus.opinion import opinion, take_logs
from annotator_core.consensus.table import fit_aggregator
from annotator_core.linear.features import Featurizer, learn_terms
from annotator_core.linear.model import Block
from annotator_core.reproduce.rules import Answers, count_to_reach, hide, review_first

BATCHES: Final = 4
"""Into how many batches the paper's reviews are cut: after each the rule learns anew. Chosen."""
_BLOCKS: Final = (Block("word", 1, 2), Block("char_wb", 2, 4))
_TERMS: Final = 8_000
"""Words and characters, the most frequent ones; chosen, for a fit of seconds."""
_VOTES_WEIGHT: Final = 0.6
"""Of a log-probability beside a text's features, whose length is 1; the best of 0.3, 0.6 and 1 on
davidson, irony, trec6 and specialist_votes_tweets with one seed, so that those four sets flatter it a little."""
_LEARNT_ROUNDS: Final = 100

Learn = Callable[[BoolArray], FloatArray]
"""Gives class probabilities of all rows (n, k) from those that are reviewed (n,)."""


def learn_from_answers(ballots: Ballots, person: IntArray, winner: str, seed: int) -> Learn:
    """Return a rule that takes the race's winner or logistic stacking, by cross-validated log-loss on all answers.

    person (n,): the answers, class indices. The rule raises BadInput for an unknown winner or impossible answers.
    """

    def learn(is_reviewed: BoolArray) -> FloatArray:
        seen = hide(person, is_reviewed)
        laps = run_laps(dict.fromkeys([winner, "stacker"]), ballots, seen, seed=seed)
        best = min(laps, key=lambda name: laps[name].log_loss)
        return laps[best].calibration.apply(fit_aggregator(best, ballots, seen, seed=seed).predict(ballots))

    return learn


def learn_from_texts(learn_votes: Learn, person: IntArray, texts: Sequence[str], n_classes: int) -> Learn:
    """Return a rule: logistic regression over what another rule thinks of the votes, and the texts' TF-IDF.

    person (n,): the answers that it learns, class indices; texts: n.
    """
    terms, idf = learn_terms(texts, _BLOCKS, max_features=_TERMS)
    words = Featurizer(_BLOCKS, terms, idf).transform(texts)

    def learn(is_reviewed: BoolArray) -> FloatArray:
        by_votes = learn_votes(is_reviewed)
        if len(np.unique(person[is_reviewed])) < 2:  # nothing to tell apart yet
            return by_votes
        votes = csr_matrix(_VOTES_WEIGHT * take_logs(by_votes))
        features = csr_matrix(hstack([words, votes], format="csr"))
        return _regress(features, person, is_reviewed, n_classes)

    return learn


def _regress(features: csr_matrix, person: IntArray, is_reviewed: BoolArray, n_classes: int) -> FloatArray:
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=1.0, max_iter=_LEARNT_ROUNDS, tol=1e-2)
    probs = np.full((len(person), n_classes), 1e-6, dtype=np.float32)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rounds that end early, and of many classes in few rows: both are meant
        model.fit(features[is_reviewed], person[is_reviewed])
        probs[:, model.classes_] = model.predict_proba(features)
    return np.asarray(probs / probs.sum(axis=1, keepdims=True), dtype=np.float32)


def count_while_learning(learn: Learn, answers: Answers, is_audited: BoolArray, right_wanted: int, batch: int) -> int:
    """Return how many rows are reviewed, the audit's included, until so many rows are right, learning after each batch.

    answers: to the n rows. is_audited (n,). batch: rows. The reviewer stops where the accuracy is reached, as a
    comparison at equal accuracy defines it.
    """
    is_reviewed = is_audited
    while True:
        formed = opinion(learn(is_reviewed))
        needed = count_to_reach(formed, answers, is_reviewed, right_wanted)
        if needed <= int(is_reviewed.sum()) + batch:
            return needed
        is_reviewed = review_first(formed, is_reviewed, int(is_reviewed.sum()) + batch)
