"""What the models of a plan cost and are worth, as pilots and runs measured it, else as their prompts let expect."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator_core.verifiers.contract import Example, Message, Plan, Question, ShownVote, Usage
from annotator_core.verifiers.contract import Price as TokenPrice
from annotator_core.verifiers.forecast import ABSTAINS, LLM_HARD_RIGHT, UNSURE, Known, Llm, join
from annotator_core.verifiers.money import cost_nano, worst_nano
from annotator_core.verifiers.prompts import answer_limit, write_messages
from labeling.datasets.models import Dataset
from labeling.llm.engine import plan_of
from labeling.llm.models import Connection, Price
from labeling.llm.queries import price_on, runs_asked, totals_of_connection
from labeling.overview.forecast.votes import left_to_people, model_on_audits, texts_of
from labeling.overview.forecast.words import Fact, Found, accuracy_fact, best_known
from labeling.projects.models import Project
from labeling.projects.queries import active_classes, guideline_text
from labeling.runs.asking_form import Asking
from labeling.runs.models import EXAMPLES, AskStrategy, LlmPilot, Mode, Run
from labeling.runs.pilots.figures import Counted, PilotFigures, from_json
from labeling.runs.pilots.queries import measured_pilots
from labeling.web.wording import word_money, word_number

CHARACTERS_A_TOKEN = 4  # chosen: usual for English; measured as soon as anything was asked
TOKENS_OUT, THOUGHTS_OUT = 12, 150  # chosen: a class name in JSON; steps of thinking before it
SECONDS_A_CALL = 1.0
VOTES = (ShownVote("specialist", "class", 0.9),) * 3
"""Stand-ins for what a question shows: only their length counts."""
RUNS_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens and seconds of one call, and how many answered calls of `by` say so: 0 for an estimate from texts."""

    usage: Usage
    calls: int
    seconds: float
    by: str = ""


@dataclass(frozen=True, slots=True)
class PilotPrice:
    """What asking about `rows` rows costs: calls and nano-dollars as expected, and the most that is set aside."""

    calls: int
    nano: int
    worst_nano: int


def model_facts(project: Project, dataset: Dataset, asking: Asking) -> tuple[Llm | None, list[Fact]]:
    """The models of the plan as one, None where one has no price; and each figure with its source."""
    pilots = measured_pilots(project)
    matching, models, listed = _matching(pilots, asking), [], []
    for connection in asking.connections:
        price = price_on(connection, timezone.localdate())
        tokens = tokens_of(project, dataset, connection, asking, pilots)
        own, told = _calls_of(connection, price, tokens, asking, matching)
        listed += told
        models += [own] if own else []
    if len(models) < len(asking.connections):
        return None, listed
    return _with_worth(join(models), project, asking, matching, listed)


def _calls_of(
    connection: Connection, price: Price | None, tokens: Tokens, asking: Asking, pilot: PilotFigures | None
) -> tuple[Llm | None, list[Fact]]:
    """One model's calls: tokens, price, time, and how many a row takes, what is asked again included."""

    def named(name: str) -> str:
        return name if len(asking.connections) == 1 else f"{name}, {connection}"

    words = {"in": word_number(tokens.usage.tokens_in), "out": word_number(tokens.usage.tokens_out)}
    used = Fact(named(_("Tokens a call")), _("%(in)s in, %(out)s out") % words, _token_source(tokens), tokens.calls > 0)
    if price is None:
        return None, [used, Fact(named(_("Price")), _("none yet"), _("the connection's price table"), False)]
    nano = cost_nano(tokens.usage, _engine_price(price))
    since = _("price table, since %(day)s") % {"day": price.valid_from.isoformat()}
    measured = pilot.measured_of(connection.pk) if pilot else None
    a_row = measured.calls / pilot.rows if pilot and measured else 0.0
    own = Llm(
        nano_a_call=nano,
        calls_a_row=max(float(asking.draws), a_row),
        seconds_a_call=tokens.seconds,
        concurrency=connection.concurrency,
        is_fused=asking.is_fused,
    )
    return own, [used, Fact(named(_("A call")), word_money(nano), since, True)]


def _with_worth(
    llm: Llm, project: Project, asking: Asking, pilot: PilotFigures | None, listed: list[Fact]
) -> tuple[Llm, list[Fact]]:
    """With how right the models are, and what they leave to people."""
    right, right_by = best_known(_rights(asking, pilot), LLM_HARD_RIGHT)
    left = left_to_people(project, asking)
    abstained = Counted(pilot.abstained, pilot.rows) if pilot else None
    doubted = pilot.count_unsure(asking.sure_from, is_fused=asking.is_fused) if pilot else None
    abstains, abstains_by = _left(left.get(Mode.LLM), abstained, ABSTAINS)
    unsure, unsure_by = _left(left.get(Mode.LLM_THEN_HUMAN), doubted, UNSURE)
    if abstains.share > unsure.share:
        abstains = Known(unsure.share, abstains.rows)
    fused, fused_by = best_known(_fused(asking, pilot), Known(0.0, 0))
    found = Llm(
        nano_a_call=llm.nano_a_call,
        calls_a_row=llm.calls_a_row,
        seconds_a_call=llm.seconds_a_call,
        concurrency=llm.concurrency,
        right=right,
        abstains=abstains,
        unsure=unsure,
        is_fused=asking.is_fused,
        fused=fused if fused.rows else None,
    )
    told = [
        _calls_fact(llm, asking),
        accuracy_fact(_("The model on hard rows"), right, right_by),
        *([accuracy_fact(_("The model fused with the votes"), fused, fused_by)] if fused.rows else []),
        accuracy_fact(_("Rows it leaves to people"), abstains, abstains_by),
        accuracy_fact(_("The same where people see what it is not sure of"), unsure, unsure_by),
    ]
    return found, listed + told


def _calls_fact(llm: Llm, asking: Asking) -> Fact:
    planned = asking.draws * len(asking.connections)
    is_more = round(llm.calls_a_row, 2) > planned
    words = word_number(llm.calls_a_row, 2 if is_more else 0)
    told = (
        _("the pilot, what was asked again included") if is_more else _("models times answers for a text, as planned")
    )
    return Fact(_("Calls a row"), words, told, True)


def _rights(asking: Asking, pilot: PilotFigures | None) -> list[Found]:
    found = [Found(pilot.right, _("the pilot"))] if pilot else []
    if len(asking.connections) == 1:
        found.append(Found(model_on_audits(asking.connections[0]), _("audited texts")))
    return found


def _fused(asking: Asking, pilot: PilotFigures | None) -> list[Found]:
    if pilot is None or not asking.is_fused:
        return []
    return [Found(pilot.fused, _("the pilot"))]


def _left(by_run: Counted | None, by_pilot: Counted | None, otherwise: Known) -> tuple[Known, str]:
    found = [Found(by_run, _("the newest run in this mode"))] if by_run else []
    return best_known(found + ([Found(by_pilot, _("the pilot"))] if by_pilot else []), otherwise)


def _matching(pilots: Sequence[LlmPilot], asking: Asking) -> PilotFigures | None:
    """The newest pilot on hard rows that asked these models in this way."""
    wanted = {one.pk for one in asking.connections}
    for pilot in pilots:
        asked = {one.pk for one in pilot.connections.all()}
        is_same = asked == wanted and _is_same_way(pilot, asking) and pilot.draws == asking.draws
        if is_same and pilot.run_id is not None and pilot.figures:
            return from_json(pilot.figures)
    return None


def _is_same_way(asked: Run | LlmPilot, asking: Asking) -> bool:
    return asked.ask_strategy == asking.strategy and asked.shows_votes == asking.shows_votes


def tokens_of(
    project: Project, dataset: Dataset, connection: Connection, asking: Asking, pilots: Sequence[LlmPilot]
) -> Tokens:
    """Of the newest pilot or run that asked the model in this way, else in any way, else of what would be sent.

    Runs ask in different words, and show examples or none: a mean over all of them would be of no run.
    """
    asked: list[Run | LlmPilot] = [
        one for one in pilots if one.figures and from_json(one.figures).measured_of(connection.pk)
    ]
    asked += Run.objects.filter(project=project, pk__in=runs_asked(connection)).order_by("-number")[:RUNS_LOOKED_AT]
    asked.sort(key=lambda one: one.created_at, reverse=True)
    alike = [one for one in asked if _is_same_way(one, asking)]
    newest = next(iter(alike + asked), None)
    if isinstance(newest, Run):
        return _tokens_of_run(newest, connection)
    return _tokens_of_pilot(newest, connection) if newest else estimate_tokens(project, dataset, asking)


def _tokens_of_run(run: Run, connection: Connection) -> Tokens:
    totals = totals_of_connection(connection, run=run.pk)
    means = (math.ceil(totals.mean_in), math.ceil(totals.mean_cached), math.ceil(totals.mean_out))
    seconds = totals.mean_ms / 1000 if totals.mean_ms else SECONDS_A_CALL
    return Tokens(Usage(*means), totals.stored, seconds, _("run %(run)d") % {"run": run.number})


def _tokens_of_pilot(pilot: LlmPilot, connection: Connection) -> Tokens:
    measured = from_json(pilot.figures or {}).measured_of(connection.pk)
    if measured is None:
        raise LookupError("a pilot without calls of this connection says nothing of its tokens")
    means = (math.ceil(measured.tokens_in), math.ceil(measured.tokens_cached), math.ceil(measured.tokens_out))
    day = {"day": timezone.localtime(pilot.created_at).date().isoformat()}
    return Tokens(Usage(*means), measured.calls, measured.seconds or SECONDS_A_CALL, _("the pilot of %(day)s") % day)


def estimate_tokens(project: Project, dataset: Dataset, asking: Asking) -> Tokens:
    """Of the prompts about some of the texts."""
    sent = _prompts(project, dataset, asking)
    characters = sum(len(message.content) for messages in sent for message in messages)
    tokens_in = math.ceil(characters / CHARACTERS_A_TOKEN / max(1, len(sent)))
    tokens_out = THOUGHTS_OUT if asking.strategy == AskStrategy.CHAIN_OF_THOUGHT else TOKENS_OUT
    return Tokens(Usage(tokens_in, 0, tokens_out, is_estimated=True), 0, SECONDS_A_CALL)


def price_pilot(project: Project, dataset: Dataset, asking: Asking, rows: int) -> PilotPrice | None:
    """What a pilot costs before it is started; None where a model has no price, or none is chosen."""
    plan, sent = _plan(project, asking), _prompts(project, dataset, asking)
    pilots, calls, nano, worst = measured_pilots(project), 0, 0, 0
    for connection in asking.connections:
        price = price_on(connection, timezone.localdate())
        if price is None:
            return None
        tokens = tokens_of(project, dataset, connection, asking, pilots)
        most = [worst_nano(messages, answer_limit(plan), _engine_price(price)) for messages in sent]
        calls += rows * asking.draws
        nano += rows * asking.draws * cost_nano(tokens.usage, _engine_price(price))
        worst += rows * asking.draws * math.ceil(sum(most) / max(1, len(most)))
    return PilotPrice(calls, nano, worst) if asking.connections else None


def _plan(project: Project, asking: Asking) -> Plan:
    return plan_of(
        classes=[one.name for one in active_classes(project)],
        strategy=asking.strategy,
        shows_votes=asking.shows_votes,
        draws=asking.draws,
        guideline=guideline_text(project),
    )


def _prompts(project: Project, dataset: Dataset, asking: Asking) -> list[tuple[Message, ...]]:
    """What would be sent about some texts, with stand-ins for examples and votes."""
    plan, texts = _plan(project, asking), texts_of(dataset)
    shown = tuple(Example(text, plan.classes[0]) for text in texts[: EXAMPLES.get(asking.strategy, 0)])
    votes = VOTES if asking.shows_votes else ()
    questions = [Question(0, text, votes, shown) for text in texts if plan.classes]
    return [write_messages(plan, one, capability_schema="json_schema", ask=0) for one in questions]


def _engine_price(price: Price) -> TokenPrice:
    return TokenPrice(float(price.input_usd), float(price.cached_usd), float(price.output_usd))


def _token_source(tokens: Tokens) -> str:
    if tokens.calls:
        text = ngettext("%(by)s, mean of %(n)s answered call", "%(by)s, mean of %(n)s answered calls", tokens.calls)
        return text % {"by": tokens.by, "n": word_number(tokens.calls)}
    return _("nothing was asked yet: the prompt about random texts, at four characters a token")
