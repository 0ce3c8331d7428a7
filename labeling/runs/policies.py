"""The policies of a run: the paper's, the recommended one, and what makes a policy impossible."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from labeling.runs.models import Aggregator, PolicyName, VoteAhead
from labeling.web.errors import ActionError


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run routes and learns: `min_agree` specialists must agree, or people review `review_budget` percent.

    `beta` decided hard rows start a round, None for never by itself. `replay_share` and `random_share` (0 to 1) are
    shares of the training set and of what people review for it. The aggregator is majority without a budget.
    """

    min_agree: int
    review_budget: float | None = None
    seed: int | None = None
    name: PolicyName = PolicyName.CUSTOM
    aggregator: Aggregator | None = None
    vote_ahead: VoteAhead = VoteAhead.ALL
    beta: int | None = None
    replay_share: float = 0.2
    random_share: float = 0.0
    is_gated: bool = True
    has_frame: bool = True
    renews_accepted: bool = True
    epochs: int = 3
    learning_rate: float = 2e-5
    batch_size: int = 16


def paper_policy(pool_size: int, *, min_agree: int | None = None, beta: int = 2_000, seed: int | None = None) -> Policy:
    """The paper's policy, exactly. Source: AutoAnnotator, eq. 3-7 and its hyperparameters (engine.md 1)."""
    return Policy(
        min_agree=pool_size if min_agree is None else min_agree,
        seed=seed,
        name=PolicyName.PAPER,
        aggregator=Aggregator.MAJORITY,
        vote_ahead=VoteAhead.POOL,
        beta=beta,
        replay_share=0.0,
        is_gated=False,
        has_frame=False,
        renews_accepted=False,
    )


def default_policy(
    pool_size: int, *, review_budget: float | None = None, beta: int = 1_000, seed: int | None = None
) -> Policy:
    """The recommended policy: averaged probability, any disagreement or the least certain rows, rounds with a gate."""
    return Policy(
        min_agree=pool_size,
        review_budget=review_budget,
        seed=seed,
        name=PolicyName.DEFAULT,
        aggregator=Aggregator.AVERAGE,
        beta=beta,
    )


def check_policy(policy: Policy, pool_size: int) -> None:
    """Raises ActionError when the policy cannot be."""
    if pool_size < 1:
        raise ActionError(_("Choose at least one specialist."), field="versions")
    if not 1 <= policy.min_agree <= pool_size:
        raise ActionError(
            _("Between 1 and %(m)d specialists can be asked to agree.") % {"m": pool_size}, field="min_agree"
        )
    if policy.review_budget is not None and not 0 <= policy.review_budget <= 100:
        raise ActionError(_("A review budget is a percentage from 0 to 100."), field="review_budget")
    if policy.review_budget is not None and policy.vote_ahead == VoteAhead.POOL:
        raise ActionError(_("A review budget needs all votes first: vote on everything at once."), field="vote_ahead")
    _check_learning(policy)


def _check_learning(policy: Policy) -> None:
    if policy.beta is not None and policy.beta < 1:
        raise ActionError(_("A hard pool holds at least one row."), field="beta")
    if policy.vote_ahead == VoteAhead.POOL and policy.beta is None:
        raise ActionError(_("Say how many decided rows fill the hard pool (beta)."), field="beta")
    if policy.random_share and policy.vote_ahead == VoteAhead.POOL:
        raise ActionError(_("Random rows can be mixed in only where everything is voted on."), field="random_share")
    if not (0 <= policy.replay_share < 1 and 0 <= policy.random_share < 1):
        raise ActionError(_("Shares lie between 0 and 1."))
