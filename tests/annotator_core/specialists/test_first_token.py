"""The last layer on the first token alone: the same logits, or the model as it was."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotator_core.specialists.first_token import drop_unread_tokens
from tests.annotator_core.specialists.models import KNOWN, answer, make_bert, make_model


@pytest.mark.parametrize(("name", "config_name", "figures"), KNOWN)
def test_known_models_answer_the_same(name: str, config_name: str, figures: dict[str, Any]) -> None:
    model = make_model(name, config_name, **figures)
    before = answer(model)
    assert drop_unread_tokens(model) is True
    assert np.abs(answer(model) - before).max() < 1e-5
    assert before.std() > 1e-2


@pytest.mark.parametrize("read", [lambda states: states.mean(dim=1), lambda states: states[:, 1]])
def test_a_model_that_reads_other_tokens_is_left_as_it_was(read: Callable[[Any], Any]) -> None:
    import torch

    class Pooler(torch.nn.Module):
        def forward(self, states: Any) -> Any:
            return read(states)

    model = make_bert()
    model.bert.pooler = Pooler()
    before = answer(model)
    assert drop_unread_tokens(model) is False
    assert np.array_equal(answer(model), before)


def test_an_unknown_model_is_left_as_it_was() -> None:
    model = make_model("GPT2ForSequenceClassification", "GPT2Config", n_embd=16, n_layer=1, n_head=2, vocab_size=50)
    assert drop_unread_tokens(model) is False


def test_a_model_without_layers_is_left_as_it_was() -> None:
    model = make_bert(num_hidden_layers=0)
    assert drop_unread_tokens(model) is False


def test_nan_weights_are_no_difference() -> None:
    model = make_bert()
    model.classifier.bias.data.fill_(float("nan"))
    assert drop_unread_tokens(model) is True
