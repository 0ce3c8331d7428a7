"""The weights of logistic regression, held near where they start.

Source: engine section 8: -log of the sum of p(l) over the labels l that map to the row's class, plus
penalty / 2 x ||W - W_start||^2. From W_start = 0 with free intercepts this is scikit-learn's LogisticRegression with
C = 1 / penalty (2 / penalty for two labels, where scikit-learn has one row of weights).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.linear.model import Weights

MAX_ITERATIONS: Final = 300
"""Chosen: a hundred rows need 20 to 60."""
_GRADIENT: Final = 1e-6
_DECREASE: Final = 1e-11
"""L-BFGS ends where the mean loss falls by less than this share; chosen, for probabilities exact to 1e-4."""
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be learned.

    features (n, d), sparse. is_meant (n, labels): which labels are right for the row, at least one. row_weights (n,).
    start: where the weights start and are held to. penalty, intercept_penalty: how firmly, 0 or more.
    """

    features: csr_matrix
    is_meant: BoolArray
    row_weights: Array
    start: Weights
    penalty: float
    intercept_penalty: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learned, and the objective in nats per row, penalty included: at the start and after each iteration."""

    weights: Weights
    losses: tuple[float, ...]


def find_penalty(strength: float, n_labels: int) -> float:
    """Return the penalty, above 0, at which scikit-learn's C is that strength, above 0."""
    return (2.0 if n_labels == 2 else 1.0) / strength


def mark_meant(class_index: IntArray, targets: IntArray) -> BoolArray:
    """Return which labels (n, labels) are right: those whose target (labels,) is the row's class (n,)."""
    meant: BoolArray = class_index[:, None] == targets[None, :]
    return meant


def fit_weights(problem: Problem, on_iteration: Callable[[int, float], None] | None = None) -> Fitted:
    """Return the weights of the lowest objective; on_iteration gets each iteration's number from 1 and its objective.

    Columns that no row has keep their weights, so only the others are computed.
    """
    columns = np.unique(problem.features.indices)
    objective = _Objective(problem, columns)
    losses = [objective(np.zeros(objective.size))[0]]

    def follow(intermediate_result: OptimizeResult) -> None:
        losses.append(float(intermediate_result.fun))
        if on_iteration:
            on_iteration(len(losses) - 1, losses[-1])

    options = {"maxiter": MAX_ITERATIONS, "gtol": _GRADIENT, "ftol": _DECREASE, "maxcor": 20}
    start = np.zeros(objective.size)
    with threadpool_limits(limits=1):  # many small products: on two threads they took ten times as long
        best = minimize(objective, start, jac=True, method="L-BFGS-B", callback=follow, options=options)
    coef_step, intercept_step = objective.split(best.x)
    coef = problem.start.coef.astype(np.float64)
    coef[:, columns] += coef_step
    intercept = problem.start.intercept + intercept_step
    return Fitted(Weights(_narrow(coef), _narrow(intercept)), tuple(losses))


class _Objective:
    """The mean loss and its gradient at a step away from the start."""

    def __init__(self, problem: Problem, columns: IntArray) -> None:
        self._problem = problem
        self._features = problem.features[:, columns]
        self._turned = csr_matrix(self._features.T)
        self._base = problem.features @ problem.start.coef.astype(np.float64).T + problem.start.intercept
        self._n_labels = len(problem.start.intercept)
        self._total = float(problem.row_weights.sum())
        self.size = self._n_labels * (len(columns) + 1)

    def split(self, step: Array) -> tuple[Array, Array]:
        rows = step.reshape(self._n_labels, -1)
        return rows[:, :-1], rows[:, -1]

    def __call__(self, step: Array) -> tuple[float, Array]:
        coef, intercept = self.split(step)
        losses, slopes = _differ(self._base + self._features @ coef.T + intercept, self._problem.is_meant)
        weighted = slopes * self._problem.row_weights[:, None]
        held = self._problem.penalty * np.square(coef).sum()
        held += self._problem.intercept_penalty * np.square(intercept).sum()
        gradient = np.empty((self._n_labels, coef.shape[1] + 1))
        gradient[:, :-1] = (self._turned @ weighted).T + self._problem.penalty * coef
        gradient[:, -1] = weighted.sum(axis=0) + self._problem.intercept_penalty * intercept
        value = float(losses @ self._problem.row_weights + held / 2)
        return value / self._total, gradient.ravel() / self._total


def _differ(logits: Array, is_meant: BoolArray) -> tuple[Array, Array]:
    """Return each row's loss (n,) in nats and its slope (n, labels) by the logits."""
    log_all, probs = _normalise(logits)
    log_meant, meant = _normalise(np.where(is_meant, logits, -np.inf))
    return log_all - log_meant, probs - meant


def _normalise(logits: Array) -> tuple[Array, Array]:
    """Return the log of the sum of powers (n,) and the softmax (n, labels)."""
    top = logits.max(axis=1, keepdims=True)
    powers = np.exp(logits - top)
    sums = powers.sum(axis=1, keepdims=True)
    return (top + np.log(sums)).ravel(), powers / sums


def _narrow(array: Array) -> FloatArray:
    return array.astype(np.float32)
