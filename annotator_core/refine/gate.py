"""Whether a challenger may replace its champion: a paired bootstrap on held-out rows, and floors per class and slice.

A class is held by its F1, not by its recall: a champion that says one class too often must lose recall there to become
right elsewhere. Source: engine section 8; the paired bootstrap of Efron and Tibshirani (1993), chapter 16, on rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.errors import BadInput

Verdict = Literal["better", "not_better", "falls", "too_few"]
"""better: promote. falls: better on the whole, but a class or slice falls. too_few: the manager decides."""

MARGIN: Final = 0.05
"""How far a class's F1 or a slice's accuracy may fall; more, and with the probability P_NEEDED, is a fall; chosen."""
P_NEEDED: Final = 0.8
"""Source: engine section 8."""
ROWS_NEEDED: Final = 100
"""Under this many deciding rows nothing is promoted by machine. Source: engine section 8."""
_TAILS: Final = (0.025, 0.975)
_TOLERANCE: Final = 1e-9
"""Absorbs float noise: 0.29 * 100 is not 29; chosen."""
_NO_SLICES: Final[Mapping[str, BoolArray]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one class or slice: its rows, and how many of them were right before and are right after."""

    name: str
    rows: int
    right_before: int
    right_after: int

    @property
    def before(self) -> float | None:
        """The champion's share of right rows, 0 to 1 (for a class: its recall); None without rows."""
        return self.right_before / self.rows if self.rows else None

    @property
    def after(self) -> float | None:
        """The challenger's share of right rows, 0 to 1; None without rows."""
        return self.right_after / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class GateResult:
    """The verdict and all that led to it.

    rows: deciding rows. champion_accuracy, challenger_accuracy: 0 to 1, 0 where there are no rows. p_better: bootstrap
    P(challenger accuracy > champion accuracy). interval: 95% of the difference, challenger less champion, -1 to 1.
    changes: one per class, in order. slice_changes: one per slice. fallen: the names of classes and slices that fell.
    """

    verdict: Verdict
    rows: int
    champion_accuracy: float
    challenger_accuracy: float
    p_better: float
    interval: tuple[float, float]
    changes: tuple[Change, ...]
    slice_changes: tuple[Change, ...]
    fallen: tuple[str, ...]

    @property
    def difference(self) -> float:
        """The challenger's accuracy less the champion's, -1 to 1."""
        return self.challenger_accuracy - self.champion_accuracy


def judge(  # noqa: PLR0913 - the gate's whole rule by name, keyword-only
    champion: IntArray,
    challenger: IntArray,
    gold: IntArray,
    *,
    class_names: Sequence[str],
    slices: Mapping[str, BoolArray] = _NO_SLICES,
    margin: float = MARGIN,
    p_needed: float = P_NEEDED,
    rows_needed: int = ROWS_NEEDED,
    seed: int = 0,
    repeats: int = 2_000,
) -> GateResult:
    """Return whether the challenger is better than the champion on the deciding rows, with all figures.

    champion, challenger (n,): votes, class indices or ABSTAIN, which is never right. gold (n,): class indices.
    slices: rows (n,) that must not fall by name, replayed ones for instance. margin: how far one may fall, 0 to 1.
    p_needed: the probability of being better that is asked for, 0 to 1. Too few rows are said first, then that it
    is not better, then what falls; the figures are given in every case. Raises BadInput for arrays of other lengths and
    for a gold class without a name.
    """
    _check(champion, challenger, gold, class_names, slices)
    was, now = champion == gold, challenger == gold
    rng = np.random.default_rng(seed)
    changes = tuple(_change(name, gold == index, was, now) for index, name in enumerate(class_names))
    slice_changes = tuple(_change(name, rows, was, now) for name, rows in slices.items())
    falls = [_f1_differences(gold == i, champion == i, challenger == i, rng, repeats) for i in range(len(class_names))]
    falls += [resample_difference(was[rows], now[rows], seed=seed, repeats=repeats) for rows in slices.values()]
    names = (*class_names, *slices)
    fallen = tuple(name for name, drawn in zip(names, falls, strict=True) if _is_fall(drawn, margin, p_needed))
    differences = resample_difference(was, now, seed=seed, repeats=repeats)
    p_better = float((differences > 0).mean())
    low, high = np.quantile(differences, _TAILS)
    is_better = p_better >= p_needed - _TOLERANCE
    return GateResult(
        verdict=_decide(is_enough=len(gold) >= rows_needed, is_better=is_better, fallen=fallen),
        rows=len(gold),
        champion_accuracy=_share(was),
        challenger_accuracy=_share(now),
        p_better=p_better,
        interval=(float(low), float(high)),
        changes=changes,
        slice_changes=slice_changes,
        fallen=fallen,
    )


def choose(candidates: Sequence[IntArray], gold: IntArray) -> int:
    """Return the index of the candidate to judge, votes (n,) each: the last, unless another is clearly better.

    Clearly: it leads the last by more rows than one standard error of the difference, the root of how many rows only
    one of the two is right on. Of these the one right most often, the latest of equals. A few choosing rows would
    otherwise take one of a dozen for its luck, and a round's learning would be thrown away.
    Source: the rule of one standard error, Breiman et al., Classification and Regression Trees (1984), section 3.4.3.

    The last candidate where there are no rows. Raises BadInput without a candidate, or for votes of another length
    than gold.
    """
    if not candidates:
        raise BadInput("There is no candidate to choose from.")
    for votes in candidates:
        _check_length("candidate", votes, gold)
    right = np.array([votes == gold for votes in candidates])
    leads = right.sum(axis=1) - right[-1].sum()
    errors = np.sqrt((right != right[-1]).sum(axis=1))
    clear = np.flatnonzero(leads > errors)
    return int(max(clear, key=lambda index: (leads[index], index), default=len(candidates) - 1))


def resample_difference(was: BoolArray, now: BoolArray, *, seed: int, repeats: int) -> np.ndarray:
    """Return the bootstrap distribution (repeats,) of the accuracy difference of now (n,) less was (n,).

    Rows drawn with replacement fall into lost, won or unchanged with their shares, so the counts are drawn at once from
    the multinomial: the same distribution without repeats x n numbers. All zero without rows.
    """
    n = len(was)
    if not n:
        return np.zeros(repeats)
    won, lost = int((now & ~was).sum()), int((was & ~now).sum())
    shares = np.array([won, lost, n - won - lost]) / n
    counts = np.random.default_rng(seed).multinomial(n, shares, size=repeats)
    differences: np.ndarray = (counts[:, 0] - counts[:, 1]) / n
    return differences


def _is_fall(differences: np.ndarray, margin: float, p_needed: float) -> bool:
    """Return whether a fall by more than the margin is as sure as a promotion has to be."""
    return float((differences < -margin - _TOLERANCE).mean()) >= p_needed - _TOLERANCE


def _f1_differences(
    is_gold: BoolArray, was_said: BoolArray, is_said: BoolArray, rng: np.random.Generator, repeats: int
) -> np.ndarray:
    """Return the bootstrap distribution (repeats,) of one class's F1 of the challenger less the champion's.

    Rows fall into eight cells (of the class or not, said by either or not), so their counts are drawn at once.
    """
    n = len(is_gold)
    if not n:
        return np.zeros(repeats)
    cells = np.bincount(4 * is_gold + 2 * was_said + is_said, minlength=8)
    counts = rng.multinomial(n, cells / n, size=repeats).reshape(repeats, 2, 2, 2)
    gold_rows = counts[:, 1].sum(axis=(1, 2))
    before = _f1(counts[:, 1, 1].sum(axis=1), gold_rows + counts[:, :, 1].sum(axis=(1, 2)))
    after = _f1(counts[:, 1, :, 1].sum(axis=1), gold_rows + counts[:, :, :, 1].sum(axis=(1, 2)))
    difference: np.ndarray = after - before
    return difference


def _f1(hits: np.ndarray, of_and_said: np.ndarray) -> np.ndarray:
    """Return 2 x hits / (rows of the class + rows said to be of it); 0 where neither is there."""
    scores: np.ndarray = 2.0 * hits / np.maximum(of_and_said, 1)
    return scores


def _decide(*, is_enough: bool, is_better: bool, fallen: tuple[str, ...]) -> Verdict:
    if not is_enough:
        return "too_few"
    if not is_better:
        return "not_better"
    return "falls" if fallen else "better"


def _change(name: str, rows: BoolArray, was: BoolArray, now: BoolArray) -> Change:
    return Change(name, int(rows.sum()), int((rows & was).sum()), int((rows & now).sum()))


def _share(right: BoolArray) -> float:
    return float(right.mean()) if len(right) else 0.0


def _check(
    champion: IntArray,
    challenger: IntArray,
    gold: IntArray,
    class_names: Sequence[str],
    slices: Mapping[str, BoolArray],
) -> None:
    _check_length("champion", champion, gold)
    _check_length("challenger", challenger, gold)
    for name, rows in slices.items():
        _check_length(f"slice {name!r}", rows, gold)
    if len(gold) and not 0 <= gold.min() <= gold.max() < len(class_names):
        raise BadInput(f"Gate rows need a class index from 0 to {len(class_names) - 1} each.")


def _check_length(what: str, array: IntArray | BoolArray, gold: IntArray) -> None:
    if len(array) != len(gold):
        raise BadInput(f"The {what} has {len(array)} rows, but {len(gold)} are to be judged.")
