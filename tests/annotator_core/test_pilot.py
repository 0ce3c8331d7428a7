"""The pilot's figures by hand, on fakes with keywords."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotator_core.errors import BadInput
from annotator_core.fakes.specialist import FakeSettings, FakeSpecialist
from annotator_core.pilot import Answered, count_votes, draw_rows, run_pilot
from annotator_core.specialists.contract import Identity, Prediction, SpecialistSpec
from annotator_core.types import LabelMap

LABELS = ("no", "yes")


def _voters(*answers: str) -> list[FakeSpecialist]:
    """One fake for each answer to texts with "odd"; to the others all say yes."""
    return [
        FakeSpecialist(
            SpecialistSpec(Path("unused"), LabelMap(LABELS, (0, 1)), 2, identity=Identity(f"s{number}")),
            FakeSettings(LABELS, noise=0.0, keywords={"odd": answer, "plain": "yes"}),
        )
        for number, answer in enumerate(answers)
    ]


POOL = _voters("yes", "yes", "no")
TEXTS = ["plain"] * 6 + ["odd"] * 2


def test_pilot_counts_what_the_pool_votes() -> None:
    found = run_pilot(TEXTS, POOL, n_rows=8, seconds_a_row=450.0)
    assert (found.n_rows, found.n_drawn, found.n_answered) == (8, 8, 0)
    assert found.histogram == ((0.0, 6), (pytest.approx(1 / 3), 2))
    assert [voter.class_shares for voter in found.voters] == [(0.0, 1.0), (0.0, 1.0), (0.25, 0.75)]
    # All rows were drawn, so the intervals are closed: 2 of 8 rows at 450 s are a quarter of an hour.
    assert found.hard == found.human_hours == (0.25, 0.25, 0.25)
    assert found.unanimous.value == 0.75
    assert found.majority_accuracy == found.accepted_accuracy == (None, 0.0, 1.0)


def test_pilot_takes_abstentions_for_what_they_are() -> None:
    found = run_pilot(["plain", ""], POOL, n_rows=100)
    assert [voter.abstained for voter in found.voters] == [0.5, 0.5, 0.5]
    assert (found.unanimous.value, found.hard.value) == (0.5, 0.5)


def test_pilot_measures_accuracy_on_answered_rows_alone() -> None:
    answered = Answered(["plain", "odd", "odd", "odd"], np.array([1, 1, 1, 0]))
    heard: list[int] = []
    found = run_pilot(TEXTS, POOL, n_rows=100, answered=answered, on_votes=heard.append)
    assert sum(heard) == count_votes(8, 4, 3) == (8 + 4 + 8 + 1) * 3
    assert [voter.accuracy.value for voter in found.voters] == [0.75, 0.75, 0.5]
    assert (found.majority_accuracy.value, found.accepted_accuracy.value, found.n_answered) == (0.75, 1.0, 4)


def test_pilot_with_another_rule_forecasts_fewer_rows() -> None:
    assert run_pilot(TEXTS, POOL, n_rows=100, min_agree=2).hard.value == 0.0


def test_draws_are_seeded_and_without_repeats() -> None:
    one, same, other = draw_rows(1_000, 50, 1), draw_rows(1_000, 50, 1), draw_rows(1_000, 50, 2)
    assert one.tolist() == same.tolist() != other.tolist()
    assert len(set(one.tolist())) == 50


@pytest.mark.parametrize(("texts", "seconds"), [([], 10.0), (["a"], -1.0), (["a"], float("nan"))])
def test_a_pilot_that_cannot_be_is_refused(texts: list[str], seconds: float) -> None:
    with pytest.raises(BadInput, match="needs texts"):
        run_pilot(texts, POOL, n_rows=10, seconds_a_row=seconds)
    with pytest.raises(BadInput, match="draw some hundred"):
        draw_rows(10, 0)
    with pytest.raises(BadInput, match="A seed counts from 0: -1 is none"):
        draw_rows(10, 5, -1)


class _Fresh(FakeSpecialist):
    """Takes a second for each of the first 256 different texts, and a hundred to load; later 10 ms for any text."""

    def __init__(self) -> None:
        spec = SpecialistSpec(Path("unused"), LabelMap(LABELS, (0, 1)), 2, identity=Identity("fresh"))
        super().__init__(spec, FakeSettings(LABELS, noise=0.0))
        self.learned = 0

    def to_state(self) -> Mapping[str, Any]:
        return {"learned": self.learned}

    def take_state(self, state: Mapping[str, Any]) -> None:
        self.learned = state["learned"]

    def predict(self, texts: Sequence[str], **given: Any) -> Prediction:
        slow = min(256 - self.learned, len(set(texts)))
        seconds = 100.0 * (not self.learned) + slow + 0.01 * (len(texts) - slow)
        self.learned += slow
        return replace(super().predict(texts, **given), seconds=seconds)


@pytest.mark.parametrize(("n_texts", "n_answered"), [(300, 0), (700, 0), (200, 100), (20, 0), (20, 9), (1, 0)])
def test_the_time_is_that_of_models_that_have_warmed_up(n_texts: int, n_answered: int) -> None:
    texts = [f"text {number}" for number in range(n_texts)]
    answered = Answered([f"answered {number}" for number in range(n_answered)], np.zeros(n_answered, dtype=np.int64))
    heard: list[int] = []
    found = run_pilot(texts, [_Fresh(), _Fresh()], n_rows=360_000, answered=answered, on_votes=heard.append)
    assert [voter.texts_per_s for voter in found.voters] == pytest.approx([100.0, 100.0])
    assert found.vote_hours == pytest.approx(2.0)
    assert sum(heard) == count_votes(n_texts, n_answered, 2)
