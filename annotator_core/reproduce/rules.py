"""Who labels which of n rows under each rule, and what that costs: audited rows count as reviews."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import Opinion, opinion
from annotator_core.consensus.race import Race, run_race
from annotator_core.routing import hard_by_agreement
from annotator_core.types import ABSTAIN

AUDIT_LEAST: Final = 50
AUDIT_SHARE: Final = 0.02
AUDIT_MOST: Final = 0.2
"""An audit has 2% of the rows, at least the 50 that a race needs, at most a fifth. Chosen beforehand."""
_SITE_AUDITS: Final = 3
"""One third of an audit fits. Source: engine section 6."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The paper's rule: classes (n,) of the majority, ABSTAIN without a vote; hard (n,): rows that it sends on."""

    classes: IntArray
    hard: BoolArray


def follow_paper(ballots: Ballots, min_agree: int | None = None) -> Paper:
    """Return what the paper's rule does; min_agree: how many must agree, None for all.

    Source: AutoAnnotator (arXiv 2506.16393), eq. 3 to 5; ties are hard.
    """
    vote = vote_majority(ballots.votes, ballots.n_classes, ballots.probs)
    wanted = ballots.n_specialists if min_agree is None else min_agree
    return Paper(vote.classes, hard_by_agreement(vote.counts, vote.is_tie, wanted))


def audit_size(n_rows: int) -> int:
    """Return how many rows an audit has: `AUDIT_SHARE` of them, within the other two bounds.

    >>> [audit_size(rows) for rows in (100, 1_000, 10_000)]
    [20, 50, 200]
    """
    return min(max(AUDIT_LEAST, round(AUDIT_SHARE * n_rows)), int(AUDIT_MOST * n_rows))


def draw_audit(n_rows: int, seed: int, size: int | None = None) -> BoolArray:
    """Return which of n rows are audited (n,): drawn at random, `audit_size` of them where no size is given."""
    chosen = np.random.default_rng(seed).permutation(n_rows)[: audit_size(n_rows) if size is None else size]
    is_audited = np.zeros(n_rows, dtype=np.bool_)
    is_audited[chosen] = True
    return is_audited


def draw_site_audit(n_rows: int, seed: int) -> tuple[BoolArray, BoolArray]:
    """Return which of n rows the site's audit holds (n,) and which of them fit (n,), drawn at random.

    It has three times `audit_size` rows, at most a fifth of all: one third fits, so that two are left to certify with.
    """
    size = min(_SITE_AUDITS * audit_size(n_rows), int(AUDIT_MOST * n_rows))
    return draw_audit(n_rows, seed, size), draw_audit(n_rows, seed, size // _SITE_AUDITS)


def hide(gold: IntArray, is_known: BoolArray) -> IntArray:
    """Return gold (n,) where it is known, ABSTAIN elsewhere: all that a rule may see."""
    return np.where(is_known, gold, ABSTAIN)


@dataclass(frozen=True, slots=True)
class Answers:
    """gold (n,), and what the person says of each row (n,), asked or not: the same under every rule."""

    gold: IntArray
    person: IntArray

    @property
    def is_right(self) -> BoolArray:
        """Return where the person says gold (n,)."""
        return np.asarray(self.person == self.gold)


@dataclass(frozen=True, slots=True)
class Raced:
    """What a race's winner thinks of all rows, and the race."""

    opinion: Opinion
    race: Race


def follow_race(ballots: Ballots, seen: IntArray, *, seed: int) -> Raced:
    """Return the opinion of the race's winner, fitted on the rows whose gold stands in seen (n,), ABSTAIN elsewhere.

    Raises BadInput for a pool of none or impossible gold.
    """
    race = run_race(ballots, seen, seed=seed)
    return Raced(opinion(race.fitted.predict(ballots)), race)


def order_reviews(formed: Opinion, is_reviewed: BoolArray) -> IntArray:
    """Return the rows (r,) that nobody has reviewed, least certain first; equals in the order of rows.

    is_reviewed (n,).
    """
    rest = np.flatnonzero(~is_reviewed)
    return rest[np.argsort(formed.score[rest], kind="stable")]


def count_to_reach(formed: Opinion, answers: Answers, is_reviewed: BoolArray, right_wanted: int) -> int:
    """Return how many rows must be reviewed, those that are included, until so many rows are right.

    answers: to all rows; is_reviewed (n,). Reviewed rows have the person's answer, which may spoil a right one. All n
    rows where nothing less is enough, also where that is not.
    """
    is_right = formed.classes == answers.gold
    missing = right_wanted - int(np.where(is_reviewed, answers.is_right, is_right).sum())
    if missing <= 0:
        return int(is_reviewed.sum())
    order = order_reviews(formed, is_reviewed)
    gained = np.cumsum(answers.is_right[order].astype(np.int64) - is_right[order])
    reached = np.flatnonzero(gained >= missing)
    return int(is_reviewed.sum()) + (int(reached[0]) + 1 if len(reached) else len(order))


def review_first(formed: Opinion, is_reviewed: BoolArray, count: int) -> BoolArray:
    """Return which rows are reviewed (n,) when so many are in all: those that were (n,), then the least certain."""
    chosen = is_reviewed.copy()
    chosen[order_reviews(formed, is_reviewed)[: max(0, count - int(is_reviewed.sum()))]] = True
    return chosen
