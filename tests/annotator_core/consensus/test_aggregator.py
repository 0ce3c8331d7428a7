"""Ballots: what fits together, and what is refused."""

import numpy as np
import pytest

from annotator_core.consensus import aggregator
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.table import AGGREGATORS, fit_aggregator
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import make_votes


def test_votes_become_certain_probabilities():
    ballots = Ballots.from_votes(np.array([[1, ABSTAIN]]), 2)
    assert ballots.probs[0, 0].tolist() == [0, 1]
    assert np.isnan(ballots.probs[0, 1]).all()
    assert (len(ballots), ballots.n_specialists, ballots.n_classes) == (1, 2, 2)


@pytest.mark.parametrize("vote", [-2, 2])
def test_a_vote_outside_the_classes_is_refused(vote):
    with pytest.raises(BadInput, match="class indices 0 to 1"):
        Ballots.from_votes(np.array([[0, vote]]), 2)


def test_votes_and_probabilities_of_other_sizes_are_refused():
    with pytest.raises(BadInput, match="do not fit"):
        Ballots(np.zeros((2, 3), dtype=int), np.zeros((2, 2, 3), dtype=np.float32))


@pytest.mark.parametrize("name", AGGREGATORS)
def test_working_in_blocks_changes_no_bit(name, monkeypatch):
    ballots, gold = make_votes(101)
    fitted = fit_aggregator(name, ballots, gold)
    whole = fitted.predict(ballots)
    monkeypatch.setattr(aggregator, "BLOCK_CELLS", 9 * 7)
    assert fitted.predict(ballots).tobytes() == whole.tobytes()
