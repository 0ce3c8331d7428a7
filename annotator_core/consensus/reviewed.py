"""Logistic stacking that goes on learning while people review, and takes over from a race's winner where it is better.

Reviewed rows are chosen by their votes, least certain first. A model of P(class | votes) bears that, and is needed most
on just such rows; what counts how often a class or an error occurs is misled by it, so no other aggregator learns here.

Source: Shimodaira (2000), Journal of Statistical Planning and Inference 90, 227: rows chosen by what the model sees
need no weights where the model is right; docs/decisions/0047.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, Reviewed
from annotator_core.consensus.calibration import Calibrated, choose_calibration, find_losses
from annotator_core.consensus.laps import predict_unseen
from annotator_core.consensus.opinion import Doubles
from annotator_core.consensus.order import find_order, split_folds
from annotator_core.consensus.race import ENOUGH, TITLES, Race
from annotator_core.consensus.table import fit_aggregator
from annotator_core.types import ABSTAIN

LEARNER: Final = "stacker"
"""The aggregator that learns from reviewed rows."""


def learn_from_reviews(
    race: Race, ballots: Ballots, gold: IntArray, reviewed: Reviewed, *, seed: int = 0, folds: int = 5
) -> Race:
    """Return the race, or with logistic stacking fitted on the reviewed rows too as winner where that predicts better.

    ballots and gold (n,) are the race's own rows, audited ones with a class index and others with ABSTAIN. What counts
    is the mean log-loss on all audited and reviewed rows, each by a fit that had not seen it: the winner's on audited
    rows, the learner's on both. On the audited rows alone, the random ones, it may not be worse by more than one
    standard error, and there it is calibrated. With under 50 of them, or none reviewed, the race stays as it was.
    Permuting rows or specialists changes nothing. Raises BadInput for impossible gold or reviewed rows of another pool.
    """
    ballots.check_gold(gold)
    both, truths = ballots.append(reviewed.ballots), np.concatenate([gold, reviewed.gold])
    if not len(reviewed) or int((gold != ABSTAIN).sum()) < ENOUGH:
        return race
    order = find_order(both, truths)
    arranged, known = order.arrange(both), truths[order.rows]
    is_own, is_known = order.rows < len(gold), known != ABSTAIN
    is_audited = is_own & is_known
    fold = split_folds(known, order.keys, folds, seed=seed)
    learned = predict_unseen(LEARNER, arranged, known, fold, seed)
    calibration, _loss = choose_calibration(learned[is_audited], known[is_audited], fold[is_audited])
    won: FloatArray = race.fitted.predict(both.take(order.rows))
    won[is_audited] = _predict_audited(race, arranged.take(np.flatnonzero(is_own)), known[is_own], fold[is_own], seed)
    mine, theirs = (find_losses(probs[is_known], known[is_known]) for probs in (calibration.apply(learned), won))
    if mine.mean() >= theirs.mean() or _is_clearly_worse((mine - theirs)[is_audited[is_known]]):
        return race
    fitted = Calibrated(fit_aggregator(LEARNER, both, truths, seed=seed), calibration)
    why = _explain(race.winner, len(reviewed), float(mine.mean()), float(theirs.mean()))
    return replace(race, winner=LEARNER, fitted=fitted, why=why, reviewed=len(reviewed))


def _is_clearly_worse(differences: Doubles) -> bool:
    """Return whether losses on the audited rows (a,) rose by more than one standard error: reviewers may have erred."""
    return bool(differences.mean() > differences.std(ddof=1) / np.sqrt(len(differences)))


def _predict_audited(race: Race, ballots: Ballots, gold: IntArray, fold: IntArray, seed: int) -> FloatArray:
    """Return what the winner says of the audited rows (a, k) when it has not seen them, in their order."""
    probs = predict_unseen(race.winner, ballots, gold, fold, seed)[gold != ABSTAIN]
    return race.fitted.calibration.apply(probs) if isinstance(race.fitted, Calibrated) else probs


def _explain(winner: str, n_reviewed: int, mine: float, theirs: float) -> str:
    title = TITLES[LEARNER]
    return (
        f"{title[0].upper()}{title[1:]} has learned from {n_reviewed:,} reviewed rows beside the audited ones and "
        f"predicts all of them better when it has not seen them: log-loss {mine:.3f}; {TITLES[winner]}, which won "
        f"on the audited rows, has {theirs:.3f}."
    )
