from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest

from annotator_core.reproduce.consulted import Consulted, Replies
from annotator_core.reproduce.cost_tables import tell_costs, write_costs
from annotator_core.reproduce.costs import Price, find_cost, find_saved
from annotator_core.reproduce.kept import Votes
from annotator_core.reproduce.sets import find_sets
from annotator_core.reproduce.study import Measured

DATASET = find_sets(["specialist_votes_tweets"])[0]
PRICES = {"m": Price(1.0, 10.0, "May")}


@pytest.fixture
def measured():
    """Ten rows: four hard ones of 10 words, six of 5; half a second a specialist of three, 300 MB."""
    told = np.zeros((10, 6), dtype=np.int64)
    told[:4, 1] = 1
    probs = np.eye(3, dtype=np.float32)[told]
    seconds, words = np.full(6, 0.5, np.float32), np.array([10] * 4 + [5] * 6)
    none = np.empty((10, 0), np.int64)
    votes = Votes(DATASET.specialists, DATASET.classes, probs, told[:, 0], none, seconds, words, 3e8)
    return Measured(DATASET, votes, 1.0, ({},), ({},), ("majority",))


def _consult(measured, tokens_in):
    """Rows 2 to 5, two hard ones first: 100 and 3 tokens there, 40 and 1 on the others; 2 s and 1 s."""
    replies = Replies(
        np.zeros(4, np.int64), np.array(tokens_in), np.array([3.0, 3.0, 1.0, 1.0]), np.array([2.0, 2.0, 1.0, 1.0])
    )
    return replace(measured, consulted=Consulted(np.arange(2, 6), ("qwen",), (replies,), ()))


def test_without_an_endpoint_a_call_is_estimated_from_words(measured):
    cost = find_cost(measured, PRICES)
    every, hard = 1.33 * (7 + 25 + 3), 1.33 * (10 + 25 + 3)
    assert (cost.every.calls, cost.hard.calls) == (10, 4)
    assert cost.every.tokens == pytest.approx(10 * (every + 3))
    assert cost.hard.dollars[0] == pytest.approx(4 * (hard * 1.0 + 3 * 10.0) / 1e6)
    assert (cost.every.seconds, cost.pool_seconds, cost.pool_bytes) == pytest.approx((7.0, 1.5, 3e8))
    assert not cost.has_tokens
    assert "no real endpoint was measured" in tell_costs([measured], PRICES, 134_000_000)


def test_an_endpoints_own_counts_are_taken_from_all_asked_rows_and_from_hard_ones(measured):
    cost = find_cost(_consult(measured, [100.0, 100.0, 40.0, 40.0]), PRICES)
    assert (cost.every.tokens, cost.hard.tokens) == pytest.approx((10 * (70 + 2), 4 * (100 + 3)))
    assert (cost.every.seconds, cost.hard.seconds) == pytest.approx((15.0, 8.0))
    assert cost.every.dollars[0] == pytest.approx(10 * (70 * 1.0 + 2 * 10.0) / 1e6)
    assert cost.has_tokens


def test_tokens_that_the_endpoint_did_not_count_stay_estimated_and_are_told(measured):
    consulted = _consult(measured, [nan] * 4)
    mute = replace(consulted.consulted.verifier, tokens_out=np.full(4, nan))
    consulted = replace(consulted, consulted=replace(consulted.consulted, replies=(mute,)))
    cost = find_cost(consulted, PRICES)
    estimated = find_cost(measured, PRICES)
    assert (cost.every.tokens, cost.hard.tokens) == (estimated.every.tokens, estimated.hard.tokens)
    assert cost.every.seconds == 15.0
    told = tell_costs([consulted], PRICES, 134_000_000)
    assert "those of qwen at the real endpoint" in told
    assert "It counted no tokens on Tweets (sentiment), stored votes" in told


def test_what_is_saved_stands_in_each_column_and_memory_at_the_end(measured):
    consulted = _consult(measured, [100.0, 100.0, 40.0, 40.0])
    row = write_costs([consulted], PRICES).splitlines()[2].strip("| ").split(" | ")
    assert row[1:] == [
        "10, 4", "1, 0, 43%", "2", "15, 8, 47%", "37%", "0.001, 0.001, 42%", "300",
    ]  # fmt: skip


def test_what_nobody_measured_is_said(measured):
    votes = replace(measured.votes, seconds=np.full(6, nan, np.float32), peak_bytes=nan)
    row = write_costs([replace(measured, votes=votes)], PRICES).splitlines()[2].strip("| ").split(" | ")
    assert (row[3], row[5], row[-1]) == ("not measured", "not measured", "not measured")
    assert "134 MB" in tell_costs([measured], PRICES, 134_000_000)


def test_nothing_to_save_saves_nothing():
    assert find_saved(200.0, 300.0) == -0.5
    assert isnan(find_saved(0.0, 0.0))
