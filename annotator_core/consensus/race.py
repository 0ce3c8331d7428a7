"""The race: every aggregator, and the best single specialist, measured on audited rows that it was not fitted on.

Source: engine section 5; the log-loss that decides is Good's logarithmic score (1952, JRSS B 14, 107).
"""

from dataclasses import dataclass
from typing import Final

from annotator_core.arrays import IntArray
from annotator_core.consensus.aggregator import Ballots, Fitted
from annotator_core.consensus.best_single import FittedSingle
from annotator_core.consensus.calibration import NO_CALIBRATION, Calibrated
from annotator_core.consensus.laps import LEARNS_FROM_ALL, Lap, run_laps
from annotator_core.consensus.table import AGGREGATORS, fit_aggregator
from annotator_core.types import ABSTAIN

ENOUGH: Final = 50
"""Audited rows from which on the race decides. Source: engine section 5."""
_CALIBRATE_FROM: Final = 20
"""Audited rows from which on probabilities are calibrated; chosen."""
TITLES: Final = {
    "majority": "the majority vote",
    "weighted_majority": "the weighted majority",
    "average": "the averaged probability",
    "dawid_skene": "Dawid-Skene",
    "naive_bayes": "naive Bayes",
    "stacker": "logistic stacking",
    "best_single": "the best single specialist",
}
"""What a sentence calls each aggregator."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One aggregator, measured by cross-validation.

    title_index: the specialist's column where it is the best single one, else None. log_loss: mean in nats, calibrated.
    accuracy with its 95% Wilson interval from low to high, 0 to 1.
    """

    name: str
    title_index: int | None
    log_loss: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Race:
    """The table of a race and its winner.

    entries stand as in `table`; none with fewer than two audited rows. why: one sentence for a manager. fitted: the
    winner, fitted on all audited rows and calibrated. reviewed: rows that it has learned from beside them
    (`reviewed.learn_from_reviews`).
    """

    entries: tuple[Entry, ...]
    winner: str
    why: str
    fitted: Fitted
    reviewed: int = 0


def run_race(ballots: Ballots, gold: IntArray, *, seed: int = 0, folds: int = 5) -> Race:
    """Return the race over rows whose gold (n,) is a class index; rows with ABSTAIN help Dawid-Skene alone.

    From 50 audited rows on the lowest cross-validated log-loss wins; with fewer it is Dawid-Skene, with none the
    majority. Permuting rows or specialists changes nothing, equal seeds give equal bytes. Raises BadInput for
    impossible gold or a pool of none.
    """
    ballots.check_gold(gold)
    n_gold = int((gold != ABSTAIN).sum())
    laps = run_laps(AGGREGATORS, ballots, gold, folds=folds, seed=seed)
    entries = tuple(_enter(name, lap, ballots, gold, seed) for name, lap in laps.items())
    winner = _pick_winner(entries, n_gold)
    fitted = fit_aggregator(winner, ballots, gold, seed=seed)
    calibration = laps[winner].calibration if n_gold >= _CALIBRATE_FROM else NO_CALIBRATION
    return Race(entries, winner, _explain(entries, winner, n_gold, folds), Calibrated(fitted, calibration))


def _enter(name: str, lap: Lap, ballots: Ballots, gold: IntArray, seed: int) -> Entry:
    from scipy.stats import binomtest

    n_gold = int((gold != ABSTAIN).sum())
    interval = binomtest(lap.n_right, n_gold).proportion_ci(0.95, method="wilson")
    fitted = fit_aggregator(name, ballots, gold, seed=seed) if name == "best_single" else None
    index = fitted.index if isinstance(fitted, FittedSingle) else None
    return Entry(name, index, lap.log_loss, lap.n_right / n_gold, float(interval.low), float(interval.high))


def _pick_winner(entries: tuple[Entry, ...], n_gold: int) -> str:
    if n_gold < ENOUGH:
        return LEARNS_FROM_ALL if n_gold else "majority"
    return min(entries, key=lambda entry: entry.log_loss).name


def _explain(entries: tuple[Entry, ...], winner: str, n_gold: int, folds: int) -> str:
    title = TITLES[winner]
    if not n_gold:
        return f"No row is audited yet, so {title} decides: it needs none."
    if n_gold < ENOUGH:
        return (
            f"{n_gold} audited rows are too few for a race, which needs {ENOUGH}: until then {title} decides, "
            "which learns from rows without answers, too."
        )
    first, second = sorted(entries, key=lambda entry: entry.log_loss)[:2]
    return (
        f"{title[0].upper()}{title[1:]} predicts the {n_gold} audited rows best when it has not seen them: "
        f"log-loss {first.log_loss:.3f} in {folds} folds, {first.accuracy:.1%} right; next is "
        f"{TITLES[second.name]} with {second.log_loss:.3f} and {second.accuracy:.1%}."
    )
