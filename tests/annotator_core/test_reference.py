"""The engine on stored votes of real specialists (3,522 tweets): the figures measured apart from it must come out."""

import csv

import numpy as np
import pytest

from annotator_core.consensus.average import average_probs, pick_classes
from annotator_core.consensus.majority import vote_majority
from annotator_core.routing import hard_by_agreement, hard_by_budget

CLASSES = ("negative", "neutral", "positive")
TWEETS = ("sent_tweets_a", "sent_tweets_b", "sent_tweets_c")
MIXED = ("sent_tweets_a", "sent_airline", "sent_reviews")
BAD_VOTER = ("sent_tweets_a", "sent_reviews", "sent_finance")


@pytest.fixture(scope="module")
def stored(needs_datasets):
    folder = needs_datasets / "specialist_votes_tweets"
    with (folder / "items.csv").open(encoding="utf-8", newline="") as file:
        gold = {row["id"]: CLASSES.index(row["label"]) for row in csv.DictReader(file)}
    probs = {}
    with (folder / "votes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            probs[row["annotator"], row["item"]] = [float(row[f"p_{name}"]) for name in CLASSES]
    return gold, probs


@pytest.fixture
def vote(stored):
    def of(pool):
        gold, probs = stored
        table = np.array([[probs[name, item] for name in pool] for item in gold], dtype=np.float32)
        return np.array(list(gold.values())), pick_classes(table), table

    return of


@pytest.mark.parametrize(
    ("pool", "majority", "average", "hard", "agreed"),
    [
        (TWEETS, 0.658, 0.660, 0.244, 0.725),
        (MIXED, 0.635, 0.638, 0.450, 0.752),
        (BAD_VOTER, None, 0.704, 0.978, 0.886),  # a quarter are three-way ties, which were broken otherwise there
    ],
)
def test_majority_average_and_hard_share_are_those_measured_before(vote, pool, majority, average, hard, agreed):
    gold, votes, table = vote(pool)
    by_majority = vote_majority(votes, 3, table)
    is_hard = hard_by_agreement(by_majority.counts, by_majority.is_tie, 3)
    right = by_majority.classes == gold
    if majority is not None:
        assert right.mean() == pytest.approx(majority, abs=0.006)  # three-way ties are broken by probability here
    assert (average_probs(table).classes == gold).mean() == pytest.approx(average, abs=0.001)
    assert is_hard.mean() == pytest.approx(hard, abs=0.001)
    assert right[~is_hard].mean() == pytest.approx(agreed, abs=0.001)


@pytest.mark.parametrize(
    ("budget", "accuracy"), [(0.05, 0.670), (0.1, 0.703), (0.2, 0.759), (0.3, 0.808), (0.5, 0.895)]
)
def test_a_person_on_the_smallest_margins_reaches_what_was_measured_before(vote, budget, accuracy):
    gold, _votes, table = vote(MIXED)
    average = average_probs(table)
    hard = hard_by_budget(average.score, np.arange(len(gold)), budget)
    assert hard.sum() == int(budget * len(gold))
    assert np.where(hard, True, average.classes == gold).mean() == pytest.approx(accuracy, abs=0.003)
