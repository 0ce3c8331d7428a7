"""Table 6: specialists that learn from the hard pool on the way through a stream of tweets, and what they forget.

Linear specialists of three sources, refined by `refine.linear_trainer`: seconds instead of hours, the same loop. With
encoders the loop was measured through the site (docs/benchmarks/refinement.md).

Source: AutoAnnotator (arXiv 2506.16393), Table 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.linear.features import Featurizer
from annotator_core.linear.model import LinearModel, Weights, read_linear
from annotator_core.refine.cold_start import linear_recipes, train_linear
from annotator_core.refine.linear_trainer import refine_weights
from annotator_core.refine.plan import TrainingRow
from annotator_core.reproduce.rows import GoldRows, read_rows
from annotator_core.reproduce.rules import follow_paper
from annotator_core.reproduce.sets import SENTIMENT, STARS
from annotator_core.reproduce.targets import shuffle_rows
from annotator_core.specialists.mapping import softmax
from annotator_core.types import LabelMap

STREAM: Final = "tweet_sentiment_extraction/train.csv"
SOURCES: Final = ("semeval_tweets_2013_2016", "airline_tweets", "sst5")
BETAS: Final = (250, 500, 1_000, 2_000, None)
"""The paper's is 2,000. None: no fine-tuning, its ablation of beta = infinity."""
STREAM_ROWS: Final = 6_000
"""As in the reference experiments and through the site: 2,000 hard rows are found in the first half."""
TEST_ROWS: Final = 1_000
_LESSON: Final = 3_000


@dataclass(frozen=True, slots=True)
class Member:
    """A linear specialist on its way: its model over d features, those of the stream and of its own source's test.

    stream (n, d), home (t, d): sparse. home_gold (t,): class indices.
    """

    model: LinearModel
    stream: csr_matrix
    home: csr_matrix
    home_gold: IntArray


@dataclass(frozen=True, slots=True)
class Passed:
    """One pass through the stream.

    reviewed: share of rows. accuracy: over all rows as labeled on the way; renewed: when accepted rows are voted again
    by the last pool. hard_first, hard_last: share of hard rows in the first and last quarter. home: mean accuracy on
    the specialists' own sources before and after.
    """

    rounds: int
    reviewed: float
    accuracy: float
    renewed: float
    hard_first: float
    hard_last: float
    home_before: float
    home_after: float


def open_stream(data: Path, kept: Path, seed: int) -> tuple[GoldRows, tuple[Member, ...]]:
    """Return the stream's rows in this seed's order and the pool; specialists are trained once and kept.

    Raises BadInput as `rows.read_rows` does, BadModelFolder for a damaged specialist, StorageError or StoreFull.
    """
    rows = read_rows([data / STREAM], SENTIMENT, {})
    rows = rows.take(np.random.default_rng([seed, 6]).permutation(len(rows))[:STREAM_ROWS].tolist())
    members = []
    for recipe, source in zip(linear_recipes(len(SOURCES)), SOURCES, strict=True):
        folder = kept / "linear" / f"stream-{source}"
        if not folder.is_dir():
            lesson = read_rows([data / source / "train.csv"], SENTIMENT, STARS)
            chosen = lesson.take(shuffle_rows(lesson)[:_LESSON])
            train_linear(replace(recipe, left_out=None), _to_rows(chosen), (), SENTIMENT, folder)
        model = read_linear(folder)
        home = read_rows([data / source / "test.csv"], SENTIMENT, STARS)
        home = home.take(range(min(TEST_ROWS, len(home))))
        featurizer = Featurizer(model.blocks, model.terms, model.idf)
        members.append(Member(model, featurizer.transform(rows.texts), featurizer.transform(home.texts), home.gold))
    return rows, tuple(members)


def pass_stream(rows: GoldRows, members: Sequence[Member], answers: IntArray, beta: int | None) -> Passed:
    """Return what the paper's rule gives: hard rows get the reviewer's answers (n,), beta of them are a round."""
    n, weights = len(rows), [member.model.weights for member in members]
    labels, hard = np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    before, start, rounds = _test(members, weights), 0, 0
    while start < n:
        rule = follow_paper(_vote(members, weights))
        pool = np.flatnonzero(rule.hard & (np.arange(n) >= start))
        end = n if beta is None or len(pool) < beta else int(pool[beta - 1]) + 1
        hard[start:end] = rule.hard[start:end]
        labels[start:end] = np.where(rule.hard, answers, rule.classes)[start:end]
        if end < n:
            weights = _learn(members, weights, rows, answers, pool[:beta])
            rounds += 1
        start = end
    renewed = np.where(hard, labels, follow_paper(_vote(members, weights)).classes)
    quarter = n // 4
    return Passed(
        rounds=rounds,
        reviewed=float(hard.mean()),
        accuracy=float((labels == rows.gold).mean()),
        renewed=float((renewed == rows.gold).mean()),
        hard_first=float(hard[:quarter].mean()),
        hard_last=float(hard[-quarter:].mean()),
        home_before=before,
        home_after=_test(members, weights),
    )


def _vote(members: Sequence[Member], weights: Sequence[Weights]) -> Ballots:
    probs = [_predict(member.stream, own) for member, own in zip(members, weights, strict=True)]
    return Ballots.from_probs(np.stack(probs, axis=1))


def _predict(features: csr_matrix, weights: Weights) -> FloatArray:
    logits = features @ weights.coef.T.astype(np.float64) + weights.intercept
    return softmax(logits.astype(np.float32))


def _learn(
    members: Sequence[Member], weights: Sequence[Weights], rows: GoldRows, answers: IntArray, pool: IntArray
) -> list[Weights]:
    learned = _to_rows(GoldRows(tuple(rows.texts[row] for row in pool), answers[pool]))
    identity = LabelMap(SENTIMENT, tuple(range(len(SENTIMENT))))
    models = [replace(member.model, weights=own) for member, own in zip(members, weights, strict=True)]
    return [refine_weights(model, identity, learned).weights for model in models]


def _test(members: Sequence[Member], weights: Sequence[Weights]) -> float:
    """Return the mean accuracy of the specialists, each on its own source."""
    shares = [
        float((_predict(member.home, own).argmax(axis=1) == member.home_gold).mean())
        for member, own in zip(members, weights, strict=True)
    ]
    return float(np.mean(shares))


def _to_rows(rows: GoldRows) -> list[TrainingRow]:
    return [TrainingRow(text, int(label)) for text, label in zip(rows.texts, rows.gold, strict=True)]
