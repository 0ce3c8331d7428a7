"""Packed weights: the same answers, where the machine can; the model as it was elsewhere."""

import numpy as np

from annotator_core.specialists.packed import can_pack, pack_linear_layers
from tests.annotator_core.specialists.test_first_token import WIDE, _answer, _make


def _plain_layers(model):
    import torch

    return [layer for layer in model.modules() if type(layer) is torch.nn.Linear]


def _in_bf16(**figures):
    import torch

    return _make("BertForSequenceClassification", "BertConfig", **(WIDE | figures)).to(torch.bfloat16)


def test_a_packed_model_answers_the_same():
    model = _in_bf16()
    before, count = _answer(model.float()), len(_plain_layers(model))
    model = _in_bf16()
    assert pack_linear_layers(model) == (count if can_pack() else 0)
    assert len(_plain_layers(model)) == (0 if can_pack() else count)
    assert np.abs(_answer(model) - before).max() < 0.05 * np.abs(before).max()
    assert before.std() > 1e-2


def test_a_model_in_fp32_is_left_as_it_was():
    model = _make("BertForSequenceClassification", "BertConfig", **WIDE)
    count = len(_plain_layers(model))
    assert (pack_linear_layers(model), len(_plain_layers(model))) == (0, count)
    assert count == 2 * 6 + 2
