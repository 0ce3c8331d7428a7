"""The whole chain of fit and certify on simulated data: it keeps its promise, and what it simulates is what it says."""

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.opinion import opinion
from annotator_core.consensus.race import run_race
from annotator_core.consensus.table import fit_aggregator
from annotator_core.contract.simulate import (
    Group,
    Outcome,
    Scenario,
    Tally,
    allowed_violations,
    judge,
    pool_average,
    run_chain,
    simulate_rows,
    tally,
)
from annotator_core.errors import BadInput

EVEN = Scenario("one kind of rows", (0.5, 0.3, 0.2), (Group(1.0, (2.0, 1.5, 1.0)),))
MIXED = Scenario(
    "a mixture",
    (0.4, 0.3, 0.3),
    (Group(0.5, (4.0, 3.5, 3.0)), Group(0.3, (2.0, 1.0, 1.5)), Group(0.2, (0.3, 0.5, 0.0), 0.7)),
)
RARE = Scenario("rare classes", (0.92, 0.05, 0.03), (Group(0.6, (3.0, 2.5, 2.0)), Group(0.4, (1.0, 0.5, 0.5))), 3.0)


def fit_by(aggregator: str):
    def fit(probs: np.ndarray, gold: np.ndarray):
        ballots = Ballots.from_probs(probs)
        fitted = run_race(ballots, gold).fitted if aggregator == "race" else fit_aggregator(aggregator, ballots, gold)

        def label(rows: np.ndarray):
            found = opinion(fitted.predict(Ballots.from_probs(rows)))
            return found.classes, found.score

        return label

    return fit


@pytest.mark.parametrize("scenario", [EVEN, MIXED, RARE], ids=lambda scenario: scenario.name)
@pytest.mark.parametrize(("aggregator", "repeats"), [("naive_bayes", 600), ("stacker", 15), ("race", 4)])
def test_the_whole_chain_keeps_its_promise(scenario: Scenario, aggregator: str, repeats: int) -> None:
    population = simulate_rows(scenario, 5_000, seed=3)
    found = [
        run_chain(population, fit_by(aggregator), audit_rows=300, targets=(0.05, 0.1), seed=seed)
        for seed in range(repeats)
    ]
    for outcomes in zip(*found, strict=True):
        assert tally(outcomes).violations <= allowed_violations(repeats)


def test_a_chain_that_asks_for_too_little_is_seen_to_break_its_promise() -> None:
    # The control: a third of the confidence, judged as if it were the whole.
    population = simulate_rows(MIXED, 5_000, seed=3)
    outcomes = [
        run_chain(population, fit_by("naive_bayes"), audit_rows=300, targets=(0.15,), confidence=0.3, seed=seed)[0]
        for seed in range(200)
    ]
    assert tally(outcomes).violations > allowed_violations(200)


def test_a_chain_that_fits_on_what_certifies_breaks_its_promise() -> None:
    # The control: labels learned by heart from all audited rows are certified by the same rows.
    population = simulate_rows(EVEN, 3_000, seed=4)
    drawn = np.random.default_rng(0).permutation(3_000)[:300]
    classes, scores = pool_average(population.probs, population.gold)(population.probs)
    classes[drawn], scores[drawn] = population.gold[drawn], 1.0

    def by_heart(_probs: np.ndarray, _gold: np.ndarray):
        return lambda _rows: (classes, scores)

    (outcome,) = run_chain(population, by_heart, audit_rows=300, targets=(0.05,), seed=0)
    assert outcome.is_violation


def test_simulated_specialists_are_as_skilled_as_their_group() -> None:
    rows = simulate_rows(EVEN, 20_000, seed=1)
    right = [(rows.probs[:, index].argmax(axis=1) == rows.gold).mean() for index in range(3)]
    # By hand, k = 3: P(best of three) = E[Phi(z + skill)^2] over a normal z.
    z = np.random.default_rng(0).normal(size=(200_000, 3))
    expected = [((z[:, [0]] + skill) > z[:, 1:]).all(axis=1).mean() for skill in (2.0, 1.5, 1.0)]
    assert right == pytest.approx(expected, abs=0.012)
    assert np.bincount(rows.gold) / 20_000 == pytest.approx([0.5, 0.3, 0.2], abs=0.012)
    assert rows.probs.sum(axis=2) == pytest.approx(1.0, abs=1e-5)


def test_simulated_mistakes_are_shared() -> None:
    def unanimous_and_wrong(shared: float) -> float:
        rows = simulate_rows(Scenario("", (0.5, 0.5), (Group(1.0, (1.0, 1.0, 1.0), shared),)), 5_000, seed=2)
        return float((rows.probs.argmax(axis=2) != rows.gold[:, None]).all(axis=1).mean())

    assert unanimous_and_wrong(0.9) > 3 * unanimous_and_wrong(0.0)


def test_equal_seeds_give_equal_rows() -> None:
    one, same, other = (simulate_rows(MIXED, 50, seed=seed) for seed in (5, 5, 6))
    assert one.probs.tobytes() == same.probs.tobytes() != other.probs.tobytes()


def test_judge_looks_at_all_rows() -> None:
    scores, is_right = np.array([0.9, 0.8, 0.7, 0.1], np.float32), np.array([True, False, True, True])
    assert judge(scores, is_right, 0.7, 0.3) == Outcome(0.75, pytest.approx(1 / 3), True)
    assert judge(scores, is_right, None, 0.3) == judge(scores, is_right, 0.95, 0.3) == Outcome(0.0, 0.0, False)


def test_tally_counts_by_hand() -> None:
    outcomes = [Outcome(0.5, 0.2, True), Outcome(0.0, 0.0, False), Outcome(0.7, 0.1, False)]
    assert tally(outcomes) == Tally(3, 1, 1, pytest.approx(0.4), pytest.approx(0.15))
    assert tally([Outcome(0.0, 0.0, False)]) == Tally(1, 0, 1, 0.0, 0.0)


def test_allowed_violations_by_hand() -> None:
    # 50 + 3 sqrt(47.5) = 70.7; 10 + 3 sqrt(9) = 19 of 100 at 90%.
    assert (allowed_violations(1_000), allowed_violations(100, 0.9)) == (70, 19)


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario("classes", (0.5, 0.4), (Group(1.0, (1.0,)),)),
        Scenario("groups", (0.5, 0.5), (Group(0.9, (1.0,)),)),
        Scenario("specialists", (0.5, 0.5), (Group(0.5, (1.0,)), Group(0.5, (1.0, 2.0)))),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(scenario: Scenario) -> None:
    with pytest.raises(BadInput, match=scenario.name):
        simulate_rows(scenario, 10, seed=0)


@pytest.mark.parametrize("audit_rows", [2, 51])
def test_an_audit_that_cannot_be_drawn_is_refused(audit_rows: int) -> None:
    with pytest.raises(BadInput, match="cannot be drawn from 50"):
        run_chain(simulate_rows(EVEN, 50, seed=0), pool_average, audit_rows=audit_rows, targets=(0.05,))


def test_no_audits_cannot_be_summed_up() -> None:
    with pytest.raises(BadInput, match="at least one"):
        tally([])
