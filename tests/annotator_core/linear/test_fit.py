"""The fit: scikit-learn's weights from zero, the start where it is held, the loss through a label map."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from annotator_core.linear.fit import Problem, find_penalty, fit_weights, mark_meant
from annotator_core.linear.model import Weights

RNG = np.random.default_rng(3)
FEATURES = csr_matrix(RNG.normal(size=(60, 8)) * (RNG.random((60, 8)) < 0.6))
GOLD = (FEATURES.toarray() @ RNG.normal(size=(8, 3)) + RNG.normal(size=(60, 3))).argmax(axis=1)


def make_problem(gold: np.ndarray = GOLD, targets: tuple[int, ...] = (0, 1, 2), **changes: object) -> Problem:
    n_labels = len(targets)
    settings = {
        "features": FEATURES,
        "is_meant": mark_meant(gold, np.array(targets)),
        "row_weights": np.ones(len(gold)),
        "start": Weights(np.zeros((n_labels, 8), dtype=np.float32), np.zeros(n_labels, dtype=np.float32)),
        "penalty": 0.5,
        "intercept_penalty": 0.0,
    }
    return Problem(**(settings | changes))


def make_start(n_labels: int = 3) -> Weights:
    rng = np.random.default_rng(5)
    return Weights(rng.normal(size=(n_labels, 8)).astype(np.float32), rng.normal(size=n_labels).astype(np.float32))


def fit_peer(gold: np.ndarray, features: object = FEATURES, **settings: object):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(tol=1e-8, max_iter=2_000, **settings).fit(features, gold)


@pytest.mark.parametrize("strength", [0.3, 2.0, 10.0])
def test_fit_from_zero_equals_logistic_regression(strength: float) -> None:
    fitted = fit_weights(make_problem(penalty=find_penalty(strength, 3))).weights
    peer = fit_peer(GOLD, C=strength)
    assert np.abs(fitted.coef - peer.coef_).max() < 2e-3
    assert np.abs(fitted.intercept - peer.intercept_).max() < 2e-3


def test_fit_of_two_labels_equals_logistic_regression() -> None:
    gold = (GOLD > 0).astype(np.int64)
    fitted = fit_weights(make_problem(gold, (0, 1), penalty=find_penalty(2.0, 2))).weights
    peer = fit_peer(gold, C=2.0)
    assert np.abs(fitted.coef[1] - fitted.coef[0] - peer.coef_[0]).max() < 2e-3
    assert abs(fitted.intercept[1] - fitted.intercept[0] - peer.intercept_[0]) < 2e-3


def test_fit_with_held_intercepts_equals_a_column_of_ones() -> None:
    fitted = fit_weights(make_problem(intercept_penalty=0.5)).weights
    ones = np.hstack([FEATURES.toarray(), np.ones((60, 1))])
    peer = fit_peer(GOLD, ones, C=2.0, fit_intercept=False)
    assert np.abs(np.column_stack([fitted.coef, fitted.intercept]) - peer.coef_).max() < 2e-3


def test_fit_with_row_weights_equals_logistic_regression() -> None:
    row_weights = np.linspace(0.1, 2.0, 60)
    fitted = fit_weights(make_problem(row_weights=row_weights)).weights
    from sklearn.linear_model import LogisticRegression

    peer = LogisticRegression(tol=1e-8, max_iter=2_000, C=2.0).fit(FEATURES, GOLD, sample_weight=row_weights)
    assert np.abs(fitted.coef - peer.coef_).max() < 2e-3


def test_fit_held_firmly_stays_at_its_start() -> None:
    start = make_start()
    fitted = fit_weights(make_problem(start=start, penalty=1e6, intercept_penalty=1e6)).weights
    assert np.abs(fitted.coef - start.coef).max() < 1e-3
    assert np.abs(fitted.intercept - start.intercept).max() < 1e-3


def test_fit_leaves_columns_without_rows_as_they_were() -> None:
    start = make_start()
    features = FEATURES.toarray()
    features[:, 2] = 0.0
    fitted = fit_weights(make_problem(start=start, features=csr_matrix(features))).weights
    assert np.array_equal(fitted.coef[:, 2], start.coef[:, 2])
    assert not np.array_equal(fitted.coef[:, 3], start.coef[:, 3])


def test_fit_losses_fall_and_are_reported() -> None:
    seen: list[tuple[int, float]] = []
    fitted = fit_weights(make_problem(), lambda number, loss: seen.append((number, loss)))
    assert fitted.losses[0] == pytest.approx(np.log(3))
    assert list(fitted.losses) == sorted(fitted.losses, reverse=True)
    assert seen == list(enumerate(fitted.losses))[1:]


def test_fit_through_a_label_map_minimises_the_loss_of_the_summed_labels() -> None:
    """Labels 0 and 1 both mean class 0: at the optimum no small step lowers -log of their sum."""
    gold = (GOLD > 0).astype(np.int64)
    start = make_start()
    fitted = fit_weights(make_problem(gold, (0, 0, 1), start=start, intercept_penalty=0.5))

    def objective(coef: np.ndarray, intercept: np.ndarray) -> float:
        logits = FEATURES @ coef.T + intercept
        probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        right = np.where(gold == 0, probs[:, 0] + probs[:, 1], probs[:, 2])
        held = 0.25 * (((coef - start.coef) ** 2).sum() + ((intercept - start.intercept) ** 2).sum())
        return float((-np.log(right).sum() + held) / 60)

    coef, intercept = fitted.weights.coef.astype(np.float64), fitted.weights.intercept.astype(np.float64)
    best = objective(coef, intercept)
    assert best == pytest.approx(fitted.losses[-1], abs=1e-6)
    steps = np.random.default_rng(0).normal(size=(20, 3, 8)) * 0.05
    assert all(objective(coef + step, intercept) > best for step in steps)


def test_fit_is_the_same_to_the_bit() -> None:
    one, two = fit_weights(make_problem()).weights, fit_weights(make_problem()).weights
    assert np.array_equal(one.coef, two.coef)
