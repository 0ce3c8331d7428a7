"""The last layer on the first token alone: the same logits, or the model as it was."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotator_core.specialists.first_token import drop_unread_tokens

SIZES = {"vocab_size": 50, "num_labels": 3, "initializer_range": 0.5}
WIDE = SIZES | {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 40,
}  # fmt: skip


def _make(name: str, config_name: str, **figures: Any) -> Any:
    import torch
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, config_name)(**figures)
    return getattr(transformers, name)(config).eval()


def _answer(model: Any) -> np.ndarray:
    import torch

    with torch.inference_mode():
        ids = torch.arange(60).view(4, 15) % 50
        mask = (torch.arange(15) < torch.tensor([[15], [9], [3], [1]])).long()
        return model(input_ids=ids, attention_mask=mask).logits.float().numpy()


@pytest.mark.parametrize(
    ("name", "config_name", "figures"),
    [
        ("BertForSequenceClassification", "BertConfig", WIDE),
        ("RobertaForSequenceClassification", "RobertaConfig", WIDE),
        ("XLMRobertaForSequenceClassification", "XLMRobertaConfig", WIDE),
        ("CamembertForSequenceClassification", "CamembertConfig", WIDE),
        ("ElectraForSequenceClassification", "ElectraConfig", WIDE),
        (
            "DistilBertForSequenceClassification",
            "DistilBertConfig",
            SIZES | {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 40},
        ),
    ],
)
def test_known_models_answer_the_same(name: str, config_name: str, figures: dict[str, Any]) -> None:
    model = _make(name, config_name, **figures)
    before = _answer(model)
    assert drop_unread_tokens(model) is True
    assert np.abs(_answer(model) - before).max() < 1e-5
    assert before.std() > 1e-2


@pytest.mark.parametrize("read", [lambda states: states.mean(dim=1), lambda states: states[:, 1]])
def test_a_model_that_reads_other_tokens_is_left_as_it_was(read: Callable[[Any], Any]) -> None:
    import torch

    class Pooler(torch.nn.Module):
        def forward(self, states: Any) -> Any:
            return read(states)

    model = _make("BertForSequenceClassification", "BertConfig", **WIDE)
    model.bert.pooler = Pooler()
    before = _answer(model)
    assert drop_unread_tokens(model) is False
    assert np.array_equal(_answer(model), before)


def test_an_unknown_model_is_left_as_it_was() -> None:
    model = _make("GPT2ForSequenceClassification", "GPT2Config", n_embd=16, n_layer=1, n_head=2, vocab_size=50)
    assert drop_unread_tokens(model) is False


def test_a_model_without_layers_is_left_as_it_was() -> None:
    model = _make("BertForSequenceClassification", "BertConfig", **WIDE | {"num_hidden_layers": 0})
    assert drop_unread_tokens(model) is False


def test_nan_weights_are_no_difference() -> None:
    model = _make("BertForSequenceClassification", "BertConfig", **WIDE)
    model.classifier.bias.data.fill_(float("nan"))
    assert drop_unread_tokens(model) is True
