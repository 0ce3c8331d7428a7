"""Weights of linear layers laid out once as a CPU's matrix unit reads them, not anew for each batch.

Source: oneDNN turns the weights of a plain layer into its own order at every call; laid out beforehand, as torch's
compiler does it, bf16 products of base shape on 2,000 tokens take 12 to 19% less time (benchmarks/runtime.py).
"""

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel


def pack_linear_layers(model: "PreTrainedModel") -> int:
    """Return how many linear layers of a loaded bf16 model on the CPU now hold packed weights; 0 where torch cannot.

    Its answers stay the same, bit for bit. Such a model votes only: packed weights are no parameters and cannot be
    trained or saved.
    """
    if not can_pack():
        return 0
    layers = [(name, layer) for name, layer in model.named_modules() if _is_plain(layer)]
    packed = [(name, pack_layer(cast("nn.Linear", layer))) for name, layer in layers]
    for name, layer in packed:
        parent, _dot, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer)
    return len(packed)


def can_pack() -> bool:
    """Return whether this torch has the products on packed weights, and this CPU does them in bf16."""
    import torch

    products = torch.ops.mkldnn
    has_products = hasattr(products, "_linear_pointwise") and hasattr(products, "_reorder_linear_weight")
    return has_products and torch.backends.mkldnn.is_available() and bool(products._is_mkldnn_bf16_supported())


def pack_layer(layer: "nn.Linear") -> "nn.Module":
    """Return a module that answers as the bf16 layer does, from packed weights."""
    import torch

    class Packed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.in_features, self.out_features = layer.in_features, layer.out_features
            self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach())
            bias: Tensor | None = layer.bias
            self._bias = None if bias is None else bias.detach()

        def forward(self, states: "Tensor") -> "Tensor":
            multiply = torch.ops.mkldnn._linear_pointwise
            return cast("Tensor", multiply(states, self._weight, self._bias, "none", [], ""))

    return Packed()


def _is_plain(layer: Any) -> bool:
    import torch

    return type(layer) is torch.nn.Linear and layer.weight.dtype == torch.bfloat16 and layer.weight.device.type == "cpu"
