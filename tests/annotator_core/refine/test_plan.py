"""Requests that fit and requests that do not."""

from dataclasses import replace
from pathlib import Path

import pytest

from annotator_core.errors import BadInput
from annotator_core.refine.plan import TrainingPlan, TrainingRow, check_request
from annotator_core.refine.table import TRAINERS, find_trainer
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.refine.models import NAMES, make_request

REQUEST = make_request(Path("model"))


def test_plan_has_the_papers_figures() -> None:
    plan = TrainingPlan()
    assert (plan.epochs, plan.learning_rate, plan.batch_size, plan.max_length) == (3, 2e-5, 16, 128)
    assert (plan.weight_decay, plan.seed, plan.precision) == (0.01, 0, "fp32")


def test_trained_map_is_the_given_one_where_each_class_has_a_label() -> None:
    request = replace(REQUEST, label_map=LabelMap(("a", "b", "c"), (1, 0, ABSTAIN)))
    assert (request.needs_new_head, request.trained_map) == (False, request.label_map)


def test_trained_map_is_the_identity_where_a_class_has_none() -> None:
    request = replace(REQUEST, label_map=LabelMap(("a", "b"), (1, 1)))
    assert (request.needs_new_head, request.trained_map) == (True, LabelMap(NAMES, (0, 1)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((), "There is no labeled text to fine-tune on."),
        ((TrainingRow("good", 2),), "Row 1 is of class 2; the classes are 0 to 1."),
        ((TrainingRow("good", 0), TrainingRow("bad", -1)), "Row 2 is of class -1; the classes are 0 to 1."),
        ((TrainingRow("good", 0, 0.0),), "Row 1 has the weight 0.0; leave a row out that shall not count."),
        ((TrainingRow("good", 0, float("nan")),), "Row 1 has the weight nan; leave a row out that shall not count."),
        ((TrainingRow(" ", 0),), "Row 1 cannot be learned: The text is empty."),
    ],
)
def test_rows_that_cannot_be_learned(rows: tuple[TrainingRow, ...], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_request(replace(REQUEST, rows=rows))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"epochs": 0}, "at least 1 epoch"),
        ({"batch_size": 0}, "1 row a batch"),
        ({"max_length": 4}, "8 tokens a text"),
        ({"learning_rate": float("inf")}, "learning rate must be above 0"),
        ({"weight_decay": 1.0}, "weight decay from 0 to below 1"),
        ({"precision": "fp16"}, "no precision 'fp16': choose fp32 or bf16"),
    ],
)
def test_figures_that_no_training_can_use(figures: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        check_request(make_request(Path("model"), **figures))


def test_map_to_a_class_that_does_not_exist() -> None:
    with pytest.raises(BadInput, match="names class 2; there are 2 classes"):
        check_request(make_request(Path("model"), targets=(0, 2)))


@pytest.mark.parametrize("backend", sorted(TRAINERS))
def test_table_leads_to_a_trainer(backend: str) -> None:
    assert find_trainer(backend).__name__ == "train"


def test_table_refuses_an_unknown_backend() -> None:
    with pytest.raises(BadInput, match="A 'jax' specialist cannot be trained: choose one of fake, linear, torch"):
        find_trainer("jax")
