"""The figures that a forecast rests on, each with its source: measured here, entered, or taken from elsewhere."""

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from annotator_core.verifiers.forecast import ACCEPTED_RIGHT, ENOUGH, POOL_HARD_RIGHT, Known, Llm, People, Rows
from labeling.datasets.models import Dataset
from labeling.labels.queries import PACE_GUESS_S, known_seconds
from labeling.overview.forecast.asked import model_facts
from labeling.overview.forecast.votes import Pilot, accepted_share, pool_on_hard
from labeling.overview.forecast.words import Fact, Found, accuracy_fact, best_known
from labeling.projects.models import Project
from labeling.runs.asking_form import Asking
from labeling.runs.pilots.figures import from_json
from labeling.runs.pilots.queries import measured_pilots
from labeling.web.wording import NANO, word_duration, word_money, word_number, word_percent

HARD_SHARE = 0.25
"""Of rows, before any votes. Source: reference.md, pool of tweets: .244."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the engine compares, and each figure for people. `llm` is None where no priced model is chosen."""

    rows: Rows
    llm: Llm | None
    people: People
    listed: list[Fact]


def gather(
    project: Project,
    dataset: Dataset,
    pilot: Pilot | None,
    asking: Asking,
    *,
    hard_share: float | None,
    usd_an_hour: float | None,
) -> Facts:
    """The facts for one data set and the models that are asked.

    `hard_share` is of the strictest rule, None before any votes.
    """
    rows, listed = _rows(project, dataset, pilot, hard_share)
    people, told = _people(project, usd_an_hour)
    listed += told
    llm, told = model_facts(project, dataset, asking) if asking.connections else (None, [])
    return Facts(rows, llm, people, listed + told)


def _rows(project: Project, dataset: Dataset, pilot: Pilot | None, hard_share: float | None) -> tuple[Rows, list[Fact]]:
    share = HARD_SHARE if hard_share is None else hard_share
    accepted, hard, hard_by = ACCEPTED_RIGHT, POOL_HARD_RIGHT, ""
    if pilot:
        audited = accepted_share(pilot.run)
        if audited and audited.value is not None and audited.rows >= ENOUGH:
            accepted = Known(audited.value, audited.rows)
        hard, hard_by = best_known(_pool_found(project, pilot), POOL_HARD_RIGHT)
    rows = Rows(dataset.row_count, round(share * dataset.row_count), accepted, hard)
    hard_words = _("%(share)s, %(rows)s rows") % {"share": word_percent(share), "rows": word_number(rows.n_hard)}
    return rows, [
        Fact(_("Rows with any disagreement"), hard_words, _votes_source(dataset, pilot), pilot is not None),
        accuracy_fact(_("Accepted labels that are right"), accepted, _("the audit")),
        accuracy_fact(_("The pool on hard rows"), hard, hard_by),
    ]


def _pool_found(project: Project, pilot: Pilot) -> list[Found]:
    """How often the pool is right on hard rows: by what people decided, and by what was known of pilots' rows."""
    found = [Found(pool_on_hard(pilot.run), _("people's decisions"))]
    for one in measured_pilots(project):
        if one.run_id == pilot.run.pk and one.figures:
            figures = from_json(one.figures)
            found.append(Found(figures.pool, _("the pilot")))
    return found


def _votes_source(dataset: Dataset, pilot: Pilot | None) -> str:
    if pilot is None:
        return _("no votes yet: a quarter, as in the reference data")
    words = {"n": word_number(pilot.rows), "run": pilot.run.number, "data": pilot.run.dataset}
    if pilot.run.dataset_id == dataset.pk:
        return _("votes of run %(run)d on %(n)s random rows") % words
    return _("votes of run %(run)d on %(n)s random rows of another data set, %(data)s") % words


def _people(project: Project, usd_an_hour: float | None) -> tuple[People, list[Fact]]:
    seconds = known_seconds(project)
    people = People(PACE_GUESS_S if seconds is None else seconds, usd_an_hour)
    source = _("decisions of the last 30 days") if seconds else _("a guess: nobody has decided enough yet")
    listed = [Fact(_("Time for a decision"), word_duration(people.seconds_a_row), source, seconds is not None)]
    if usd_an_hour is not None:
        listed.append(Fact(_("An hour of work"), word_money(int(usd_an_hour * NANO)), _("entered above"), True))
    right = accuracy_fact(_("People"), people.right, "")
    return people, [*listed, replace(right, source=_("counted as the truth, as in the paper"))]
