"""The best single specialist: who it is, and what happens where it abstains."""

import numpy as np
import pytest

from annotator_core.consensus import best_single
from annotator_core.consensus.aggregator import Ballots
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN


def _ballots(*columns):
    return Ballots.from_probs(np.array(columns, dtype=np.float32).transpose(1, 0, 2))


SURE, UNSURE, WRONG, SILENT = [0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [np.nan, np.nan]


@pytest.mark.parametrize(
    ("columns", "best"),
    [
        (([WRONG, SURE], [UNSURE, UNSURE]), 1),  # more right, though less sure
        (([UNSURE, UNSURE], [SURE, SURE]), 1),  # as right, lower log-loss
        (([SURE, SILENT], [UNSURE, UNSURE]), 1),  # an abstention is not right
        (([SURE], [SURE]), 0),
    ],
)
def test_the_best_by_hand(columns, best):
    ballots = _ballots(*columns)
    assert best_single.fit(ballots, np.zeros(len(ballots), dtype=int)).index == best


def test_where_it_abstains_the_others_average_answers():
    ballots = _ballots([SURE, SILENT, SILENT], [UNSURE, WRONG, SILENT], [WRONG, UNSURE, SILENT])
    probs = best_single.FittedSingle(0, 3, 2).predict(ballots)
    assert probs[:2] == pytest.approx(np.array([[0.9, 0.1], [0.4, 0.6]]))
    assert np.isnan(probs[2]).all()


def test_an_empty_pool_is_refused():
    with pytest.raises(BadInput, match="no specialist"):
        best_single.fit(Ballots.from_votes(np.empty((2, 0), dtype=int), 2), np.full(2, ABSTAIN))
