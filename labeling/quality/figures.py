"""What an assessment holds, as values: stored as JSON by `to_json`, read back by `from_json`."""

from dataclasses import asdict, dataclass
from typing import Any

from annotator_core.agreement import FEWEST


@dataclass(frozen=True, slots=True)
class Share:
    """A share of rows with its 95% interval, all 0 to 1; `value` is None where nothing was measured."""

    value: float | None
    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True)
class RaceRow:
    """One way to combine the votes, measured by cross-validation on the fitting third.

    `name` as in the engine's table; `title` is the specialist's name for the best single one. `log_loss` in nats.
    """

    name: str
    title: str
    accuracy: Share
    log_loss: float
    is_winner: bool
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class Confusion:
    """A specialist on all audited rows: `counts` has a row a class and a column a class, then abstentions."""

    version_id: int
    name: str
    counts: tuple[tuple[int, ...], ...]
    accuracy: Share
    is_at_chance: bool


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows whose stated confidence lies between low and high: its mean, and the share that is right."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class AgreementFigure:
    """Agreement between people: `kind` is cohen, fleiss or krippendorff; `why_not` says why there is no value."""

    kind: str
    value: float | None
    low: float | None
    high: float | None
    items: int
    raters: int
    why_not: str

    @property
    def has_few(self) -> bool:
        """Whether there are too few texts for an interval, also where an older assessment stored one."""
        return self.items < FEWEST

    @property
    def has_interval(self) -> bool:
        """Whether the interval says anything: one without a width does not."""
        return self.low is not None and self.high is not None and self.low < self.high and not self.has_few


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning for the manager: a code the page knows and the names and numbers of its sentence."""

    code: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Second:
    """Labels that did not pass as the pool's own: `kind` is person or model, `share` of such labels (0 to 1).

    Of `rows` audited ones that another answer could measure `wrong` are wrong.
    """

    kind: str
    share: float
    wrong: int
    rows: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a quality page shows of a run. Certificates are rows of their own.

    `accepted`: labels that no person saw. `reviewed`: people's labels, measured where a second answer or verified gold
    exists. `overall`: all labels, reviewed ones taken as right where nothing measured them. Confusion columns and rows
    follow `class_ids`. `fit_rows` are texts that the race fits on, or may once there are enough, `certify_rows` all
    answered ones of the other third. Calibration is that of the aggregation in use, on the latter. `seconds`: labels of
    a second review by who gave them; empty in assessments from before they were told apart. `read_at`: when the
    answers were read (ISO 8601, UTC); empty in older assessments, too. `decided`: rows that people
    had decided for the run, `usable`: reviewed texts that its race could learn from, `learned`: those that its winner
    has learned from.
    """

    class_ids: tuple[int, ...]
    frame_texts: int
    drawn: int
    answered: int
    fit_rows: int
    certify_rows: int
    accepted: Share
    reviewed: Share
    overall: Share
    race: tuple[RaceRow, ...]
    why_winner: str
    confusions: tuple[Confusion, ...]
    calibration: tuple[CalibrationBin, ...]
    calibration_error: float | None
    agreement: tuple[AgreementFigure, ...]
    notices: tuple[Notice, ...]
    seconds: tuple[Second, ...] = ()
    read_at: str = ""
    decided: int = 0
    usable: int = 0
    learned: int = 0


def to_json(figures: Figures) -> dict[str, Any]:
    """What is stored."""
    return asdict(figures)


def from_json(stored: dict[str, Any]) -> Figures:
    """The figures as they were stored."""
    return Figures(
        **{name: stored[name] for name in _PLAIN},
        class_ids=tuple(stored["class_ids"]),
        accepted=Share(**stored["accepted"]),
        reviewed=Share(**stored["reviewed"]),
        overall=Share(**stored["overall"]),
        race=tuple(RaceRow(**row | {"accuracy": Share(**row["accuracy"])}) for row in stored["race"]),
        confusions=tuple(_confusion(row) for row in stored["confusions"]),
        calibration=tuple(CalibrationBin(**row) for row in stored["calibration"]),
        agreement=tuple(AgreementFigure(**row) for row in stored["agreement"]),
        notices=tuple(Notice(**row) for row in stored["notices"]),
        seconds=tuple(Second(**row) for row in stored.get("seconds", ())),
        read_at=stored.get("read_at", ""),
        decided=stored.get("decided", 0),
        usable=stored.get("usable", 0),
        learned=stored.get("learned", 0),
    )


_PLAIN = ("frame_texts", "drawn", "answered", "fit_rows", "certify_rows", "why_winner", "calibration_error")


def _confusion(stored: dict[str, Any]) -> Confusion:
    counts = tuple(tuple(row) for row in stored["counts"])
    return Confusion(**stored | {"counts": counts, "accuracy": Share(**stored["accuracy"])})
