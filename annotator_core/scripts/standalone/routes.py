"""What becomes of each text: its label, and whether a person must see it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotator_core.scripts.standalone.aggregators import average, count_votes, pick_classes, predict
from annotator_core.scripts.standalone.values import (
    ABSTAIN,
    Ballots,
    Bools,
    Doubles,
    Floats,
    Ints,
    hash_text,
    number_text,
)


@dataclass(frozen=True)
class Formed:
    """What the pool thinks of n texts, each array (n,): class, its probability, margin before the next class, U.

    is_split: fewer agree than must, a tie, or nobody voted.
    """

    classes: Ints
    top: Floats
    score: Doubles
    uncertainty: Floats
    is_split: Bools


def form(plan: Mapping[str, Any], ballots: Ballots) -> Formed:
    """Return the pool's opinion under the plan's way to combine votes."""
    n_classes = len(plan["classes"])
    counts = count_votes(ballots.votes, n_classes)
    highest = counts.max(axis=1, initial=0)
    is_winner = (counts == highest[:, None]) & (highest[:, None] > 0)
    is_split = (is_winner.sum(axis=1) > 1) | (highest < max(int(plan["min_agree"]), 1))
    uncertainty = (1.0 - highest / max(ballots.votes.shape[1], 1)).astype(np.float32)
    mean = average(ballots.probs)
    classes, probs = _choose(plan, ballots, is_winner, mean)
    padded = np.sort(np.pad(np.nan_to_num(probs), ((0, 0), (1, 0))), axis=1)
    top = np.nan_to_num(probs)[np.arange(len(classes)), np.maximum(classes, 0)]
    top = np.where(classes == ABSTAIN, np.float32(0.0), top)
    score = np.asarray(padded[:, -1] - padded[:, -2], dtype=np.float64)
    if plan["score_digits"] is not None:
        score = np.array([round(one, plan["score_digits"]) for one in score.tolist()], dtype=np.float64)
    return Formed(classes, top, score, uncertainty, is_split)


def _choose(plan: Mapping[str, Any], ballots: Ballots, is_winner: Bools, mean: Floats) -> tuple[Ints, Floats]:
    """Return each text's class, and the probabilities whose margin is its score."""
    if plan["aggregation"] is not None:
        probs = predict(plan["aggregation"], ballots)
        return pick_classes(probs), probs
    if plan["combine"] == "average":
        return pick_classes(mean), mean
    # A tie goes to the tied class with the highest average probability.
    winner = np.argmax(np.where(is_winner, np.nan_to_num(mean), -1.0), axis=1).astype(np.int64)
    return np.where(is_winner.any(axis=1), winner, ABSTAIN), mean


def find_hard(plan: Mapping[str, Any], formed: Formed, texts: Sequence[str]) -> Bools:
    """Return which texts (n,) a second review must see: by budget, the run's cut, a threshold, or by agreement."""
    unvoted = formed.classes == ABSTAIN
    if plan["budget"] is not None:
        return _spend(formed.score, texts, unvoted, math.floor(plan["budget"] * len(texts) + 1e-9))
    if plan["cut"] is not None:
        border = (plan["cut"][0], plan["cut"][1])
        pairs = zip(formed.score.tolist(), texts, strict=True)
        return np.asarray(
            unvoted | np.array([(score, hash_text(text)) <= border for score, text in pairs], dtype=np.bool_)
        )
    if plan["threshold"] is not None:
        return np.asarray(unvoted | (formed.score < plan["threshold"]))
    return formed.is_split


def _spend(score: Doubles, texts: Sequence[str], unvoted: Bools, budget: int) -> Bools:
    """Return the least certain texts up to the budget, equal ones together; those without votes always, and first."""
    hard = unvoted.copy()
    left = budget - int(hard.sum())
    groups: dict[str, list[int]] = {}
    for row in np.flatnonzero(~hard).tolist():
        groups.setdefault(texts[row], []).append(row)
    # A group has its lowest score; equal ones go by their texts, so that the order of the rows changes nothing.
    ordered = sorted(groups, key=lambda text: (min(score[row] for row in groups[text]), number_text(text)))
    for rows in map(groups.__getitem__, ordered):
        if len(rows) <= left:
            hard[rows] = True
            left -= len(rows)
    return hard
