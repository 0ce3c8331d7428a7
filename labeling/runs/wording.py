"""A policy in words: the same figures on the page of a new run and on that of a running one."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.runs.models import Aggregator, Run, VoteAhead
from labeling.runs.policies import Policy, propose_beta
from labeling.web.wording import word_number

Plan = Policy | Run


@dataclass(frozen=True, slots=True)
class Figure:
    """One part of a policy: what it settles, and how; `is_open` where a named policy leaves it to people."""

    name: str
    text: str
    is_open: bool = False


def figures_of(plan: Plan, pool_size: int) -> list[Figure]:
    """All parts of a policy for a pool of so many specialists."""
    return [
        Figure(_("A person decides"), routing_sentence(plan, pool_size)),
        Figure(_("Consensus"), _consensus(plan)),
        Figure(_("Votes"), str(VoteAhead(plan.vote_ahead).label)),
        Figure(_("Hard pool"), _pool(plan), is_open=True),
        Figure(_("Learns from"), _material(plan)),
        Figure(_("Training"), _training(plan)),
        Figure(_("A new version votes"), _promotion(plan)),
        Figure(_("Accepted rows"), _renewal(plan)),
        Figure(_("Audit frame"), _("never trains") if plan.has_frame else _("none: every row may train")),
    ]


def routing_sentence(plan: Plan, pool_size: int) -> str:
    """Which rows wait for a person."""
    if plan.review_budget is not None:
        return _("at most %(b)s%% of the rows, the least certain first") % {"b": f"{plan.review_budget:g}"}
    if plan.min_agree >= pool_size:
        return _("where not all specialists agree")
    return _("where fewer than %(a)d of %(m)d specialists agree") % {"a": plan.min_agree, "m": pool_size}


def _consensus(plan: Plan) -> str:
    is_default = plan.aggregator is None or not plan.aggregator
    is_average = plan.review_budget is not None if is_default else plan.aggregator == Aggregator.AVERAGE
    return str((Aggregator.AVERAGE if is_average else Aggregator.MAJORITY).label)


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


def beta_advice(beta: int, row_count: int) -> str:
    """Why a smaller hard pool is proposed for a data set of so many rows; empty where the named one fits."""
    proposed = propose_beta(beta, row_count)
    if proposed == beta:
        return ""
    facts = {"rows": word_number(row_count), "beta": word_number(beta), "proposed": word_number(proposed)}
    text = _("With %(rows)s rows a hard pool of %(beta)s would hardly ever fill: %(proposed)s is proposed here.")
    return text % facts
