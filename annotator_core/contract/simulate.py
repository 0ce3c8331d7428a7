"""The promise put to the test: fit on one third of a simulated audit, certify on the rest, look at the whole truth.

A scenario is a mixture of groups of rows (domains, lengths, dialects) in which the specialists differ in skill, with
classes as rare as one likes; mistakes are shared between specialists, so unanimous rows can be wrong.

Source: engine section 6, the property test over the whole chain of fit and certify.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.contract.certify import certify
from annotator_core.errors import BadInput

Label = Callable[[FloatArray], tuple[IntArray, FloatArray]]
"""Probabilities (n, m, k) to class indices (n,) and scores (n,): the higher, the surer."""
Fit = Callable[[FloatArray, IntArray], Label]
"""Probabilities (n, m, k) and gold (n,) of the fitting rows to what labels all others."""


@dataclass(frozen=True, slots=True)
class Group:
    """A kind of rows: its share of all, and each specialist's skill on it in logits, 0 chance to 4 nearly always right.

    shared: how much of the noise the specialists have in common, 0 to 1.
    """

    share: float
    skills: tuple[float, ...]
    shared: float = 0.3


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated. class_shares (k,) add to 1; sharpness above 1 makes specialists overconfident."""

    name: str
    class_shares: tuple[float, ...]
    groups: tuple[Group, ...]
    sharpness: float = 1.0


@dataclass(frozen=True, slots=True)
class Population:
    """All rows of a simulated data set: probs (n, m, k) as specialists give them, gold (n,) class indices."""

    probs: FloatArray
    gold: IntArray


@dataclass(frozen=True, slots=True)
class Outcome:
    """One audit: the share of rows accepted and the share of them that is wrong, in truth; both 0 where none is."""

    accepted_share: float
    true_error: float
    is_violation: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Many audits: how many promised too much, how many nothing, the mean share accepted, and the mean error in it.

    true_error: over the audits that accepted anything, 0 where none did.
    """

    repeats: int
    violations: int
    refusals: int
    accepted_share: float
    true_error: float


def simulate_rows(scenario: Scenario, n_rows: int, *, seed: int) -> Population:
    """Return that many rows of the scenario, in random order; equal seeds give equal rows.

    Raises BadInput where groups have different numbers of specialists or shares do not add to 1.
    """
    _check(scenario)
    rng = np.random.default_rng(seed)
    k = len(scenario.class_shares)
    gold = rng.choice(k, size=n_rows, p=scenario.class_shares)
    group = rng.choice(len(scenario.groups), size=n_rows, p=[each.share for each in scenario.groups])
    skills = np.array([each.skills for each in scenario.groups])[group]
    shared = np.array([each.shared for each in scenario.groups])[group][:, None, None]
    own, common = rng.normal(size=(n_rows, skills.shape[1], k)), rng.normal(size=(n_rows, 1, k))
    noise = np.sqrt(shared) * common + np.sqrt(1.0 - shared) * own
    logits = scenario.sharpness * (skills[:, :, None] * np.eye(k)[gold][:, None, :] + noise)
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    return Population((powers / powers.sum(axis=2, keepdims=True)).astype(np.float32), gold)


def pool_average(_probs: FloatArray, _gold: IntArray) -> Label:
    """Return the fit that learns nothing: the averaged probability's class (n,), and its margin (n,) as the score."""

    def label(probs: FloatArray) -> tuple[IntArray, FloatArray]:
        mean = probs.mean(axis=1)
        ordered = np.sort(mean, axis=1)
        return mean.argmax(axis=1), ordered[:, -1] - ordered[:, -2]

    return label


def run_chain(
    population: Population,
    fit: Fit,
    *,
    audit_rows: int,
    targets: Sequence[float],
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[Outcome, ...]:
    """Return what one random audit of the population leads to, at each target error: a third fits, the others certify.

    targets: errors, 0 to 1. Each promise is judged alone, on all rows of the population. Raises BadInput for an audit
    larger than the population, or a target or confidence outside 0 to 1.
    """
    if not 3 <= audit_rows <= len(population.gold):
        raise BadInput(f"An audit of {audit_rows} rows cannot be drawn from {len(population.gold)}.")
    drawn = np.random.default_rng(seed).permutation(len(population.gold))[:audit_rows]
    fitting, certifying = np.split(drawn, [audit_rows // 3])
    label = fit(population.probs[fitting], population.gold[fitting])
    classes, scores = label(population.probs)
    is_right = classes == population.gold
    found = (
        certify(scores[certifying], is_right[certifying], target_error=target, confidence=confidence)
        for target in targets
    )
    return tuple(judge(scores, is_right, each.threshold, target) for each, target in zip(found, targets, strict=True))


def judge(scores: FloatArray, is_right: BoolArray, threshold: float | None, target_error: float) -> Outcome:
    """Return what accepting all rows (n,) that score at least threshold means in truth; nothing where it is None.

    A share of wrong ones above target_error, 0 to 1, is a violation.
    """
    if threshold is None or not (accepted := scores >= threshold).any():
        return Outcome(0.0, 0.0, False)
    error = float(1.0 - is_right[accepted].mean())
    return Outcome(float(accepted.mean()), error, error > target_error)


def tally(outcomes: Sequence[Outcome]) -> Tally:
    """Return the sum of many audits. Raises BadInput where there is none."""
    if not outcomes:
        raise BadInput("There is no audit to sum up: run at least one.")
    errors = [each.true_error for each in outcomes if each.accepted_share > 0.0]
    return Tally(
        repeats=len(outcomes),
        violations=sum(each.is_violation for each in outcomes),
        refusals=sum(each.accepted_share == 0.0 for each in outcomes),
        accepted_share=float(np.mean([each.accepted_share for each in outcomes])),
        true_error=float(np.mean(errors)) if errors else 0.0,
    )


def allowed_violations(repeats: int, confidence: float = 0.95) -> int:
    """Return how many of the repeats may break a promise that holds: R d + 3 sqrt(R d (1 - d)), d = 1 - confidence.

    confidence: 0 to 1.

    Source: engine section 6; three standard deviations of a binomial above what is promised.

    >>> allowed_violations(1000)
    70
    """
    risk = 1.0 - confidence
    return math.floor(repeats * risk + 3.0 * math.sqrt(repeats * risk * (1.0 - risk)) + 1e-9)


def _check(scenario: Scenario) -> None:
    shares = (sum(scenario.class_shares), sum(each.share for each in scenario.groups))
    if any(not math.isclose(total, 1.0, abs_tol=1e-9) for total in shares):
        raise BadInput(f"The shares of classes and of groups in {scenario.name!r} must each add to 1.")
    if len({len(each.skills) for each in scenario.groups}) != 1:
        raise BadInput(f"Each group of {scenario.name!r} must name the same specialists.")
