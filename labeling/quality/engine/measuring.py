"""One measurement: from an audit's sheet to everything that a quality page shows."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from annotator_core.arrays import IntArray
from labeling.quality.engine.agreement import agreement
from labeling.quality.engine.race import certificates, race, winner_of
from labeling.quality.engine.shares import (
    accepted_share,
    calibration,
    confusions,
    findings_of,
    notices_of,
    overall_share,
    reviewed_share,
    seconds_of,
)
from labeling.quality.engine.sheet import Sheet, Way
from labeling.quality.figures import Figures, Notice
from labeling.quality.measured import Measured
from labeling.quality.queries import Look


@dataclass(frozen=True, slots=True)
class About:
    """What the figures need besides the answered texts.

    frame_texts, drawn, answered: texts of the data set, the answers read at `read_at`. members: (version id, name)
    in the order of the pool.
    is_fitted: labels of the run may know answers of the fitting third. by_pool, by_model, by_person,
    by_person_accepted: rows of the run with a label of that kind, the second a language model's, the last where the run
    asked nobody (an audit did, or it came in as verified). people (texts, persons): class indices, ABSTAIN where a
    person did not answer. targets in percent. usable: reviewed texts that the race could learn from. seen: looks at
    certificates before this one, look: run and generation of this one's.
    """

    generation: int
    class_ids: tuple[int, ...]
    members: Sequence[tuple[int, str]]
    in_use: Way
    is_fitted: bool
    targets: frozenset[float]
    frame_texts: int
    drawn: int
    answered: int
    read_at: datetime
    by_pool: int
    by_model: int
    by_person: int
    by_person_accepted: int
    people: IntArray
    usable: int
    seen: Set[Look]
    look: tuple[int, int]
    notices: Sequence[Notice]


def measure(sheet: Sheet, about: About) -> Measured:
    """The race, the certificates of its winner and all figures; the sheet holds at least one row."""
    names = [name for _id, name in about.members]
    outcome = race(sheet, names, about.in_use)
    look: Look = (*about.look, int((sheet.is_whole & ~sheet.is_fit).sum()), sheet.digest)
    winner = winner_of(outcome, about.in_use)
    found = certificates(sheet, winner, about.targets, look=len(about.seen | {look}))
    findings = findings_of(sheet)
    accepted, reviewed = accepted_share(sheet, is_fitted=about.is_fitted), reviewed_share(sheet)
    bins, error = calibration(sheet, about.in_use)
    figures = Figures(
        class_ids=about.class_ids,
        frame_texts=about.frame_texts,
        drawn=about.drawn,
        answered=about.answered,
        read_at=about.read_at.isoformat(),
        fit_rows=int(sheet.is_fitting.sum()),
        certify_rows=int((~sheet.is_fit).sum()),
        accepted=accepted,
        reviewed=reviewed,
        overall=overall_share(
            accepted,
            reviewed,
            by_machine=about.by_pool + about.by_model,
            by_person=about.by_person + about.by_person_accepted,
            rows=accepted.rows + int(np.sum(sheet.is_reviewed)),
        ),
        race=outcome.rows,
        why_winner=outcome.why,
        confusions=confusions(sheet, about.members, findings),
        calibration=bins,
        calibration_error=error,
        agreement=agreement(about.people),
        notices=(*notices_of(findings, names), *about.notices),
        decided=about.by_person,
        usable=about.usable,
        learned=outcome.reviewed,
        seconds=seconds_of(sheet, by_model=about.by_model, by_person=about.by_person, is_fitted=about.is_fitted),
    )
    return Measured(about.generation, sheet.digest, outcome.winner, outcome.aggregation, figures, found)
