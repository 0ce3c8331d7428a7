"""Votes become one opinion a text: majority, average, and fitted aggregators from their numbers."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from annotator_core.scripts.standalone.values import ABSTAIN, Ballots, Bools, Doubles, Floats, Ints, Refused, has_voted

FLOOR: Final = 1e-6
"""The least probability in a logarithm."""
LEAN: Final = 1e-3
"""How much of the average stands in a vote's probabilities: enough to part ties, too little to outvote."""
RISE: Final = 1e-3
"""How much of the stated probability stays in an isotonic one."""


def pick_classes(probs: Floats) -> Ints:
    """Return the most probable class of each row, ABSTAIN for rows that are NaN: (..., k) gives (...)."""
    return np.where(has_voted(probs), np.argmax(probs, axis=-1), ABSTAIN).astype(np.int64)


def average(probs: Floats) -> Floats:
    """Return the mean (n, k) over the specialists that voted, NaN rows where nobody did: probs (n, m, k)."""
    voted = has_voted(probs)
    filled = np.sort(np.where(voted[:, :, None], probs, 0.0).astype(np.float64), axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((filled.sum(axis=1) / voted.sum(axis=1)[:, None]).astype(np.float32))


def count_votes(votes: Ints, n_classes: int) -> Ints:
    """Return how many specialists chose each class: votes (n, m) gives (n, k)."""
    return np.stack([(votes == index).sum(axis=1, dtype=np.int64) for index in range(n_classes)], axis=1)


def predict(state: Mapping[str, Any], ballots: Ballots) -> Floats:
    """Return the class probabilities (n, k) of a fitted aggregator, NaN rows where nobody voted.

    Raises Refused for one that was fitted on another pool, or that is unknown.
    """
    if "calibration" in state:
        return _calibrate(state["calibration"], predict(state["inner"], ballots))
    size = (state["n_specialists"], state["n_classes"])
    if size != ballots.probs.shape[1:]:
        raise Refused(f"The aggregator is fitted on {size} specialists and classes, not {ballots.probs.shape[1:]}.")
    if state["name"] not in _PREDICTORS:
        raise Refused(f"This script knows no aggregator {state['name']!r}.")
    return _PREDICTORS[state["name"]](state, ballots)


def _share(state: Mapping[str, Any], ballots: Ballots) -> Floats:
    counts = count_votes(ballots.votes, state["n_classes"])
    with np.errstate(invalid="ignore"):
        return _lean((counts / counts.sum(axis=1, keepdims=True)).astype(np.float32), ballots.probs)


def _lean(shares: Floats, probs: Floats) -> Floats:
    mean = average(probs)
    return np.asarray(((1.0 - LEAN) * shares + LEAN * np.where(np.isnan(mean), shares, mean)).astype(np.float32))


def _logs(probs: Floats | Doubles) -> Doubles:
    return np.asarray(np.log(np.maximum(probs.astype(np.float64), FLOOR)))


def _normalise(scores: Doubles, voted: Bools) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    probs[~voted] = np.nan
    return probs


def _spread(state: Mapping[str, Any]) -> tuple[Doubles, Doubles]:
    """Return an even prior (k,) and confusions (m, k, k) of specialists whose errors are spread evenly."""
    k, accuracies = state["n_classes"], np.array(state["accuracies"], dtype=np.float64)[:, None, None]
    same = np.eye(k)
    return np.full(k, 1.0 / k), same * accuracies + (1.0 - same) * (1.0 - accuracies) / max(k - 1, 1)


def _multiply(prior: Doubles, confusions: Doubles, ballots: Ballots) -> Floats:
    """Return the posterior of votes that are independent given the class; abstentions say nothing."""
    table = np.pad(_logs(confusions).transpose(0, 2, 1), ((0, 0), (0, 1), (0, 0)))
    # Specialists are summed in sorted order, so that the order of the pool changes nothing.
    parts = np.sort(table[np.arange(len(table)), ballots.votes], axis=1)
    return _normalise(parts.sum(axis=1) + _logs(prior), (ballots.votes != ABSTAIN).any(axis=1))


def _follow_one(state: Mapping[str, Any], ballots: Ballots) -> Floats:
    probs = ballots.probs[:, state["index"]].copy()
    silent = ~has_voted(probs)
    probs[silent] = average(ballots.probs[silent])
    return probs


def _weigh_votes(state: Mapping[str, Any], ballots: Ballots) -> Floats:
    return _lean(_multiply(*_spread(state), ballots), ballots.probs)


def _confuse(state: Mapping[str, Any], ballots: Ballots) -> Floats:
    return _multiply(np.array(state["prior"]), np.array(state["confusions"]), ballots)


def _stack(state: Mapping[str, Any], ballots: Ballots) -> Floats:
    mean, doubt = average(ballots.probs), float(state["doubt"])
    if doubt == 1.0:
        return mean
    voted = has_voted(ballots.probs)
    logs = _logs(np.where(voted[:, :, None], ballots.probs, 1.0 / max(ballots.probs.shape[2], 1)))
    features = np.concatenate([logs, ~voted[:, :, None]], axis=2)
    coef = np.array(state["coef"], dtype=np.float64)
    parts = np.zeros((*features.shape[:2], coef.shape[2]))
    for index in range(features.shape[2]):
        parts += features[:, :, index, None] * coef[None, :, index]
    logits = np.sort(parts, axis=1).sum(axis=1) + np.array(state["intercept"])
    stacked = _normalise(np.where(np.array(state["is_known"]) > 0, logits, -np.inf), np.asarray(voted.any(axis=1)))
    return stacked if doubt == 0.0 else ((1.0 - doubt) * stacked + doubt * mean).astype(np.float32)


_PREDICTORS: Final[Mapping[str, Callable[[Mapping[str, Any], Ballots], Floats]]] = {
    "average": lambda _state, ballots: average(ballots.probs),
    "majority": _share,
    "best_single": _follow_one,
    "stacker": _stack,
    "weighted_majority": _weigh_votes,
    "dawid_skene": _confuse,
    "naive_bayes": _confuse,
}


def _calibrate(stored: Mapping[str, Any], probs: Floats) -> Floats:
    if stored["method"] == "temperature":
        return _normalise(_logs(np.nan_to_num(probs)) / float(stored["temperature"]), has_voted(probs))
    if stored["method"] == "isotonic":
        return _step(probs, np.array(stored["knots"], dtype=np.float64))
    return probs


def _step(probs: Floats, knots: Doubles) -> Floats:
    """Return probabilities whose top one is corrected by knots (2, t), and the others share the rest as before."""
    voted, rows = has_voted(probs), np.arange(len(probs))
    filled = np.where(voted[:, None], probs, 1.0 / probs.shape[1]).astype(np.float64)
    winner = np.maximum(pick_classes(probs), 0)
    top = filled[rows, winner]
    filled[rows, winner] = 0.0
    rest = filled.sum(axis=1)
    shares = np.divide(filled, rest[:, None], out=np.zeros_like(filled), where=rest[:, None] > 0)
    wanted = (1.0 - RISE) * np.interp(top, knots[0], knots[1]) + RISE * top
    least = shares.max(axis=1) / (1.0 + shares.max(axis=1))
    corrected = np.where(rest > 0, np.maximum(wanted, least + RISE * (1.0 - least) * top), 1.0)
    spread = shares * (1.0 - corrected)[:, None]
    spread[rows, winner] = corrected
    return np.where(voted[:, None], spread, np.nan).astype(np.float32)
