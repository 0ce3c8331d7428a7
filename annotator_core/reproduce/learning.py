"""Our rule when it learns on while people review: from their answers, and from the texts that they read.

The race's rows are the audit alone. Here each batch of answers enters, too. That is sound for a model of P(class |
votes, words), since rows are chosen by what the model sees, and for no model that counts classes; so only logistic
stacking may take over from the race's winner.

Source: Shimodaira (2000), Journal of Statistical Planning and Inference 90, 227: rows chosen by what the model sees
need no weights where the model is right.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_matrix, hstack
from threadpoolctl import threadpool_limits

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, Reviewed
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.laps import run_laps
from annotator_core.consensus.opinion import opinion, take_logs
from annotator_core.consensus.race import ENOUGH, run_race
from annotator_core.consensus.reviewed import learn_from_reviews
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


def learn_as_site(ballots: Ballots, person: IntArray, is_audited: BoolArray, is_fitting: BoolArray, seed: int) -> Learn:
    """Return the site's rule: the race on the audit's fitting third, then stacking that learns from reviewed rows.

    person (n,): the answers, class indices; is_audited and is_fitting (n,). Rows that only certify teach nobody; with
    under 50 that fit the averaged probability stays. The rule raises BadInput for impossible answers.
    """
    fitting = np.flatnonzero(is_fitting)
    audited, gold = ballots.take(fitting), person[fitting]

    def learn(is_reviewed: BoolArray) -> FloatArray:
        if len(fitting) < ENOUGH:
            return average_probs(ballots.probs).probs
        rows = np.flatnonzero(is_reviewed & ~is_audited)
        race = run_race(audited, gold, seed=seed)
        race = learn_from_reviews(race, audited, gold, Reviewed(ballots.take(rows), person[rows]), seed=seed)
        return race.fitted.predict(ballots)

    return learn


def count_while_learning(
    learn: Learn, answers: Answers, is_audited: BoolArray, right_wanted: int, stops: Iterable[int]
) -> int:
    """Return how many rows are reviewed, the audit's included, until so many rows are right, learning at each stop.

    answers: to the n rows. is_audited (n,). stops: rising numbers of rows reviewed beside the audit. The reviewer ends
    where the accuracy is reached, as a comparison at equal accuracy defines it.
    """
    n_audited = int(is_audited.sum())
    formed, is_reviewed = opinion(learn(is_audited)), is_audited
    for stop in stops:
        needed = count_to_reach(formed, answers, is_reviewed, right_wanted)
        if needed <= n_audited + stop:
            return needed
        is_reviewed = review_first(formed, is_reviewed, n_audited + stop)
        formed = opinion(learn(is_reviewed))
    return count_to_reach(formed, answers, is_reviewed, right_wanted)
