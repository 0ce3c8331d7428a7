"""Votes of crowds, language models and specialists as they are stored, as ballots and gold."""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator_core.consensus.aggregator import Ballots
from annotator_core.types import ABSTAIN

DATASETS = Path(os.environ.get("AUTOANNOTATOR_DATASETS", Path(__file__).resolve().parents[2] / "shared" / "data"))
FLAN = ("flan-t5-large", "flan-t5-base", "flan-t5-xl")
TWEETS = {
    "tweets a, b, c": ("sent_tweets_a", "sent_tweets_b", "sent_tweets_c"),
    "a, airline, reviews": ("sent_tweets_a", "sent_airline", "sent_reviews"),
    "a, reviews, finance": ("sent_tweets_a", "sent_reviews", "sent_finance"),
    "a, b, c, airline, reviews": (
        "sent_tweets_a",
        "sent_tweets_b",
        "sent_tweets_c",
        "sent_airline",
        "sent_reviews",
    ),
}


@dataclass(frozen=True)
class Stored:
    """Ballots (n, m, k), gold (n,) and the voters' names."""

    name: str
    ballots: Ballots
    gold: np.ndarray
    voters: tuple[str, ...]

    def pick(self, names, title):
        """These voters alone, in this order."""
        columns = [self.voters.index(name) for name in names]
        ballots = Ballots(self.ballots.votes[:, columns], self.ballots.probs[:, columns])
        return Stored(title, ballots, self.gold, tuple(names))

    def answers_of(self, name):
        """One voter's answers (n,)."""
        return self.ballots.votes[:, self.voters.index(name)]


def read(name):
    """The stored votes of a shared set; votes with probabilities keep them."""
    items, votes = _rows(DATASETS / name / "items.csv"), _rows(DATASETS / name / "votes.csv")
    classes = sorted({row["label"] for row in [*items, *votes]} - {""})
    places = {row["id"]: index for index, row in enumerate(items)}
    voters = tuple(dict.fromkeys(row["annotator"] for row in votes))
    columns = {voter: index for index, voter in enumerate(voters)}
    answers = np.full((len(items), len(voters)), ABSTAIN)
    probs = np.full((*answers.shape, len(classes)), np.nan, dtype=np.float32)
    for row in votes:
        cell = places[row["item"]], columns[row["annotator"]]
        if row["label"]:
            answers[cell] = classes.index(row["label"])
        if f"p_{classes[0]}" in row:
            probs[cell] = [float(row[f"p_{label}"]) for label in classes]
    gold = np.array([classes.index(row["label"]) for row in items])
    has_probs = np.isfinite(probs).any()
    ballots = Ballots(answers, probs) if has_probs else Ballots.from_votes(answers, len(classes))
    return Stored(name, ballots, gold, voters)


def pools():
    """The pools that a run could have: four of real specialists on tweets, three of stored language models."""
    tweets = read("specialist_votes_tweets")
    specialists = [tweets.pick(names, title) for title, names in TWEETS.items()]
    tasks = {task: read(f"llm_votes_{task}") for task in ("emotion", "stance", "implicit_hate")}
    return [*specialists, *(stored.pick(FLAN, f"flan-t5, {task}") for task, stored in tasks.items())]


def draw_audit(stored, size, seed):
    """Gold (n,) of which `size` rows, drawn at random, are known."""
    rows = np.random.default_rng(seed).choice(len(stored.gold), size, replace=False)
    known = np.full(len(stored.gold), ABSTAIN)
    known[rows] = stored.gold[rows]
    return known


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
