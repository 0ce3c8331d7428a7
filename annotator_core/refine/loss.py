"""The loss of a row through a label map: how unlikely the model finds the labels that mean the row's class."""

from typing import TYPE_CHECKING

from annotator_core.types import LabelMap

if TYPE_CHECKING:
    from torch import Tensor


def find_wanted(label_map: LabelMap, class_count: int) -> "Tensor":
    """Return a bool tensor (k, labels): whether the label means the class. A label that abstains means none."""
    import torch

    targets = torch.tensor(label_map.targets)
    return torch.stack([targets == index for index in range(class_count)])


def find_losses(logits: "Tensor", wanted: "Tensor") -> "Tensor":
    """Return the loss of each row in nats (n): -log of the sum of p(label) over the wanted labels.

    logits: float (n, labels). wanted: bool (n, labels), at least one true in each row. With one wanted label a row this
    is the cross-entropy. Source: the paper's eq. 6-7, through a label map as engine.md 8 has it.
    """
    log_probs = logits.float().log_softmax(-1)
    return -log_probs.masked_fill(~wanted, float("-inf")).logsumexp(-1)


def average(losses: "Tensor", weights: "Tensor") -> "Tensor":
    """Return the mean of the losses (n), each row counting by its weight (n)."""
    return (losses * weights).sum() / weights.sum()
