"""The figures that a forecast rests on, each with its source: measured here, entered, or taken from elsewhere."""

import math
from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator_core.verifiers.contract import Price as TokenPrice
from annotator_core.verifiers.contract import Question, Usage
from annotator_core.verifiers.forecast import (
    ABSTAINS,
    ACCEPTED_RIGHT,
    ENOUGH,
    LLM_HARD_RIGHT,
    POOL_HARD_RIGHT,
    UNSURE,
    Known,
    Llm,
    People,
    Rows,
)
from annotator_core.verifiers.money import cost_nano
from annotator_core.verifiers.prompts import write_messages
from labeling.datasets.models import Dataset
from labeling.labels.queries import PACE_GUESS_S, known_seconds
from labeling.llm.engine import plan_of
from labeling.llm.models import Connection, Price
from labeling.llm.queries import price_on, runs_asked, totals_of_connection
from labeling.overview.forecast.votes import (
    Counted,
    Pilot,
    accepted_share,
    left_to_people,
    model_on_audits,
    pool_on_hard,
    texts_of,
)
from labeling.projects.models import Project
from labeling.projects.queries import guideline_text
from labeling.runs.models import Mode, Run
from labeling.web.wording import NANO, word_duration, word_money, word_number, word_percent

HARD_SHARE = 0.25
"""Of rows, before any votes. Source: reference.md, pool of tweets: .244."""
CHARACTERS_A_TOKEN = 4  # chosen: usual for English; measured as soon as anything was asked
TOKENS_OUT = 12  # chosen: a class name in JSON
SECONDS_A_CALL = 1.0


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure in words, and what it rests on; `is_measured` where it was found in this project."""

    name: str
    value: str
    source: str
    is_measured: bool


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one call, and how many answered calls of which run say so: 0 and None for an estimate from texts."""

    usage: Usage
    calls: int
    seconds: float
    run: Run | None = None

    @property
    def calls_a_row(self) -> int:
        """As many as that run drew answers for a text."""
        return self.run.draws if self.run else 1


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
    connection: Connection | None,
    *,
    hard_share: float | None,
    usd_an_hour: float | None,
) -> Facts:
    """The facts for one data set and one model; `hard_share` of the rule that is advised, None before any votes."""
    rows, listed = _rows(dataset, pilot, hard_share)
    people, told = _people(project, usd_an_hour)
    listed += told
    llm, told = _model(project, dataset, connection) if connection else (None, [])
    return Facts(rows, llm, people, listed + told)


def _rows(dataset: Dataset, pilot: Pilot | None, hard_share: float | None) -> tuple[Rows, list[Fact]]:
    share = HARD_SHARE if hard_share is None else hard_share
    accepted, hard = ACCEPTED_RIGHT, POOL_HARD_RIGHT
    if pilot:
        audited = accepted_share(pilot.run)
        if audited and audited.value is not None and audited.rows >= ENOUGH:
            accepted = Known(audited.value, audited.rows)
        hard = _known(pool_on_hard(pilot.run), POOL_HARD_RIGHT)
    rows = Rows(dataset.row_count, round(share * dataset.row_count), accepted, hard)
    hard_words = _("%(share)s, %(rows)s rows") % {"share": word_percent(share), "rows": word_number(rows.n_hard)}
    return rows, [
        Fact(_("Hard rows"), hard_words, _votes_source(dataset, pilot), pilot is not None),
        _accuracy(_("Accepted labels that are right"), accepted, _("the audit")),
        _accuracy(_("The pool on hard rows"), hard, _("people's decisions")),
    ]


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
    right = _accuracy(_("People"), people.right, "")
    return people, [*listed, replace(right, source=_("counted as the truth, as in the paper"))]


def _model(project: Project, dataset: Dataset, connection: Connection) -> tuple[Llm | None, list[Fact]]:
    price = price_on(connection, timezone.localdate())
    tokens = _tokens(project, dataset, connection)
    listed = [Fact(_("Tokens a call"), _token_words(tokens), _token_source(tokens), tokens.calls > 0)]
    if price is None:
        return None, [*listed, Fact(_("Price"), _("none yet"), _("the connection's price table"), False)]
    nano = cost_nano(tokens.usage, _engine_price(price))
    right, left = _known(model_on_audits(connection), LLM_HARD_RIGHT), left_to_people(project)
    abstains, unsure = _left(left.get(Mode.LLM), ABSTAINS), _left(left.get(Mode.LLM_THEN_HUMAN), UNSURE)
    if abstains.share > unsure.share:
        abstains = Known(unsure.share, abstains.rows)
    llm = Llm(
        nano_a_call=nano,
        calls_a_row=tokens.calls_a_row,
        seconds_a_call=tokens.seconds,
        concurrency=connection.concurrency,
        right=right,
        abstains=abstains,
        unsure=unsure,
        is_fused=True,
    )
    since = _("price table, since %(day)s") % {"day": price.valid_from.isoformat()}
    left_source = _("the newest run in this mode")
    return llm, [
        *listed,
        Fact(_("A call"), word_money(nano), since, True),
        Fact(_("Calls a row"), word_number(tokens.calls_a_row), _calls_source(tokens), tokens.calls > 0),
        _accuracy(_("The model on hard rows"), right, _("audited texts")),
        _accuracy(_("Rows it leaves to people"), abstains, left_source),
        _accuracy(_("The same where people see what it is not sure of"), unsure, left_source),
    ]


def _tokens(project: Project, dataset: Dataset, connection: Connection) -> Tokens:
    """Of the newest run that asked the model, else of what would be sent about some of the texts.

    Runs ask in different words, and show examples or none: a mean over all of them would be of no run.
    """
    run = Run.objects.filter(project=project, pk__in=runs_asked(connection)).order_by("-number").first()
    if run is not None:
        totals = totals_of_connection(connection, run=run.pk)
        means = (math.ceil(totals.mean_in), math.ceil(totals.mean_cached), math.ceil(totals.mean_out))
        seconds = totals.mean_ms / 1000 if totals.mean_ms else SECONDS_A_CALL
        return Tokens(Usage(means[0], means[1], means[2]), totals.stored, seconds, run)
    classes = list(project.classes.filter(is_retired=False).values_list("name", flat=True))
    plan = plan_of(classes=classes, strategy="zero-shot", guideline=guideline_text(project))
    texts = texts_of(dataset)
    sent = [write_messages(plan, Question(0, text), capability_schema="json_schema", ask=0) for text in texts]
    characters = sum(len(message.content) for messages in sent for message in messages)
    tokens_in = math.ceil(characters / CHARACTERS_A_TOKEN / max(1, len(texts)))
    return Tokens(Usage(tokens_in, 0, TOKENS_OUT, is_estimated=True), 0, SECONDS_A_CALL)


def _engine_price(price: Price) -> TokenPrice:
    return TokenPrice(float(price.input_usd), float(price.cached_usd), float(price.output_usd))


def _token_words(tokens: Tokens) -> str:
    words = {"in": word_number(tokens.usage.tokens_in), "out": word_number(tokens.usage.tokens_out)}
    return _("%(in)s in, %(out)s out") % words


def _token_source(tokens: Tokens) -> str:
    if tokens.run:
        text = ngettext(
            "run %(run)d, mean of %(n)s answered call", "run %(run)d, mean of %(n)s answered calls", tokens.calls
        )
        return text % {"run": tokens.run.number, "n": word_number(tokens.calls)}
    return _("nothing was asked yet: the prompt about random texts, at four characters a token")


def _calls_source(tokens: Tokens) -> str:
    if tokens.run:
        return _("answers that run %(run)d drew for a text") % {"run": tokens.run.number}
    return _("one answer for a text")


def _known(found: Counted, otherwise: Known) -> Known:
    """What was measured on enough rows, else what is taken from elsewhere."""
    return Known(found.hits / found.rows, found.rows) if found.rows >= ENOUGH else otherwise


def _left(found: Counted | None, otherwise: Known) -> Known:
    return otherwise if found is None else _known(found, otherwise)


def _accuracy(name: str, known: Known, measured_by: str) -> Fact:
    if known.rows:
        words = {"by": measured_by, "n": word_number(known.rows)}
        return Fact(name, word_percent(known.share), _("%(by)s, %(n)s rows") % words, True)
    return Fact(name, word_percent(known.share), _("not measured yet; from the reference data"), False)
