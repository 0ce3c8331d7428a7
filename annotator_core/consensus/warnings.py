"""What an audit says against a pool or a verifier, each by a stated test at 5%.

That a verifier is worse needs proof; each of the other warnings stands unless the audit shows otherwise.

Source: a specialist's binomial test is against the chance of kappa (Cohen 1960, Educational and Psychological
Measurement 20, 37); a verifier's is McNemar's (1947, Psychometrika 12, 153), exact; that of agreed rows is Fisher's
exact one (1935, The Design of Experiments, chapter 2).
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.stats import binomtest, fisher_exact

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.majority import vote_majority
from annotator_core.types import ABSTAIN

Code = Literal["specialist_at_chance", "verifier_worse", "verifier_unproven", "agreed_as_wrong"]

LEVEL: Final = 0.05
"""The level of every test; chosen, the usual one."""
_ROWS: Final = 20
"""Audited rows, of each kind compared, under which nothing is said of a pool; chosen: a fair one would be warned of."""
_FEWEST: Final = 10
"""Rows outside the commonest class under which no specialist is called blind, and wrong rows under which agreement is
not doubted: with fewer no test could tell; chosen."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One warning.

    specialist: the column it is about, None for the others. rows: audited rows behind it. share and other: the two
    figures compared, 0 to 1: accuracy and what chance gives; the verifier's and the pool's accuracy on hard rows; the
    error of agreed rows and of the rest. p_value: of the test that the code names.
    """

    code: Code
    specialist: int | None
    rows: int
    share: float
    other: float
    p_value: float


def find_warnings(
    ballots: Ballots, gold: IntArray, *, answers: IntArray | None = None, agreed: BoolArray | None = None
) -> tuple[Finding, ...]:
    """Return the warnings about a pool on the rows whose gold (n,) is a class index, not ABSTAIN.

    answers (n,): a verifier's class or ABSTAIN. agreed (n,): rows accepted by agreement, without them those on which
    all specialists voted alike. Raises BadInput for impossible gold.
    """
    ballots.check_gold(gold)
    known = gold != ABSTAIN
    audited, truths = ballots.take(known), gold[known]
    majority = vote_majority(audited.votes, audited.n_classes, audited.probs)
    together = majority.counts == audited.n_specialists if agreed is None else agreed[known]
    pool_right = majority.classes == truths
    found = [_test_specialist(audited.votes[:, index], truths, index) for index in range(audited.n_specialists)]
    if answers is not None:
        found.append(_test_verifier(answers[known], truths, pool_right, ~together))
    found.append(_test_agreed(~pool_right, together))
    return tuple(finding for finding in found if finding)


def _test_specialist(votes: IntArray, truths: IntArray, index: int) -> Finding | None:
    """Binomial test, one-sided: is it right more often than its own shares of votes would be by chance (kappa's)?"""
    cast = votes != ABSTAIN
    votes, truths = votes[cast], truths[cast]
    rows, n_classes = len(votes), 1 + int(max(votes.max(initial=0), truths.max(initial=0)))
    given, meant = np.bincount(votes, minlength=n_classes), np.bincount(truths, minlength=n_classes)
    if rows < _ROWS or rows - meant.max() < _FEWEST:
        return None
    chance = float(given @ meant) / rows**2
    right = int((votes == truths).sum())
    p_value = float(binomtest(right, rows, chance, alternative="greater").pvalue)
    return Finding("specialist_at_chance", index, rows, right / rows, chance, p_value) if p_value >= LEVEL else None


def _test_verifier(answers: IntArray, truths: IntArray, pool_right: BoolArray, hard: BoolArray) -> Finding | None:
    """McNemar's exact test, one-sided both ways, on hard rows with an answer: which is right where the other is wrong?

    Worse is a verifier that is shown to be worse than the pool, unproven one that is shown to be neither worse nor
    better: at any number of rows, for where its answers replace the pool's labels it may be making them worse.

    The proof of worse is weak where the two are close: of a verifier 16 points worse it stands nearly always on 300
    rows and in two cases of three on 100, of one 5 points worse in one of three on 300, of one 1 to 3 points worse
    hardly ever. Therefore the other: of a verifier no better than the pool, one of the two stands in 95 of 100 audits
    at least, whatever their size. The price: of one 5 points better "unproven" stands in two of three on 300 rows, of
    one 16 points better in one of three on 100 and hardly ever on 300 (simulated in the tests, the two right and wrong
    independently on a third to a half of the rows).
    """
    asked = hard & (answers != ABSTAIN)
    right, others = (answers == truths)[asked], pool_right[asked]
    if not len(right):
        return None
    lost, won = int((others & ~right).sum()), int((right & ~others).sum())
    shares = float(right.mean()), float(others.mean())
    p_worse, p_better = _find_odds(lost, lost + won), _find_odds(won, lost + won)
    if p_worse < LEVEL:
        return Finding("verifier_worse", None, len(right), *shares, p_worse)
    return Finding("verifier_unproven", None, len(right), *shares, p_better) if p_better >= LEVEL else None


def _find_odds(count: int, of: int) -> float:
    """Return the chance that a fair coin gives at least so many."""
    return float(binomtest(count, of, 0.5, alternative="greater").pvalue) if of else 1.0


def _test_agreed(wrong: BoolArray, together: BoolArray) -> Finding | None:
    """Fisher's exact test, one-sided: are agreed rows wrong less often than the rest?"""
    agreed, rest = wrong[together], wrong[~together]
    if min(len(agreed), len(rest)) < _ROWS or wrong.sum() < _FEWEST:
        return None
    table = [[int(part.sum()), int((~part).sum())] for part in (agreed, rest)]
    p_value = float(fisher_exact(table, alternative="less").pvalue)
    if p_value < LEVEL:
        return None
    return Finding("agreed_as_wrong", None, len(wrong), float(agreed.mean()), float(rest.mean()), p_value)
