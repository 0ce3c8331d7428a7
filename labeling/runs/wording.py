"""A policy in words: the same figures on the page of a new run and on that of a running one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotator_core.verifiers.contract import Strategy
from annotator_core.verifiers.prompts import ANSWER_TOKENS
from labeling.llm.engine import temperature_of
from labeling.runs.models import EXAMPLES, Aggregator, AnswerUse, AskStrategy, Mode, Run, VoteAhead
from labeling.runs.policies import CONFIDENT_FROM, MOST_EXAMPLES, Policy, propose_beta, usual_aggregator
from labeling.web.wording import word_number

Plan = Policy | Run
WAYS: Mapping[str, Promise] = {
    "majority": gettext_lazy("the majority vote"),
    "weighted_majority": gettext_lazy("the weighted vote"),
    "average": gettext_lazy("the averaged probability"),
    "dawid_skene": gettext_lazy("Dawid-Skene"),
    "naive_bayes": gettext_lazy("naive Bayes"),
    "stacker": gettext_lazy("logistic stacking"),
    "best_single": gettext_lazy("the best single specialist"),
}
"""What a sentence calls each way to combine votes."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One part of a policy: what it settles, and how; `is_open` where a named policy leaves it to people."""

    name: str
    text: str
    is_open: bool = False


def figures_of(plan: Plan, pool_size: int, *, is_certified: bool = False) -> list[Figure]:
    """All parts of a policy for a pool of so many specialists; `is_certified` as in `routing_sentence`."""
    who = _("A person decides") if plan.mode == Mode.HUMAN else _("A language model reviews")
    return [
        Figure(who, routing_sentence(plan, pool_size, is_certified=is_certified)),
        *asking_figures(plan),
        Figure(_("Consensus"), _consensus(plan)),
        Figure(_("Votes"), str(VoteAhead(plan.vote_ahead).label)),
        Figure(_("Hard pool"), _pool(plan), is_open=True),
        Figure(_("Learns from"), _material(plan)),
        Figure(_("Training"), _training(plan)),
        Figure(_("A new version votes"), _promotion(plan)),
        Figure(_("Accepted rows"), _renewal(plan)),
        Figure(_("Audit frame"), _("never trains") if plan.has_frame else _("none: every row may train")),
    ]


def asking_figures(plan: Plan) -> list[Figure]:
    """How a language model takes part, every figure of it; nothing where people review."""
    if plan.mode == Mode.HUMAN:
        return []
    strategy = AskStrategy(plan.ask_strategy)
    length = {"n": ANSWER_TOKENS[Strategy(strategy)]}
    return [
        Figure(_("A person decides"), people_sentence(plan)),
        Figure(_("It is asked"), _asked(plan)),
        *([Figure(_("Examples"), _examples(EXAMPLES[strategy]))] if strategy in EXAMPLES else []),
        Figure(_("Length of an answer"), _("at most %(n)d tokens, beside a class name") % length),
        Figure(_("Its answer"), _answer_use(plan)),
    ]


def _examples(count: int) -> str:
    """Which texts stand before a question."""
    words = {"n": count, "most": word_number(MOST_EXAMPLES)}
    return _("%(n)d before each text, the most similar of the newest %(most)s that people verified") % words


def _answer_use(plan: Plan) -> str:
    label = str(AnswerUse(plan.answer_use).label)
    if plan.mode == Mode.LLM or plan.answer_use == AnswerUse.REPLACE:
        return label
    words = _(
        "%(use)s; until an audit has measured both, a person decides where the votes outweigh it, and it is as sure as"
        " it says itself"
    )
    return words % {"use": label}


def review_sentence(plan: Plan, pool_size: int, *, is_certified: bool = False) -> str:
    """Who reviews which rows, as a whole sentence; `is_certified` as in `routing_sentence`."""
    routing = routing_sentence(plan, pool_size, is_certified=is_certified)
    if plan.mode == Mode.HUMAN:
        return _("a person decides %(routing)s.") % {"routing": routing}
    words = {"routing": routing, "people": people_sentence(plan)}
    return _("a language model reviews %(routing)s; a person decides %(people)s.") % words


def people_sentence(plan: Plan) -> str:
    """What a language model leaves to people."""
    if plan.mode == Mode.LLM:
        return _("where it names no class")
    shares = {"sure": _percent(plan.sure_from), "pool": _percent(CONFIDENT_FROM)}
    return (
        _(
            "where it names no class, is less than %(sure)s%% sure, or contradicts specialists who are at least "
            "%(pool)s%% sure"
        )
        % shares
    )


def _asked(plan: Plan) -> str:
    parts = [str(AskStrategy(plan.ask_strategy).label)]
    if plan.shows_votes:
        parts.append(_("with the specialists' votes"))
    words = {"n": plan.draws, "heat": f"{temperature_of(plan.draws):g}"}
    times = ngettext("once a text at temperature %(heat)s", "%(n)d times a text at temperature %(heat)s", plan.draws)
    return ", ".join([*parts, times % words])


def routing_sentence(plan: Plan, pool_size: int, *, is_certified: bool = False) -> str:
    """Which rows wait for their second review; `is_certified` where a certificate at the run's target error routes."""
    if plan.target_error is not None:
        return _target_sentence(plan.target_error, _agreement_sentence(plan, pool_size), is_certified=is_certified)
    if plan.review_budget is not None:
        return _("at most %(b)s%% of the rows, the least certain first") % {"b": f"{plan.review_budget:g}"}
    return _agreement_sentence(plan, pool_size)


def _target_sentence(target: float, agreement: str, *, is_certified: bool) -> str:
    words = {"t": f"{target:g}", "agreement": agreement}
    if is_certified:
        return _("every row that the certificate for at most %(t)s%% error does not cover") % words
    return _("%(agreement)s, until an audit certifies at most %(t)s%% error") % words


def _agreement_sentence(plan: Plan, pool_size: int) -> str:
    if plan.min_agree >= pool_size:
        return _("where not all specialists agree")
    return _("where fewer than %(a)d of %(m)d specialists agree") % {"a": plan.min_agree, "m": pool_size}


def _consensus(plan: Plan) -> str:
    aggregator = usual_aggregator(plan) if isinstance(plan, Policy) else Aggregator(plan.aggregator)
    if aggregator == Aggregator.RACE:
        return _("The race's winner; average probability until the audit has answers enough for a race")
    return str(aggregator.label)


def _pool(plan: Plan) -> str:
    if plan.beta is None:
        return _("no round starts by itself")
    return ngettext("%(n)s decided row starts a round", "%(n)s decided rows start a round", plan.beta) % {
        "n": word_number(plan.beta)
    }


def _material(plan: Plan) -> str:
    parts = [_("the hard pool alone")]
    if plan.replay_share:
        parts = [_("the hard pool and earlier verified rows (%(p)s%% of the set)") % {"p": _percent(plan.replay_share)}]
    if plan.random_share:
        parts.append(_("%(p)s%% of the pool drawn at random") % {"p": _percent(plan.random_share)})
    return "; ".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:g}"


def _training(plan: Plan) -> str:
    epochs = ngettext("%(n)d epoch", "%(n)d epochs", plan.epochs) % {"n": plan.epochs}
    facts = {"epochs": epochs, "rate": word_rate(plan.learning_rate), "batch": plan.batch_size}
    return _("%(epochs)s, learning rate %(rate)s, batches of %(batch)d") % facts


def word_rate(rate: float) -> str:
    """A learning rate as people write it: 2e-5."""
    mantissa, exponent = f"{rate:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def _promotion(plan: Plan) -> str:
    return _("only where it is better on held-out rows") if plan.is_gated else _("always, as it is after the training")


def _renewal(plan: Plan) -> str:
    if plan.renews_accepted:
        return _("vote again when the queue is empty, or when you ask")
    return _("keep the label of the pool that accepted them")


def word_aggregation(aggregation: Mapping[str, Any] | None) -> str:
    """What combines the votes of a generation, by its aggregation's state, within a sentence."""
    if aggregation is None:
        return _("the policy's own rule")
    name = str(aggregation["name"])
    return str(WAYS.get(name, name))


def beta_advice(beta: int, row_count: int) -> str:
    """Why a smaller hard pool is proposed for a data set of so many rows; empty where the named one fits."""
    proposed = propose_beta(beta, row_count)
    if proposed == beta:
        return ""
    facts = {"rows": word_number(row_count), "beta": word_number(beta), "proposed": word_number(proposed)}
    text = _("With %(rows)s rows a hard pool of %(beta)s would hardly ever fill: %(proposed)s is proposed here.")
    return text % facts
