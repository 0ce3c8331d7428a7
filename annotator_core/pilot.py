"""A pilot: what a few hundred random rows say about a pool and about the work that all rows will be.

Source: the uncertainty is eq. 4 of AutoAnnotator (arXiv 2506.16393); shares have Wilson's intervals
(contract.estimate), agreement is Krippendorff's (agreement).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.agreement import Agreement, krippendorff_alpha
from annotator_core.annotation import Block
from annotator_core.arrays import IntArray
from annotator_core.contract.estimate import Estimate, estimate_share
from annotator_core.errors import BadInput
from annotator_core.loop import Observer, Policy, cast_votes, check_policy, decide
from annotator_core.specialists.contract import Continued, Specialist
from annotator_core.specialists.warming import list_lacking
from annotator_core.types import ABSTAIN

_TIMED_ROWS: Final = 300
"""Of so many texts or somewhat more the time is taken, seconds to a minute on a CPU; chosen."""
_MADE_UP: Final = "a text of the clock"


@dataclass(frozen=True, slots=True)
class Voter:
    """One specialist in a pilot.

    class_shares (k): of its votes, 0 to 1. abstained: share of the rows. texts_per_s: on this machine once it is warm,
    None where it was too fast to time. accuracy: of its votes on answered rows.
    """

    name: str
    class_shares: tuple[float, ...]
    abstained: float
    texts_per_s: float | None
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Pilot:
    """What n_drawn of n_rows rows say.

    unanimous: share of rows on which all vote the same. alpha: Krippendorff's, between the specialists. histogram: the
    uncertainty U of eq. 4, 0 to 1, and its rows, ascending. hard: forecast share of rows for a person, 0 to 1.
    human_hours: what they take. vote_hours: what all votes take on this machine. accuracy: of the pool's majority, of
    its accepted labels, and the best specialist's, on n_answered rows.
    """

    n_rows: int
    n_drawn: int
    n_answered: int
    voters: tuple[Voter, ...]
    unanimous: Estimate
    alpha: Agreement
    histogram: tuple[tuple[float, int], ...]
    hard: Estimate
    human_hours: Estimate
    vote_hours: float
    majority_accuracy: Estimate
    accepted_accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows that people answered: n texts, and gold (n,), a class index each."""

    texts: Sequence[str]
    gold: IntArray


NOTHING_ANSWERED: Final = Answered((), np.empty(0, dtype=np.int64))


def draw_rows(n_rows: int, n_wanted: int, seed: int = 0) -> IntArray:
    """Return the positions (r,) of random rows, ascending, 0 to n_rows - 1: r is n_wanted, or all there are.

    Equal seeds, from 0, draw the same. Raises BadInput for fewer than one row wanted, or a seed under 0.

    >>> draw_rows(5, 9).tolist()
    [0, 1, 2, 3, 4]
    """
    if n_wanted < 1:
        raise BadInput(f"A pilot of {n_wanted} rows says nothing: draw some hundred.")
    if seed < 0:
        raise BadInput(f"A seed counts from 0: {seed} is none.")
    drawn = np.random.default_rng(seed).choice(n_rows, size=min(n_wanted, n_rows), replace=False)
    return np.sort(drawn).astype(np.int64)


def run_pilot(  # noqa: PLR0913 - what a pilot is asked, by its names, keyword-only
    texts: Sequence[str],
    pool: Sequence[Specialist],
    *,
    n_rows: int,
    answered: Answered = NOTHING_ANSWERED,
    min_agree: int | None = None,
    seconds_a_row: float = 10.0,
    on_votes: Callable[[int], None] = lambda _: None,
) -> Pilot:
    """Return what the pool makes of texts drawn at random from n_rows rows.

    answered: random rows with people's answers, drawn or not. min_agree: as of `loop.Policy`. seconds_a_row: what a
    person takes for one. on_votes: gets the number of new votes, `count_votes` in all. Intervals are at 95%. Raises
    BadInput as `loop.check_policy` does, SpecialistCrashed.
    """
    if not texts or not seconds_a_row >= 0:
        raise BadInput("A pilot needs texts, and seconds a row from 0 up.")
    policy = Policy(min_agree, take_majority=True)
    check_policy(policy, len(pool))
    block = decide(cast_votes(list(texts), pool, Observer(on_votes)), policy)
    known = decide(cast_votes(list(answered.texts), pool, Observer(on_votes)), policy)
    seconds = _time_votes(texts, answered.texts, pool, on_votes)
    votes, n = block.votes, len(texts)
    hard = estimate_share(block.is_hard, population=n_rows)
    return Pilot(
        n_rows=n_rows,
        n_drawn=n,
        n_answered=len(answered.texts),
        voters=tuple(
            _describe(block, column, took, estimate_accuracy(known.votes[:, column], answered.gold))
            for column, took in enumerate(seconds)
        ),
        unanimous=estimate_share((votes == votes[:, :1]).all(axis=1) & (votes[:, 0] != ABSTAIN), population=n_rows),
        alpha=krippendorff_alpha(votes),
        histogram=_count_uncertainty(block),
        hard=hard,
        human_hours=_scale(hard, n_rows * seconds_a_row / 3600),
        vote_hours=sum(seconds) * n_rows / 3600,
        majority_accuracy=estimate_accuracy(known.labels, answered.gold),
        accepted_accuracy=estimate_accuracy(known.labels[~known.is_hard], answered.gold[~known.is_hard]),
    )


def count_votes(n_texts: int, n_answered: int, n_specialists: int) -> int:
    """Return how many votes a pilot casts in all: on its texts, on answered ones, and again on some for their time.

    >>> count_votes(300, 0, 3), count_votes(1_000, 50, 1)
    (1803, 1385)
    """
    return (n_texts + n_answered + len(range(0, n_texts, _find_step(n_texts))) + 1) * n_specialists


def _find_step(n_texts: int) -> int:
    return max(n_texts // _TIMED_ROWS, 1)


def _time_votes(
    texts: Sequence[str], answered: Sequence[str], pool: Sequence[Specialist], on_votes: Callable[[int], None]
) -> list[float]:
    """Return how many seconds a text takes each specialist (m,), all of which have read these texts before.

    That first time says little: a fresh model runs its first texts in two precisions, and loads one of them for that.
    """
    learning = [one for one in pool if isinstance(one, Continued) and one.to_state()]
    lacking = list_lacking([*texts, *answered])
    if learning and lacking:
        cast_votes(lacking, learning)
    # With one text more it is another block, whose tokens nobody has kept.
    timed, seconds = [*texts[:: _find_step(len(texts))], _MADE_UP], list[float]()
    cast_votes(timed, pool, Observer(on_votes, lambda _name, found: seconds.append(found.seconds)))
    return [took / len(timed) for took in seconds]


def estimate_accuracy(labels: IntArray, gold: IntArray) -> Estimate:
    """Return the share of right labels (n,) where there is one, by gold (n,), with its 95% interval.

    >>> estimate_accuracy(np.array([0, 1, ABSTAIN]), np.array([0, 1, 1])).value
    1.0
    """
    given = labels != ABSTAIN
    return estimate_share(labels[given] == gold[given])


def _describe(block: Block, column: int, seconds: float, accuracy: Estimate) -> Voter:
    votes, k = block.votes[:, column], block.ballot.probs.shape[2]
    cast = votes[votes != ABSTAIN]
    return Voter(
        name=block.ballot.names[column],
        class_shares=tuple((np.bincount(cast, minlength=k) / max(len(cast), 1)).tolist()),
        abstained=1 - len(cast) / len(votes),
        texts_per_s=1 / seconds if seconds > 0 else None,
        accuracy=accuracy,
    )


def _count_uncertainty(block: Block) -> tuple[tuple[float, int], ...]:
    values, counts = np.unique(block.uncertainty, return_counts=True)
    return tuple(zip(values.tolist(), counts.tolist(), strict=True))


def _scale(share: Estimate, factor: float) -> Estimate:
    return Estimate(None if share.value is None else share.value * factor, share.low * factor, share.high * factor)
