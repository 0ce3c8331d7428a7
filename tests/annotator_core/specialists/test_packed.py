"""Packed weights: the same answers, where the machine can; the model as it was elsewhere."""

from typing import Any

import numpy as np
import pytest

from annotator_core.specialists import packed
from annotator_core.specialists.packed import can_pack, pack_linear_layers
from tests.annotator_core.specialists.models import KNOWN, answer, make_bert, make_model

WIDER = {"hidden_size": 256, "num_hidden_layers": 1}


def _plain_layers(model: Any) -> list[Any]:
    import torch

    return [layer for layer in model.modules() if type(layer) is torch.nn.Linear]


@pytest.mark.parametrize(("name", "config_name", "figures"), KNOWN)
def test_a_model_packed_for_bf16_answers_the_same(name: str, config_name: str, figures: dict[str, Any]) -> None:
    import torch

    exact = answer(make_model(name, config_name, **figures))
    model = make_model(name, config_name, **figures).to(torch.bfloat16)
    count, before = len(_plain_layers(model)), np.abs(answer(model) - exact).max()
    assert pack_linear_layers(model) == (count if can_pack() else 0)
    assert len(_plain_layers(model)) == (0 if can_pack() else count)
    assert np.abs(answer(model) - exact).max() < 1.5 * before + 0.02 * np.abs(exact).max()
    assert exact.std() > 1e-2


@pytest.mark.parametrize(("act", "is_taken"), [("gelu", True), ("relu", False), ("gelu_new", False)])
def test_a_gelu_goes_along_with_its_product_and_nothing_else_does(act: str, is_taken: bool) -> None:
    import torch

    exact = answer(make_bert(hidden_act=act))
    model = make_bert(hidden_act=act).to(torch.bfloat16)
    pack_linear_layers(model)
    left = [type(layer.intermediate.intermediate_act_fn) is torch.nn.Identity for layer in model.bert.encoder.layer]
    assert left == [is_taken and can_pack()] * 2
    assert np.abs(answer(model) - exact).max() < 0.05 * np.abs(exact).max()


def test_a_model_in_fp32_is_packed_where_that_is_clearly_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    # How fast the machine is, is set here to each case.
    monkeypatch.setattr(packed, "measure_layout_gain", lambda _width, _pack: 1.29)
    model = make_bert(**WIDER)
    before, count = answer(model), len(_plain_layers(model))
    assert (pack_linear_layers(model), len(_plain_layers(model))) == (0, count)
    monkeypatch.setattr(packed, "measure_layout_gain", lambda _width, _pack: 1.3)
    assert (pack_linear_layers(model), len(_plain_layers(model))) == (count, 0)
    assert np.abs(answer(model)).max() > 0
    assert np.abs(answer(model) - before).max() < 1e-5 * np.abs(before).max()


def test_a_narrow_model_in_fp32_is_left_as_it_was() -> None:
    model = make_bert()
    before = answer(model)
    assert (pack_linear_layers(model), len(_plain_layers(model))) == (0, 2 * 6 + 2)
    assert np.array_equal(answer(model), before)


def test_a_torch_without_the_products_leaves_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    for model in (make_bert().to(torch.bfloat16), make_bert(**WIDER)):
        count = len(_plain_layers(model))
        assert (pack_linear_layers(model), len(_plain_layers(model))) == (0, count)
