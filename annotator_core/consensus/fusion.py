"""Fusion: a verifier's answer is one more voter, weighed by what gold rows say of it; replacing is the paper's mode.

Source: reference experiments on real stored answers: replacing a pool by a verifier's answer fell up to 16 points below
the majority, fusing the two never far below it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, Fitted, State
from annotator_core.consensus.calibration import NO_CALIBRATION, Calibrated
from annotator_core.consensus.laps import LEARNS_FROM_ALL, run_laps
from annotator_core.consensus.table import fit_aggregator, restore
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN

FUSERS: Final = ("naive_bayes", "stacker")
"""What cross-validation chooses from. Source: engine section 5."""
ENOUGH: Final = 50
"""Gold rows from which on it chooses; chosen, as in the race."""
FEW: Final = 10
"""Gold rows from which on naive Bayes may take the place of Dawid-Skene, which a verifier that is mostly wrong can turn
against its pool: with 5 to 10 gold rows it was right on 0 to 8% of 130 rows where such a verifier errs alike. Chosen by
these trials."""


@dataclass(frozen=True, slots=True)
class FittedFusion:
    """An aggregator of m specialists and, as the last, a verifier."""

    voters: Fitted

    def predict(self, pool: Ballots, answers: IntArray) -> FloatArray:
        """Return class probabilities (n, k), NaN rows where nobody voted.

        answers (n,): the verifier's class or ABSTAIN. Raises BadInput for another pool or impossible answers.
        """
        return self.voters.predict(add_verifier(pool, answers))

    def to_state(self) -> State:
        """Return what `restore_fusion` needs: JSON values only."""
        return self.voters.to_state()


def fit_fusion(pool: Ballots, answers: IntArray, gold: IntArray, *, seed: int = 0) -> FittedFusion:
    """Return the fusion of a pool with a verifier's answers (n,), a class index or ABSTAIN each.

    gold (n,) is a class index, or ABSTAIN for rows without. From 50 gold rows on naive Bayes or the stacker, by
    cross-validated log-loss, calibrated; with 10 to 49 Dawid-Skene, which knows the gold there is, or naive Bayes, in
    the same way but as they are; with fewer Dawid-Skene. Under 50 the rows must be as they come, easy ones without an
    answer among them: on rows that were chosen because specialists disagree, they contradict each other more often than
    by chance, Dawid-Skene explains that by classes which are none, and is right less often than either
    (docs/benchmarks/fusion.md). Permuting rows or specialists changes nothing. Raises BadInput for impossible answers
    or gold.
    """
    ballots = add_verifier(pool, answers)
    ballots.check_gold(gold)
    n_gold = int((gold != ABSTAIN).sum())
    best, calibration = LEARNS_FROM_ALL, NO_CALIBRATION
    if n_gold >= FEW:
        names = FUSERS if n_gold >= ENOUGH else (LEARNS_FROM_ALL, "naive_bayes")
        laps = run_laps(names, ballots, gold, seed=seed)
        best = min(names, key=lambda name: laps[name].log_loss)
        calibration = laps[best].calibration if n_gold >= ENOUGH else NO_CALIBRATION
    return FittedFusion(Calibrated(fit_aggregator(best, ballots, gold, seed=seed), calibration))


def restore_fusion(state: State) -> FittedFusion:
    """Return the fusion that gave this state; raise BadInput for a garbled one."""
    return FittedFusion(restore(state))


def add_verifier(pool: Ballots, answers: IntArray) -> Ballots:
    """Return the pool's ballots with a last voter: the answers (n,), certain or ABSTAIN; raise BadInput for others."""
    if answers.shape != (len(pool),):
        raise BadInput(f"{len(pool)} rows of votes, but answers of shape {answers.shape}.")
    voter = Ballots.from_votes(answers[:, None], pool.n_classes)
    votes = np.concatenate([pool.votes, voter.votes], axis=1)
    return Ballots(votes, np.concatenate([pool.probs, voter.probs], axis=1), pool.keys)


def replace_answers(classes: IntArray, answers: IntArray) -> IntArray:
    """Return the verifier's answer where it gave one, else the pool's class: both (n,), a class index or ABSTAIN.

    Source: AutoAnnotator (arXiv 2506.16393), section 3: the verdict is the label.
    """
    replaced: IntArray = np.where(answers != ABSTAIN, answers, classes)
    return replaced
