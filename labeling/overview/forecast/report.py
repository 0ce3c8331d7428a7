"""A forecast as its page shows it: the modes side by side, accuracy against rows reviewed, advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotator_core.verifiers.advice import BetaAdvice, EpsilonAdvice, advise_beta, advise_epsilon, list_epsilons
from annotator_core.verifiers.forecast import Option, Rows, compare_rules, list_options, price_all_by_llm
from labeling.datasets.models import Dataset
from labeling.overview.forecast.facts import Facts, gather
from labeling.overview.forecast.votes import Pilot, pilot_of
from labeling.overview.forecast.words import Fact
from labeling.projects.models import Project
from labeling.runs.asking_form import Asking

NAMES: Mapping[str, Promise] = {
    "human": _("A person"),
    "llm": _("A language model"),
    "llm_then_human": _("A language model, then a person"),
}
STEPS = 10
"""Points of the figure beside its first; chosen."""
HALF_SCALE = 0.05
"""Room left and right of the accuracies on their axis; chosen."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a manager says beside the data set and the model: all may be unknown. target is 0 to 1."""

    usd_an_hour: float | None = None
    target: float | None = None
    cap_nano: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A mode with its name."""

    name: str
    option: Option

    @property
    def human_seconds(self) -> float:
        """Work of people."""
        return self.option.human_hours * 3600


@dataclass(frozen=True, slots=True)
class Point:
    """Expected accuracy of each mode where this share of all rows (0 to 1) is reviewed."""

    share: float
    accuracies: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Epsilon:
    """A rule for what is hard: how many must agree, the paper's epsilon, and the share of rows that are hard then.

    accuracy (0 to 1), nano, human_seconds: what is expected of the recommended mode under it, what that costs in
    nano-dollars, and the work of people.
    """

    min_agree: int
    epsilon: float
    hard_share: float
    is_advised: bool
    accuracy: float
    nano: int
    human_seconds: float


@dataclass(frozen=True, slots=True)
class Harm:
    """Shares of hard rows on which the model and the specialists are right, where its answers are the worse ones."""

    model: float
    pool: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """All that the page shows. `all_nano` is the price of asking about every row, None without a model.

    Rule and mode are chosen together: the modes side by side, `n_hard` and `beta` are of the advised rule `epsilon`,
    and `epsilons` are all rules, in the recommended mode.
    """

    lines: list[Line]
    best: Line
    facts: list[Fact]
    points: list[Point]
    scale: tuple[float, float]
    all_nano: int | None
    epsilons: list[Epsilon]
    epsilon: EpsilonAdvice | None
    beta: BetaAdvice
    pilot: Pilot | None
    n_hard: int
    harm: Harm | None
    is_model_measured: bool


def forecast_of(project: Project, dataset: Dataset, asking: Asking, wish: Wish) -> Forecast:
    """The forecast for one data set and the models of a plan: nothing is asked of anybody."""
    pilot = pilot_of(project, dataset)
    rules = list_epsilons(pilot.histogram, pilot.members) if pilot else []
    hard_share = rules[0][2] if rules else None
    facts = gather(project, dataset, pilot, asking, hard_share=hard_share, usd_an_hour=wish.usd_an_hour)
    by_rule = _rows_by_rule(facts.rows, rules)
    place, options = compare_rules(by_rule, facts.llm, facts.people, target=wish.target, cap_nano=wish.cap_nano)
    lines = [Line(str(NAMES[option.mode]), option) for option in options]
    best = next(line for line in lines if line.option.is_recommended)
    strictest = list_options(facts.rows, facts.llm, facts.people)
    is_reached = wish.target is None or best.option.accuracy >= wish.target
    return Forecast(
        lines=lines,
        best=best,
        facts=facts.listed,
        points=_points(facts, strictest),
        scale=_scale(options),
        all_nano=price_all_by_llm(dataset.row_count, facts.llm) if facts.llm else None,
        epsilons=_epsilons(facts, best.option, rules, by_rule, place) if rules else [],
        epsilon=advise_epsilon(rules, place, target=wish.target, is_reached=is_reached) if rules else None,
        beta=advise_beta(by_rule[place].n_hard),
        pilot=pilot,
        n_hard=by_rule[place].n_hard,
        harm=_harm(facts),
        is_model_measured=facts.llm is not None and facts.llm.right.rows > 0,
    )


def _rows_by_rule(rows: Rows, rules: Sequence[tuple[int, float, float]]) -> list[Rows]:
    """The rows under each rule, strictest first; as they are before any votes."""
    hard = [round(share * rows.n_rows) for _min_agree, _epsilon, share in rules] or [rows.n_hard]
    return [replace(rows, n_hard=count, n_left=rows.n_hard - count) for count in hard]


def _harm(facts: Facts) -> Harm | None:
    """None unless both are measured: the figures taken from elsewhere accuse no model."""
    pool, model = facts.rows.pool_hard_right, facts.llm.right if facts.llm else None
    if model is None or not (model.rows and pool.rows) or model.share >= pool.share:
        return None
    return Harm(model.share, pool.share)


def _epsilons(
    facts: Facts, best: Option, rules: Sequence[tuple[int, float, float]], by_rule: Sequence[Rows], place: int
) -> list[Epsilon]:
    """Cost against accuracy by the rule, in the recommended mode; the one at that place is advised."""
    priced = [list_options(rows, facts.llm, facts.people) for rows in by_rule]
    reviewed = [next(one for one in options if one.mode == best.mode) for options in priced]
    return [
        Epsilon(
            min_agree,
            epsilon,
            share,
            is_advised=number == place,
            accuracy=option.accuracy,
            nano=option.total_nano,
            human_seconds=option.human_hours * 3600,
        )
        for number, ((min_agree, epsilon, share), option) in enumerate(zip(rules, reviewed, strict=True))
    ]


def _accuracies(facts: Facts, options: Sequence[Option], part: float) -> tuple[float, ...]:
    """Of each mode where this part of the hard rows (0 to 1) is reviewed: the others keep the pool's class."""
    rows = facts.rows
    easy = (rows.n_rows - rows.n_hard) * rows.accepted_right.share
    left = (1 - part) * rows.n_hard * rows.pool_hard_right.share
    right = [option.accuracy * rows.n_rows - easy for option in options]
    return tuple((easy + left + part * one) / rows.n_rows if rows.n_rows else 1.0 for one in right)


def _points(facts: Facts, options: Sequence[Option]) -> list[Point]:
    """From nothing reviewed to every hard row."""
    rows = facts.rows
    if not rows.n_hard:
        return []
    parts = [rows.n_hard * step // STEPS / rows.n_hard for step in range(STEPS + 1)]
    return [Point(part * rows.n_hard / rows.n_rows, _accuracies(facts, options, part)) for part in parts]


def _scale(options: Sequence[Option]) -> tuple[float, float]:
    """The two ends of an axis on which all accuracies have room."""
    low, high = min(one.accuracy for one in options), max(one.accuracy for one in options)
    return max(0.0, low - HALF_SCALE), min(1.0, high + HALF_SCALE)
