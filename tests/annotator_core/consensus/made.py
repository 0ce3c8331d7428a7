"""Votes made up for the tests: specialists that are right more often than not, and some that abstain."""

import numpy as np

from annotator_core.consensus.aggregator import Ballots
from annotator_core.types import ABSTAIN


def make_votes(n=200, m=3, k=3, *, seed=0, right=0.7, abstain=0.1):
    """Ballots and gold: each specialist gives the true class more logit, so that it is right about that often."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, k, n)
    logits = rng.normal(size=(n, m, k)) + 2.5 * right * np.eye(k)[gold][:, None]
    probs = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    probs[rng.random((n, m)) < abstain] = np.nan
    return Ballots.from_probs(probs.astype(np.float32)), gold


def hide(gold, share, *, seed=0):
    """Gold of which only a share is known."""
    return np.where(np.random.default_rng(seed).random(len(gold)) < share, gold, ABSTAIN)


def permute(ballots, gold, *, seed=0):
    """The same rows and specialists in another order, and the orders."""
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(gold)), rng.permutation(ballots.n_specialists)
    cells = np.ix_(rows, columns)
    return Ballots(ballots.votes[cells], ballots.probs[cells]), gold[rows], rows, columns
