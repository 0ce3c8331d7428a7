"""An assessment as the quality page tells it: shares, certificates and prices, the race, what goes wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from labeling.quality.figures import AgreementFigure, Figures, Notice, RaceRow, Second, Share, from_json
from labeling.quality.models import Assessment, Certificate
from labeling.quality.notices import REMARKS, SEEN_LABELS, UNPROVEN, WARNINGS, sentences_of
from labeling.quality.planner import Pace, texts_left
from labeling.quality.plots import CalibrationPoint, HeatMap, Scale, calibration_points, heat_maps, scale_of
from labeling.quality.queries import AuditProgress
from labeling.quality.wording import (
    agreement_name,
    price_sentence,
    reach_word,
    way_hint,
    way_name,
    whole_sentence,
    why_undefined,
    winner_sentence,
)
from labeling.runs.models import Aggregator, AnswerUse, PolicyName, Run
from labeling.runs.queries import current_generation


@dataclass(frozen=True, slots=True)
class ShareLine:
    """One kind of labels with the share of them that is right; `note` says what was compared."""

    name: str
    note: str
    share: Share


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A target with its state; its price where it is not reached, else what it says of all labels."""

    certificate: Certificate
    state: str
    kind: str
    price: str
    whole: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class RaceLine:
    """A way to combine the votes, as the race's table names it."""

    row: RaceRow
    name: str
    hint: str
    is_in_use: bool

    @property
    def kind(self) -> str:
        """The colour of its interval."""
        return "good" if self.row.is_winner else "" if self.is_in_use else "quiet"


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """A measure of agreement, or why there is none."""

    figure: AgreementFigure
    name: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the page shows of one assessment."""

    assessment: Assessment
    figures: Figures
    shares: tuple[ShareLine, ...]
    share_scale: Scale
    certificates: tuple[CertificateLine, ...]
    race: tuple[RaceLine, ...]
    race_scale: Scale
    why_winner: str
    winner: RaceLine | None
    unused_winner: str
    heat_maps: tuple[HeatMap, ...]
    calibration: tuple[CalibrationPoint, ...]
    agreement: tuple[AgreementLine, ...]
    why_no_agreement: str
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]


def report_of(
    run: Run, assessment: Assessment, certificates: Iterable[Certificate], names: Mapping[int, str], pace: Pace
) -> Report:
    """The assessment with its certificates, told with the names of the project's classes; in use is what is so now."""
    figures = from_json(assessment.figures)
    race = _race(figures, way_in_use(run))
    winner = next((line for line in race if line.row.is_winner), None)
    return Report(
        assessment=assessment,
        figures=figures,
        shares=_shares(figures),
        share_scale=scale_of((figures.accepted, figures.reviewed, figures.overall)),
        certificates=tuple(_certificate(one, run, pace, figures) for one in certificates),
        race=race,
        race_scale=scale_of(row.accuracy for row in figures.race),
        why_winner=winner_sentence(figures),
        winner=winner,
        unused_winner=winner.name if winner and not winner.is_in_use else "",
        heat_maps=tuple(heat_maps(figures.confusions, figures.class_ids, names)),
        calibration=tuple(calibration_points(figures.calibration)),
        agreement=tuple(AgreementLine(one, agreement_name(one), why_undefined(one)) for one in figures.agreement),
        why_no_agreement=_why_no_agreement(figures),
        warnings=sentences_of(_warned(figures, run), WARNINGS),
        remarks=sentences_of(figures.notices, REMARKS),
    )


def _warned(figures: Figures, run: Run) -> list[Notice]:
    """The notices that concern what the run does with answers."""
    return [one for one in figures.notices if one.code != UNPROVEN or run.answer_use == AnswerUse.REPLACE]


def _shares(figures: Figures) -> tuple[ShareLine, ...]:
    return (
        ShareLine(_("Accepted labels"), _("no person saw them"), figures.accepted),
        ShareLine(_("Reviewed labels"), _("where a second answer tells"), figures.reviewed),
        ShareLine(_("All labels"), _("the two, by how many rows each has"), figures.overall),
    )


def _certificate(one: Certificate, run: Run, pace: Pace, figures: Figures) -> CertificateLine:
    left = texts_left(figures, one)
    state, kind = reach_word(one, left)
    price = price_sentence(one, seconds=pace.seconds, people=pace.people, left=left)
    whole = whole_sentence(one, _told_apart(figures))
    return CertificateLine(one, state, kind, capfirst(price), whole, one.target_error == run.target_error)


def _told_apart(figures: Figures) -> list[Second]:
    """Labels of a second review, people's in two parts: nobody measured those of people who had seen the votes."""
    found = next((one.values for one in figures.notices if one.code == SEEN_LABELS), None)
    seen = found["count"] / found["of"] if found else 0.0
    parts: list[Second] = []
    for one in figures.seconds:
        if one.kind == "person" and seen:
            parts += [replace(one, share=one.share * (1 - seen)), Second(one.kind, one.share * seen, 0, 0)]
        else:
            parts.append(one)
    return [one for one in parts if one.share]


def _why_no_agreement(figures: Figures) -> str:
    """Why no measure has a value; empty where one has."""
    if not figures.agreement or any(one.value is not None for one in figures.agreement):
        return ""
    return why_undefined(figures.agreement[-1])


def way_in_use(run: Run) -> str:
    """How the run's newest generation combines votes; a race without a winner yet takes the average."""
    aggregation = current_generation(run).aggregation
    if aggregation is not None:
        return str(aggregation["name"])
    return Aggregator.AVERAGE.value if run.aggregator == Aggregator.RACE else run.aggregator


def _race(figures: Figures, in_use: str) -> tuple[RaceLine, ...]:
    """The winner first, then by log-loss."""
    rows = sorted(figures.race, key=lambda row: (not row.is_winner, row.log_loss, row.name))
    return tuple(RaceLine(row, way_name(row.name), way_hint(row), row.name == in_use) for row in rows)


def changes_since(audit: AuditProgress, assessment: Assessment, figures: Figures) -> tuple[int, int]:
    """How many answers came since the assessment read them, and how many that it measured do not stand any more.

    Those were taken back or changed: a changed one counts among both.
    """
    read_at = datetime.fromisoformat(figures.read_at) if figures.read_at else assessment.created_at
    more = audit.answered - assessment.answered
    came = max(more, sum(at > read_at for at in audit.answered_at))
    return came, came - more


def may_use_winner(run: Run, report: Report) -> bool:
    """Whether a manager may let the run combine its votes by the winner."""
    if report.winner is None or report.winner.is_in_use or report.assessment.aggregation is None:
        return False
    return run.is_active and run.policy != PolicyName.PAPER and report.assessment.generation == run.generation
