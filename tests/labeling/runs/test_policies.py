"""The named policies: the paper's to the letter, the recommended one, and what can be none."""

from dataclasses import replace

import pytest

from annotator_core.refine.plan import TrainingPlan
from labeling.runs.models import Aggregator, AskStrategy, Mode, PolicyName, VoteAhead
from labeling.runs.policies import (
    Policy,
    check_policy,
    default_policy,
    paper_policy,
    propose_beta,
    usual_aggregator,
)
from labeling.runs.wording import Figure, asking_figures, figures_of, routing_sentence, word_aggregation, word_rate
from labeling.web.errors import ActionError


def test_the_papers_policy_is_the_papers():
    """engine.md 1: every figure of the paper, and nothing of ours."""
    assert paper_policy(3) == Policy(
        min_agree=3,
        review_budget=None,
        seed=None,
        name=PolicyName.PAPER,
        aggregator=Aggregator.MAJORITY,
        vote_ahead=VoteAhead.POOL,
        beta=2_000,
        replay_share=0.0,
        random_share=0.0,
        is_gated=False,
        has_frame=False,
        renews_accepted=False,
        epochs=3,
        learning_rate=2e-5,
        batch_size=16,
    )


def test_a_training_is_the_papers_unless_told_otherwise():
    assert TrainingPlan() == TrainingPlan(
        epochs=3, learning_rate=2e-5, batch_size=16, max_length=128, weight_decay=0.01, seed=0, precision="fp32"
    )


def test_epsilon_is_how_many_of_the_pool_must_agree():
    assert paper_policy(5, min_agree=4).min_agree == 4


def test_the_recommended_policy():
    policy = default_policy(3)
    assert (policy.aggregator, policy.beta, policy.replay_share) == (Aggregator.RACE, 1_000, 0.2)
    assert policy.random_share == 0.5
    assert (policy.is_gated, policy.has_frame, policy.renews_accepted, policy.vote_ahead) == (True, True, True, "all")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"min_agree": 4}, "min_agree"),
        ({"review_budget": 101}, "review_budget"),
        ({"review_budget": 10}, "vote_ahead"),
        ({"beta": 0}, "beta"),
        ({"beta": None}, "beta"),
        ({"random_share": 0.5}, "random_share"),
        ({"replay_share": 1.0}, "replay_share"),
        ({"epochs": 101}, "epochs"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(changes, field):
    with pytest.raises(ActionError) as caught:
        check_policy(replace(paper_policy(3), **changes), 3)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target_error": 0.0}, "target_error"),
        ({"target_error": 50.1}, "target_error"),
        ({"target_error": float("nan")}, "target_error"),
        ({"target_error": 5.0, "review_budget": 10}, "target_error"),
        ({"target_error": 5.0, "vote_ahead": VoteAhead.POOL, "beta": 10}, "vote_ahead"),
        ({"target_error": 5.0, "aggregator": Aggregator.AVERAGE}, "aggregator"),
        ({"target_error": 5.0, "renews_accepted": False}, "renews_accepted"),
        ({"target_error": 5.0, "has_frame": False}, "has_frame"),
        ({"aggregator": Aggregator.RACE, "has_frame": False}, "has_frame"),
    ],
)
def test_a_target_error_and_a_race_need_what_they_stand_on(changes, field):
    check_policy(Policy(3, target_error=5.0), 3)
    with pytest.raises(ActionError) as caught:
        check_policy(replace(Policy(3), **changes), 3)
    assert caught.value.field == field


def test_the_aggregator_follows_the_routing_where_none_is_chosen():
    plans = [Policy(3), Policy(3, review_budget=5), Policy(3, target_error=5), Policy(3, aggregator=Aggregator.RACE)]
    assert [usual_aggregator(plan) for plan in plans] == ["majority", "average", "race", "race"]


def test_a_target_error_in_words():
    sentences = [routing_sentence(Policy(3, target_error=2.5), 3, is_certified=known) for known in (False, True)]
    assert sentences == [
        "where not all specialists agree, until an audit certifies at most 2.5% error",
        "every row that the certificate for at most 2.5% error does not cover",
    ]


def test_a_way_to_combine_votes_in_words():
    states = [None, {"name": "dawid_skene"}, {"name": "later"}]
    assert [word_aggregation(state) for state in states] == ["the policy's own rule", "Dawid-Skene", "later"]


@pytest.mark.parametrize(("rows", "beta"), [(4_000, 1_000), (3_999, 240), (1_600, 100), (40, 10)])
def test_a_pool_that_would_never_fill_is_made_smaller(rows, beta):
    assert propose_beta(1_000, rows) == beta


@pytest.mark.parametrize(("rate", "word"), [(2e-5, "2e-5"), (5e-4, "5e-4"), (0.00015, "1.5e-4"), (0.1, "1e-1")])
def test_a_learning_rate_is_written_as_people_write_it(rate, word):
    assert word_rate(rate) == word


def test_the_papers_policy_in_words():
    assert figures_of(paper_policy(3), 3) == [
        Figure("A person decides", "where not all specialists agree"),
        Figure("Consensus", "Majority"),
        Figure("Votes", "Stop when the hard pool is full, learn, go on"),
        Figure("Hard pool", "2,000 decided rows start a round", is_open=True),
        Figure("Learns from", "the hard pool alone"),
        Figure("Training", "3 epochs, learning rate 2e-5, batches of 16"),
        Figure("A new version votes", "always, as it is after the training"),
        Figure("Accepted rows", "keep the label of the pool that accepted them"),
        Figure("Audit frame", "none: every row may train"),
    ]


def test_a_custom_policy_in_words():
    policy = Policy(min_agree=2, random_share=0.5)
    assert [figure.text for figure in figures_of(policy, 3)][:5] == [
        "where fewer than 2 of 3 specialists agree",
        "Majority",
        "Vote on everything at once",
        "no round starts by itself",
        "the hard pool and earlier verified rows (20% of the set); 50% of the pool drawn at random",
    ]


def test_how_a_language_model_is_asked_in_words():
    """Also what no form asks for: temperature, examples, length, and whom an answer may not contradict."""
    given = {"mode": Mode.LLM_THEN_HUMAN, "ask_strategy": AskStrategy.FEW_SHOT, "draws": 3, "sure_from": 0.9}
    assert asking_figures(Policy(min_agree=2, **given)) == [
        Figure(
            "A person decides",
            "where it names no class, is less than 90% sure, or contradicts specialists who are at least 80% sure",
        ),
        Figure("It is asked", "Few-shot, by similarity, 3 times a text at temperature 0.7"),
        Figure("Examples", "5 before each text, the most similar of the newest 2,000 that people verified"),
        Figure("Length of an answer", "at most 64 tokens, beside a class name"),
        Figure(
            "Its answer",
            "It is one more vote; until an audit has measured both, a person decides where the votes outweigh it, "
            "and it is as sure as it says itself",
        ),
    ]


def test_a_language_model_that_decides_alone_in_words():
    policy = Policy(min_agree=2, mode=Mode.LLM, ask_strategy=AskStrategy.CHAIN_OF_THOUGHT, shows_votes=True)
    assert [figure.text for figure in asking_figures(policy)] == [
        "where it names no class",
        "Chain of thought, with the specialists' votes, once a text at temperature 0",
        "at most 512 tokens, beside a class name",
        "It is one more vote",
    ]
    assert asking_figures(Policy(min_agree=2)) == []
