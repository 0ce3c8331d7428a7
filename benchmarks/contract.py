"""The accuracy contract: does the promise hold in 1,000 audits, and what does it save on stored votes?

The whole chain is run: a third of each audit fits, two thirds certify, and the promise is judged on all rows.
"""

import math
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.opinion import opinion
from annotator_core.consensus.race import run_race
from annotator_core.consensus.table import fit_aggregator
from annotator_core.contract.certify import certify
from annotator_core.contract.plan import plan_audit, rows_needed
from annotator_core.contract.simulate import (
    Group,
    Population,
    Scenario,
    allowed_violations,
    judge,
    run_chain,
    simulate_rows,
    tally,
)
from annotator_core.types import ABSTAIN
from benchmarks.report import table, write
from benchmarks.stored_votes import pools, read

REPEATS, ROWS, AUDIT = 1_000, 6_000, 500
STORED_REPEATS, LOOKERS = 60, 200
TARGETS, STORED_TARGETS = (0.05, 0.1), (0.05, 0.1, 0.2)
NAIVE = 0.9
SCENARIOS = (
    Scenario("one kind of rows, even classes", (1 / 3, 1 / 3, 1 / 3), (Group(1.0, (2.5, 2.0, 1.5)),)),
    Scenario(
        "a mixture of three kinds of rows",
        (0.4, 0.3, 0.3),
        (Group(0.5, (4.5, 4.0, 3.5)), Group(0.3, (2.0, 1.0, 1.5)), Group(0.2, (0.3, 0.5, 0.0), 0.7)),
    ),
    Scenario(
        "a mixture, classes of 90, 7 and 3%",
        (0.9, 0.07, 0.03),
        (Group(0.6, (3.0, 2.5, 2.0)), Group(0.4, (1.0, 0.5, 0.5))),
    ),
    Scenario(
        "two classes, overconfident, mistakes shared",
        (0.75, 0.25),
        (Group(0.6, (3.0, 2.0, 2.0), 0.6), Group(0.4, (0.5, 0.5, 1.0), 0.8)),
        3.0,
    ),
)
FITS = ("stacker", "race")
TASKS = ("emotion", "stance", "implicit_hate")
CURVES = {
    "a little too bad everywhere": lambda scores: np.full_like(scores, 0.0505),
    "a cliff behind good rows": lambda scores: np.where(scores > 0.7, 0.045, 0.2),
    "the surest rows are the worst": lambda scores: np.where(scores > 0.9, 0.08, 0.049),
    "waves around the target": lambda scores: 0.054 + 0.05 * np.sin(40 * scores),
    "three voters, two values": lambda scores: np.where(scores >= 1.0, 0.0505, 0.3),
}


def main():
    """Writes docs/benchmarks/contract.md."""
    with ProcessPoolExecutor() as workers:
        parts = [_chains(workers), _hard_cases(workers), _looks(workers), _stored(workers), _planned(workers)]
    write("contract", "The accuracy contract", "\n\n".join(parts))


def fit_by(aggregator):
    """A fit for the simulation: an aggregator by name, or the race's winner."""

    def fit(probs, gold):
        ballots = Ballots.from_probs(probs)
        fitted = run_race(ballots, gold).fitted if aggregator == "race" else fit_aggregator(aggregator, ballots, gold)

        def label(rows):
            found = opinion(fitted.predict(Ballots.from_probs(rows)))
            return found.classes, np.where(found.classes == ABSTAIN, np.float32(np.nan), found.score)

        return label

    return fit


def _some_chains(task):
    population, aggregator, audit, targets, seeds = task
    fit = fit_by(aggregator)
    return [run_chain(population, fit, audit_rows=audit, targets=targets, seed=seed) for seed in seeds]


def _run(workers, repeats, *plan):
    """The outcomes of all repeats, a tuple a target."""
    parts = [(*plan, range(low, min(low + 25, repeats))) for low in range(0, repeats, 25)]
    return zip(*(one for part in workers.map(_some_chains, parts) for one in part), strict=True)


def _shown(outcomes):
    found = tally(outcomes)
    return [
        f"{found.violations} of {found.repeats}",
        found.refusals,
        f"{found.accepted_share:.1%}",
        f"{found.true_error:.1%}",
    ]


def _chains(workers):
    rows = []
    for scenario in SCENARIOS:
        population = simulate_rows(scenario, ROWS, seed=1)
        for aggregator in FITS if "mixture" in scenario.name else FITS[:1]:
            found = _run(workers, REPEATS, population, aggregator, AUDIT, TARGETS)
            for target, outcomes in zip(TARGETS, found, strict=True):
                rows.append([scenario.name, aggregator, f"{target:.0%}", *_shown(outcomes)])
        rows.extend([scenario.name, f"naive: average >= {NAIVE}", "-", *each] for each in [_naive_row(population)])
    head = ["rows", "labels and scores by", "target", "promises broken", "nothing accepted", "accepted", "wrong in it"]
    return (
        f"## The whole chain, simulated\n\n{table(head, rows)}\n\nAudits of {AUDIT} rows from {ROWS:,}, confidence "
        f"95%: of {REPEATS:,} promises at most {allowed_violations(REPEATS)} may break (5% and three standard "
        "deviations). Mean share accepted over all audits; mean error where anything was accepted. The naive rule "
        "promises nothing and knows nothing: its line is the plain truth of accepting what looks 90% sure."
    )


def _naive(population):
    """Share and error of the rows whose averaged probability is at least `NAIVE`."""
    found = average_probs(population.probs)
    top = np.nan_to_num(found.probs).max(axis=1)
    return judge(top, found.classes == population.gold, NAIVE, 0.0)


def _naive_row(population):
    found = _naive(population)
    return ["-", "-", f"{found.accepted_share:.1%}", f"{found.true_error:.1%}"]


def _draw(name, rng, rows):
    scores = rng.random(rows)
    if name == "three voters, two values":
        scores = np.where(scores < 0.7, 1.0, 1 / 3)
    return scores, rng.random(rows) >= CURVES[name](scores)


def _hard_case(task):
    name, rows = task
    rng = np.random.default_rng(rows)
    all_scores, all_right = _draw(name, rng, 2_000_000)
    found = [certify(*_draw(name, rng, rows), target_error=0.05).threshold for _ in range(REPEATS)]
    thresholds = {each for each in found if each is not None}
    broken = {each for each in thresholds if judge(all_scores, all_right, each, 0.05).is_violation}
    return [name, rows, f"{sum(each in broken for each in found)} of {REPEATS}", sum(each is None for each in found)]


def _hard_cases(workers):
    tasks = [(name, rows) for name in CURVES for rows in (133, 333)]
    rows = list(workers.map(_hard_case, tasks))
    head = ["error over the score", "certifying rows", "promises broken", "nothing accepted"]
    return (
        f"## Scores that mislead\n\n{table(head, rows)}\n\nTarget 5%, confidence 95%; the certificate alone, where "
        "error and score go together as unhappily as possible."
    )


def _look_again(task):
    is_always, seeds = task
    fooled = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        scores, is_right = np.ones(600), rng.random(600) >= 0.1005
        looks = range(20, 601, 20)
        fooled += any(
            certify(scores[:rows], is_right[:rows], target_error=0.1, always_valid=is_always).is_reached
            for rows in looks
        )
    return fooled


def _looks(workers):
    lines = []
    for is_always in (False, True):
        parts = [(is_always, range(low, low + 50)) for low in range(0, LOOKERS, 50)]
        scores = np.linspace(1, 0, 600)
        found = [certify(scores, np.arange(600) < kept, target_error=0.1, always_valid=is_always) for kept in (400,)]
        lines.append([
            "always valid" if is_always else "for one look",
            f"{sum(workers.map(_look_again, parts))} of {LOOKERS}",
            f"{found[0].accepted_share or 0:.1%}",
        ])  # fmt: skip
    head = ["bound", "fooled at any of 30 looks", "accepted of 600 rows, the surest 400 all right"]
    return (
        f"## Looking again and again\n\n{table(head, lines)}\n\nAll rows alike, 10.05% wrong, target 10%: somebody "
        "looks after every 20 rows and stops at the first promise. The last column is what the stricter bound costs."
    )


def _stored(workers):
    rows = []
    whole = [read(f"llm_votes_{task}") for task in TASKS]
    for stored in [*pools(), *whole]:
        population = Population(stored.ballots.probs, stored.gold)
        audit = AUDIT if len(stored.gold) > 1_000 else 300
        naive = _naive(population)
        for target, outcomes in zip(
            STORED_TARGETS, _run(workers, STORED_REPEATS, population, "race", audit, STORED_TARGETS), strict=True
        ):
            shown = [f"{naive.accepted_share:.1%}", f"{naive.true_error:.1%}", *_shown(outcomes)]
            rows.append([stored.name, f"{audit} of {len(stored.gold):,}", f"{target:.0%}", *shown])
    head = [
        "pool",
        "audit",
        "target",
        f"naive (>= {NAIVE}): accepted",
        "wrong in it",
        "ours: broken",
        "nothing",
        "accepted",
        "wrong in it",
    ]
    return (
        f"## Stored votes of real models\n\n{table(head, rows)}\n\n{STORED_REPEATS} audits each, confidence 95%, the "
        f"race's winner of the fitting third; at most {allowed_violations(STORED_REPEATS)} promises may break. Naive: "
        "accept where the averaged probability is at least 0.9, which for bare votes means that all agree. These "
        "models are right on 24 to 70% of the rows: ours refuses where hardly any set is good enough, at the "
        "price of some sets that are; the naive rule accepts 60% of the emotions at 17.5% wrong and does not know it."
    )


def _accepted(task):
    """Of simulated audits of so many answers: the share that accepts all rows, at errors that rise or do not."""
    target, true, answers, shape = task
    rng = np.random.default_rng(answers)
    accepted = 0
    for _ in range(REPEATS):
        scores = rng.random(rng.binomial(answers, 2 / 3))
        errors = {"level": true, "rising": 2 * true * (1 - scores), "steep": 3 * true * (1 - scores) ** 2}[shape]
        found = certify(scores, rng.random(len(scores)) >= errors, target_error=target)
        accepted += found.rows_accepted == len(scores)
    return f"{accepted / REPEATS:.0%}"


def _planned(workers):
    cases = ((0.05, 0.02), (0.05, 0.03), (0.1, 0.05), (0.02, 0.005))
    rows = []
    for target, true in cases:
        planned = plan_audit(target, true, frame_texts=10**6).total_rows
        one_test = math.ceil(rows_needed(target, true, confidence=0.975) * 3 / 2)
        tasks = [(target, true, one_test, "rising")]
        tasks += [(target, true, planned, shape) for shape in ("rising", "steep", "level")]
        found = list(workers.map(_accepted, tasks))
        needed = rows_needed(target, true)
        rows.append([f"{target:.0%}", f"{true:.1%}", needed, f"{one_test}: {found[0]}", planned, *found[1:]])
    head = [
        "target",
        "true error",
        "rows in one test",
        "answers by one test: accept all",
        "answers by the walk",
        "accept all",
        "steep errors",
        "level errors",
    ]
    return (
        f"## The planner\n\n{table(head, rows)}\n\n95% confidence, 80% power. The third column is the plan's classic "
        "figure: one exact test of one set at the full risk. A certificate walks: two walks share the risk, and each "
        "set before the last must pass, too; with the fitting third added, what one test takes at half of the risk is "
        f"accepted in the share of {REPEATS:,} simulated audits that stands behind it. So the planner counts the walk. "
        "It takes errors to rise evenly from none at the surest rows to twice the mean at the least sure ones; steep "
        "errors rise with the square, level ones not at all. Where the score says nothing inside the set, more answers "
        "hardly help: the first sets of a walk hold few rows, whatever comes behind them."
    )


if __name__ == "__main__":
    main()
