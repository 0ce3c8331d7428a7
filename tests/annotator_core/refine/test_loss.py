"""The loss through a label map, against hand-computed values and torch's own cross-entropy."""

import math

import pytest

from annotator_core.refine.loss import average, find_losses, find_wanted
from annotator_core.types import ABSTAIN, LabelMap


def test_wanted_labels_of_each_class() -> None:
    wanted = find_wanted(LabelMap(("a", "b", "c", "d"), (1, 0, 1, ABSTAIN)), 2)
    assert wanted.tolist() == [[False, True, False, False], [True, False, True, False]]


def test_loss_sums_the_labels_that_mean_the_class(torch) -> None:
    wanted = find_wanted(LabelMap(("a", "b", "c"), (0, 0, 1)), 2)
    losses = find_losses(torch.zeros(2, 3), wanted[[0, 1]])
    assert losses.tolist() == pytest.approx([-math.log(2 / 3), math.log(3)])


def test_loss_with_one_label_a_class_is_the_cross_entropy_to_the_bit(torch) -> None:
    logits = torch.randn(16, 3, generator=torch.Generator().manual_seed(1))
    classes = torch.arange(16) % 3
    losses = find_losses(logits, find_wanted(LabelMap(("a", "b", "c"), (0, 1, 2)), 3)[classes])
    assert torch.equal(losses, torch.nn.functional.cross_entropy(logits, classes, reduction="none"))


def test_loss_of_bf16_logits_is_computed_in_fp32(torch) -> None:
    wanted = find_wanted(LabelMap(("a", "b"), (0, 1)), 2)
    losses = find_losses(torch.tensor([[1.0, 2.0]], dtype=torch.bfloat16), wanted[[1]])
    assert (losses.dtype, losses.tolist()) == (torch.float32, pytest.approx([math.log(1 + math.exp(-1))]))


def test_an_abstaining_label_is_pushed_down_without_a_gap_in_the_gradient(torch) -> None:
    logits = torch.zeros(1, 3, requires_grad=True)
    find_losses(logits, find_wanted(LabelMap(("a", "b", "c"), (0, 1, ABSTAIN)), 2)[[0]]).sum().backward()
    assert logits.grad.tolist()[0] == pytest.approx([-2 / 3, 1 / 3, 1 / 3])


def test_average_counts_rows_by_weight(torch) -> None:
    assert average(torch.tensor([1.0, 4.0]), torch.tensor([1.0, 0.5])).item() == pytest.approx(2.0)
