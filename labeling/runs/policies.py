"""The policies of a run: the paper's, the recommended one, and what makes a policy impossible."""

from dataclasses import dataclass
from math import isfinite

from django.utils.translation import gettext as _

from labeling.runs.models import Aggregator, AnswerUse, AskStrategy, Mode, PolicyName, VoteAhead
from labeling.web.errors import ActionError

PAPER_BETA = 2_000
DEFAULT_BETA = 1_000
RANDOM_SHARE = 0.5  # docs/decisions/0016: hard rows alone teach a skewed world
ROWS_A_POOL = 4
"""A data set smaller than so many hard pools hardly ever fills one. Source: about a quarter of the rows is hard where
the specialists suit the data (reference.md, pool of tweets)."""
POOLS_PROPOSED = 16
"""Rows of the data set for each of the proposed pool: about four rounds where a quarter is hard; chosen."""
SMALLEST_PROPOSAL = 10
HIGHEST_TARGET = 50  # chosen: with half of the labels wrong there is nothing left to vouch for
MOST_DRAWS = 20  # chosen: agreement of twenty answers is known to a few points, and each costs as much as the first
CONFIDENT_FROM = 0.8
"""Confidence of the pool (0 to 1) from which an answer against it goes to a person; chosen, as that of an answer."""
MOST_EXAMPLES = 2_000
"""Verified texts that examples are chosen from, the newest; chosen: similar ones are among them, read in a second."""
MOST_EPOCHS, HIGHEST_RATE, LARGEST_BATCH = 100, 0.1, 1_024  # chosen: beyond them it is a slip of the keyboard


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run routes and learns: `min_agree` specialists must agree, or people review `review_budget` percent.

    With a `target_error` (percent of accepted rows) people review what the audit's certificate does not cover, and
    until there is one where the specialists disagree. `beta` decided hard rows start a round, None for never by itself.
    `replay_share` and `random_share` (0 to 1) are shares of the training set and of what people review for it. Without
    an aggregator it is `usual_aggregator`.

    In a `mode` with a language model it sees hard rows before people do: it is asked by `ask_strategy`, `draws` times a
    text, with the specialists' votes where `shows_votes`, and `answer_use` says what its answer is. An answer of at
    least `sure_from` (0 to 1) needs no person in the mode LLM_THEN_HUMAN.
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
    target_error: float | None = None
    mode: Mode = Mode.HUMAN
    answer_use: AnswerUse = AnswerUse.FUSE
    ask_strategy: AskStrategy = AskStrategy.ZERO_SHOT
    shows_votes: bool = False
    draws: int = 1
    sure_from: float = 0.8


def usual_aggregator(policy: Policy) -> Aggregator:
    """The policy's aggregator, or what its routing asks for: a budget a margin, a target error a certified score."""
    if policy.aggregator is not None:
        return policy.aggregator
    if policy.target_error is not None:
        return Aggregator.RACE
    return Aggregator.MAJORITY if policy.review_budget is None else Aggregator.AVERAGE


def paper_policy(
    pool_size: int,
    *,
    min_agree: int | None = None,
    beta: int = PAPER_BETA,
    seed: int | None = None,
    mode: Mode = Mode.HUMAN,
) -> Policy:
    """The paper's policy, exactly; in the mode LLM its answers are the labels, and people see what it cannot answer.

    Source: AutoAnnotator, eq. 3-7 and its hyperparameters (engine.md 1).
    """
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
        mode=mode,
        answer_use=AnswerUse.FUSE if mode == Mode.HUMAN else AnswerUse.REPLACE,
    )


def default_policy(
    pool_size: int,
    *,
    review_budget: float | None = None,
    target_error: float | None = None,
    beta: int = DEFAULT_BETA,
    seed: int | None = None,
    mode: Mode = Mode.HUMAN,
) -> Policy:
    """The recommended policy: the race's winner, averaged probability before there is one; rounds with a gate.

    People see any disagreement, the least certain rows within a budget, or what a certificate does not cover. Where a
    language model sees them alone, no random rows are mixed in: those are for people.
    Source: engine.md 1.
    """
    return Policy(
        min_agree=pool_size,
        review_budget=review_budget,
        target_error=target_error,
        seed=seed,
        name=PolicyName.DEFAULT,
        aggregator=Aggregator.RACE,
        beta=beta,
        random_share=0.0 if mode == Mode.LLM else RANDOM_SHARE,
        mode=mode,
    )


def propose_beta(beta: int, row_count: int) -> int:
    """The named beta, or a smaller one, a multiple of 10, for a data set that would hardly ever fill such a pool."""
    if row_count >= ROWS_A_POOL * beta:
        return beta
    return max(SMALLEST_PROPOSAL, row_count // POOLS_PROPOSED // 10 * 10)


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
    if policy.target_error is not None:
        _check_target(policy, policy.target_error)
    if usual_aggregator(policy) == Aggregator.RACE and not policy.has_frame:
        raise ActionError(
            _("The race is measured on the audit frame: keep its texts out of the training."), field="has_frame"
        )
    _check_learning(policy)
    _check_asking(policy)


def _check_asking(policy: Policy) -> None:
    if not 1 <= policy.draws <= MOST_DRAWS:
        raise ActionError(_("Ask each question 1 to %(most)d times.") % {"most": MOST_DRAWS}, field="draws")
    if not (isfinite(policy.sure_from) and 0 <= policy.sure_from <= 1):
        raise ActionError(_("A confidence lies between 0 and 100 percent."), field="sure_from")
    if policy.mode == Mode.LLM and policy.random_share:
        raise ActionError(
            _("Random rows are for people: there are none where a language model reviews alone."), field="random_share"
        )
    is_paper_with_model = policy.name == PolicyName.PAPER and policy.mode != Mode.HUMAN
    if is_paper_with_model and (policy.mode, policy.answer_use) != (Mode.LLM, AnswerUse.REPLACE):
        raise ActionError(
            _("In the paper a language model's answer is the label, and people see none: choose that, or no paper."),
            field="mode",
        )


def _check_target(policy: Policy, target_error: float) -> None:
    if not 0 < target_error <= HIGHEST_TARGET:
        raise ActionError(_("A target error is a percentage above 0, and at most 50."), field="target_error")
    if policy.review_budget is not None:
        raise ActionError(
            _("A target error says how much people review; a budget does, too. Choose one."), field="target_error"
        )
    if policy.vote_ahead == VoteAhead.POOL:
        raise ActionError(_("A target error needs all votes first: vote on everything at once."), field="vote_ahead")
    if usual_aggregator(policy) != Aggregator.RACE:
        raise ActionError(_("A certificate is given for the scores of the race's winner: take it."), field="aggregator")
    if not policy.renews_accepted:
        raise ActionError(
            _("Only where accepted rows may vote again can a certificate hold for them."), field="renews_accepted"
        )


def _check_learning(policy: Policy) -> None:
    if policy.beta is not None and policy.beta < 1:
        raise ActionError(_("A hard pool holds at least one row."), field="beta")
    if policy.vote_ahead == VoteAhead.POOL and policy.beta is None:
        raise ActionError(_("Say how many decided rows fill the hard pool (beta)."), field="beta")
    if policy.random_share and policy.vote_ahead == VoteAhead.POOL:
        raise ActionError(_("Random rows can be mixed in only where everything is voted on."), field="random_share")
    for name in ("replay_share", "random_share"):
        if not 0 <= getattr(policy, name) < 1:
            raise ActionError(_("A share is at least 0 and below 100 percent."), field=name)
    _check_training(policy)


def _check_training(policy: Policy) -> None:
    if not 1 <= policy.epochs <= MOST_EPOCHS:
        raise ActionError(_("A training takes 1 to %(most)d epochs.") % {"most": MOST_EPOCHS}, field="epochs")
    if not (isfinite(policy.learning_rate) and 0 < policy.learning_rate <= HIGHEST_RATE):
        raise ActionError(_("The learning rate lies above 0 and is at most 0.1."), field="learning_rate")
    if not 1 <= policy.batch_size <= LARGEST_BATCH:
        raise ActionError(_("A batch holds 1 to %(most)d texts.") % {"most": LARGEST_BATCH}, field="batch_size")
