"""Shares of right labels, confusion and calibration: what a quality page draws."""

from collections.abc import Sequence

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.consensus.warnings import Finding, find_warnings
from annotator_core.contract.estimate import Estimate, Stratum, combine_strata, estimate_share
from annotator_core.types import ABSTAIN
from labeling.quality.engine.sheet import Sheet, Way
from labeling.quality.figures import CalibrationBin, Confusion, Notice, Second, Share

BINS = 10  # chosen, the usual number
TAKEN_AS_RIGHT = Estimate(1.0, 1.0, 1.0)


def accepted_share(sheet: Sheet, *, is_fitted: bool) -> Share:
    """How many of the labels that no person gave are right, each text as often as it stands in the data set.

    Where the labels were made by something `is_fitted` to the fitting third, that third says nothing: they know it.
    """
    rows = (sheet.labels != ABSTAIN) & ~(sheet.is_fit & is_fitted)
    return _share(sheet.is_right(sheet.labels)[rows], sheet.copies[rows])


def reviewed_share(sheet: Sheet) -> Share:
    """How many of people's labels another source agrees with, where there is one."""
    rows = sheet.is_reviewed & (sheet.second != ABSTAIN)
    return _share(sheet.is_right(sheet.second)[rows], sheet.copies[rows])


def seconds_of(sheet: Sheet, *, by_model: int, by_person: int, is_fitted: bool) -> tuple[Second, ...]:
    """Labels of a second review, a language model's and people's, by the numbers that there are of each.

    All are people's before there are any. Answers that a fusion was fitted to do not measure it.
    """
    given = sheet.is_model & (sheet.labels != ABSTAIN) & ~(sheet.is_fit & is_fitted)
    told = sheet.is_reviewed & (sheet.second != ABSTAIN)
    model = int(np.sum(given & ~sheet.is_right(sheet.labels))), int(np.sum(given))
    person = int(np.sum(told & ~sheet.is_right(sheet.second))), int(np.sum(told))
    share = by_model / (by_model + by_person) if by_model else 0.0
    found = (Second("model", share, *model), Second("person", 1.0 - share, *person))
    return tuple(one for one in found if one.share)


def overall_share(accepted: Share, reviewed: Share, *, by_machine: int, by_person: int, rows: int) -> Share:
    """How many of all labels are right, from the numbers of labels of either kind; `rows` audited texts say so.

    Nothing where there are labels that no person gave and none of them was measured.
    """
    count = by_machine + by_person
    if not count or (by_machine and accepted.value is None):
        return Share(None, 0.0, 1.0, 0)
    people = TAKEN_AS_RIGHT if reviewed.value is None else Estimate(reviewed.value, reviewed.low, reviewed.high)
    machines = Estimate(accepted.value, accepted.low, accepted.high)
    strata = [Stratum(by_machine / count, machines), Stratum(by_person / count, people)]
    found = combine_strata([stratum for stratum in strata if stratum.share])
    return Share(found.value, found.low, found.high, rows)


def confusions(sheet: Sheet, members: Sequence[tuple[int, str]], findings: Sequence[Finding]) -> tuple[Confusion, ...]:
    """Each specialist (version id, name) on all answered rows whose class the pool knows."""
    at_chance = {found.specialist for found in findings if found.code == "specialist_at_chance"}
    known = sheet.is_known
    gold, votes, k = sheet.gold[known], sheet.ballots.votes[known], sheet.ballots.n_classes
    return tuple(
        Confusion(
            version_id=version_id,
            name=name,
            counts=_counts(gold, votes[:, index], k),
            accuracy=_share(votes[:, index] == gold, None),
            is_at_chance=index in at_chance,
        )
        for index, (version_id, name) in enumerate(members)
    )


def findings_of(sheet: Sheet) -> tuple[Finding, ...]:
    """What the engine warns of on all answered rows, of specialists on those of draws that are answered whole.

    In a draw under way hard texts are answered first: on those, where they contradict each other, even specialists who
    are mostly right look like chance. The other warnings compare rows of one kind.
    """
    whole = np.flatnonzero(sheet.is_whole)
    singles = find_warnings(sheet.ballots.take(whole), sheet.gold[whole])
    others = find_warnings(sheet.ballots, sheet.gold, answers=sheet.answers)
    return (
        *(finding for finding in singles if finding.specialist is not None),
        *(finding for finding in others if finding.specialist is None),
    )


def notices_of(findings: Sequence[Finding], names: Sequence[str]) -> list[Notice]:
    """The warnings for the page."""
    return [
        Notice(
            found.code,
            {"name": "" if found.specialist is None else names[found.specialist], "rows": found.rows}
            | {"share": found.share, "other": found.other, "p_value": found.p_value},
        )
        for found in findings
    ]


def calibration(sheet: Sheet, in_use: Way) -> tuple[tuple[CalibrationBin, ...], float | None]:
    """Bins of stated confidence on answered certifying rows that got a class, and the expected calibration error."""
    rows = np.flatnonzero(~sheet.is_fit)
    found = in_use.combine(sheet.ballots.take(rows))
    voted = found.classes != ABSTAIN
    is_right = (found.classes == sheet.gold[rows])[voted]
    bins = _bins(found.confidence[voted], is_right)
    total = sum(one.rows for one in bins)
    error = sum(one.rows * abs(one.confidence - one.accuracy) for one in bins) / total if total else None
    return bins, error


def _share(is_right: BoolArray, weights: IntArray | None) -> Share:
    found = estimate_share(is_right, weights=weights)
    return Share(found.value, found.low, found.high, len(is_right))


def _counts(gold: IntArray, votes: IntArray, k: int) -> tuple[tuple[int, ...], ...]:
    counts = np.zeros((k, k + 1), dtype=np.int64)
    np.add.at(counts, (gold, np.where(votes == ABSTAIN, k, votes)), 1)
    return tuple(tuple(row) for row in counts.tolist())


def _bins(stated: FloatArray, is_right: BoolArray) -> tuple[CalibrationBin, ...]:
    places = np.clip(np.ceil(stated * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return tuple(
        CalibrationBin(
            low=index / BINS,
            high=(index + 1) / BINS,
            rows=int(inside.sum()),
            confidence=float(stated[inside].mean(dtype=np.float64)),
            accuracy=float(is_right[inside].mean()),
        )
        for index in range(BINS)
        if (inside := places == index).any()
    )
