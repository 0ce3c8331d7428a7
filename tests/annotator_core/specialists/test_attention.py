"""Attention in one product: what torch's kernel gives, for any padding and length; other models as they were."""

from typing import Any

import numpy as np
import pytest

from annotator_core.specialists.attention import NAME, attend, join_attention
from tests.annotator_core.specialists.models import KNOWN, answer, make_bert, make_model


def _is_joined(model: Any) -> bool:
    return bool(model.config._attn_implementation == NAME)


@pytest.mark.parametrize("lengths", [(15, 9, 3, 1), (32, 32), (32, 5), (1,), (7, 7, 7)])
@pytest.mark.parametrize(("name", "config_name", "figures"), KNOWN)
def test_known_models_answer_the_same(
    name: str, config_name: str, figures: dict[str, Any], lengths: tuple[int, ...]
) -> None:
    import torch

    model = make_model(name, config_name, **figures).to(torch.bfloat16)
    before = answer(model.float(), lengths)
    assert join_attention(model.to(torch.bfloat16)) is True
    assert _is_joined(model)
    # In fp32, so that rounding hides no mistake.
    assert np.abs(answer(model.float(), lengths) - before).max() < 1e-5
    assert before.std() > 1e-2


@pytest.mark.parametrize("length", [1, 31, 32, 33, 100, 512, 513])
@pytest.mark.parametrize("is_masked", [True, False])
def test_each_token_takes_what_torch_says(length: int, is_masked: bool) -> None:
    import torch

    chance = torch.Generator().manual_seed(length)
    states = torch.randn(3, 3, 4, length, 16, generator=chance).bfloat16()
    mask = None
    if is_masked:
        mask = torch.arange(length) < torch.tensor([length, (length + 1) // 2, 1])[:, None]
        mask = mask[:, None, None, :].expand(3, 1, length, length)
    query, key, value = states
    module = type("Layer", (), {"is_causal": False})()
    found, _weights = attend(module, query, key, value, mask, scaling=0.3)
    wanted = torch.nn.functional.scaled_dot_product_attention(
        query.float(), key.float(), value.float(), attn_mask=mask, scale=0.3
    )
    assert found.shape == (3, length, 4, 16)
    assert (found.float() - wanted.transpose(1, 2)).abs().max() < 0.03


def test_a_text_of_nan_spoils_no_other() -> None:
    import torch

    states = torch.ones(2, 1, 5, 8, dtype=torch.bfloat16)
    states[0] = float("nan")
    found, _weights = attend(None, states, states, states, None, scaling=1.0)
    assert found[0].isnan().all()
    assert (found[1] == 1).all()


@pytest.mark.parametrize("figures", [{"is_decoder": True}, {}])
def test_other_models_are_left_as_they_were(figures: dict[str, Any]) -> None:
    import torch

    dtype = torch.bfloat16 if figures else torch.float32
    model = make_bert(**figures).to(dtype)
    before = answer(model)
    assert join_attention(model) is False
    assert not _is_joined(model)
    assert np.array_equal(answer(model), before)


def test_an_unknown_type_is_left_as_it_was() -> None:
    import torch

    model = make_model("GPT2ForSequenceClassification", "GPT2Config", n_embd=16, n_layer=1, n_head=2, vocab_size=50)
    assert join_attention(model.to(torch.bfloat16)) is False
