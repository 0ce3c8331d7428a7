"""From a model's labels to the project's classes, by hand."""

import numpy as np
import pytest

from annotator_core.specialists.mapping import (
    NOT_FINITE,
    OUTSIDE,
    explain_abstentions,
    find_margins,
    map_probs,
    softmax,
)
from annotator_core.types import ABSTAIN, LabelMap

MAP = LabelMap(("bad", "awful", "good", "spam"), (0, 0, 1, ABSTAIN))


def _map(*rows: list[float]) -> np.ndarray:
    return map_probs(np.array(rows, dtype=np.float32), MAP, 3)


def test_labels_of_one_class_are_summed_and_renormalised() -> None:
    assert _map([0.3, 0.1, 0.4, 0.2])[0] == pytest.approx([0.5, 0.5, 0.0])


def test_top_label_without_a_class_abstains() -> None:
    assert np.isnan(_map([0.2, 0.1, 0.1, 0.6])).all()


def test_a_class_without_a_label_gets_no_probability() -> None:
    assert _map([1.0, 0.0, 0.0, 0.0])[0].tolist() == [1.0, 0.0, 0.0]


def test_rows_that_are_not_finite_abstain_and_say_why() -> None:
    label_probs = np.array([[np.nan, 0, 0, 1], [np.inf, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=np.float32)
    probs = map_probs(label_probs, MAP, 3)
    assert explain_abstentions(label_probs, probs) == [NOT_FINITE, NOT_FINITE, OUTSIDE, None]
    assert np.isnan(probs).all(axis=1).tolist() == [True, True, True, False]


def test_no_rows_give_no_rows() -> None:
    assert map_probs(np.empty((0, 4), dtype=np.float32), MAP, 3).shape == (0, 3)


def test_softmax_by_hand_and_for_huge_logits() -> None:
    logits = np.array([[0.0, np.log(3.0)], [1e30, -1e30], [np.nan, 0.0], [np.inf, 0.0]], dtype=np.float32)
    probs = softmax(logits)
    assert probs[0] == pytest.approx([0.25, 0.75])
    assert probs[1].tolist() == [1.0, 0.0]
    assert np.isnan(probs[2:]).all()


def test_margins_are_the_smaller_of_those_of_labels_and_classes() -> None:
    logits = np.array(
        [
            [3.0, -9.0, 1.0, 2.5],  # spam is the nearest label
            [0.0, 0.0, np.log(2.0) + 0.1, -9.0],  # bad and awful together come near good
            [5.0, -9.0, 1.0, 0.0],
            [np.nan, 0.0, 0.0, 0.0],
            [np.inf, 0.0, 0.0, 0.0],
        ]
    )
    found = find_margins(logits.astype(np.float32), MAP, 3)
    assert found == pytest.approx([0.5, 0.1, 4.0, np.nan, np.nan], abs=1e-5, nan_ok=True)


def test_margins_of_a_model_with_one_class_are_those_of_its_labels() -> None:
    found = find_margins(np.array([[1.0, 0.5]], np.float32), LabelMap(("a", "b"), (1, ABSTAIN)), 2)
    assert found.tolist() == [0.5]
