"""Weights of linear layers laid out once as a CPU's matrix unit reads them, not anew for each batch.

Source: oneDNN turns the weights of a plain layer into its own order at every call; laid out beforehand, as torch's
compiler does it, bf16 products of base shape on 2,048 tokens take 4 to 19% less time. In fp32 a plain layer is MKL's,
which on AMD's processors does 82 GFLOP/s a core where oneDNN does 203 (docs/decisions/0039).
"""

from statistics import mode
from typing import TYPE_CHECKING, Any, Final, cast

from annotator_core.precision import LEAST_GAIN, SMALLEST_WIDTH, measure_layout_gain
from annotator_core.specialists.first_token import KNOWN_ENCODERS

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

_ACTIVATED: Final = (("dense", "intermediate_act_fn"), ("lin1", "activation"))
"""By the names of BERT's kin and of DistilBERT: a layer, and the activation that follows it and nothing else."""


def pack_linear_layers(model: "PreTrainedModel") -> int:
    """Return how many linear layers of a loaded model on the CPU now hold packed weights; 0 where that is no use.

    In bf16 wherever torch can, in fp32 where a probe gains 1.3x. Known models take the GELU after a layer along with
    its product, before the sums are rounded. Such a model votes only: packed weights are no parameters and cannot be
    trained or saved.
    """
    layers = {name: cast("nn.Linear", layer) for name, layer in model.named_modules() if _is_plain(layer)}
    if not layers or not _is_worth_it(list(layers.values())):
        return 0
    fused = _take_activations(model, set(layers))
    packed = {name: pack_layer(layer, has_gelu=name in fused) for name, layer in layers.items()}
    for name, layer in packed.items():
        parent, _dot, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer)
    return len(packed)


def _is_plain(layer: Any) -> bool:
    import torch

    dtypes = {torch.bfloat16, torch.float32}
    return type(layer) is torch.nn.Linear and layer.weight.dtype in dtypes and layer.weight.device.type == "cpu"


def _is_worth_it(layers: list["nn.Linear"]) -> bool:
    import torch

    if any(layer.weight.dtype == torch.bfloat16 for layer in layers):
        return can_pack()
    width = mode(layer.in_features for layer in layers)
    return width >= SMALLEST_WIDTH and can_pack("fp32") and measure_layout_gain(width, pack_layer) >= LEAST_GAIN


def can_pack(precision: str = "bf16") -> bool:
    """Return whether this torch has the products on packed weights, and this CPU does them in the precision."""
    import torch

    products = torch.ops.mkldnn
    has_products = hasattr(products, "_linear_pointwise") and hasattr(products, "_reorder_linear_weight")
    if not has_products or not torch.backends.mkldnn.is_available():
        return False
    return precision == "fp32" or bool(products._is_mkldnn_bf16_supported())


def pack_layer(layer: "nn.Linear", *, has_gelu: bool = False) -> "nn.Module":
    """Return a module that answers as the layer does, from packed weights; has_gelu: and GELU after it."""
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
            # "none" is the form of GELU that is no approximation.
            after, form = ("gelu", "none") if has_gelu else ("none", "")
            return cast("Tensor", multiply(states, self._weight, self._bias, after, [], form))

    return Packed()


def _take_activations(model: "PreTrainedModel", layers: set[str]) -> set[str]:
    """Return the names of the layers that GELU follows, and take it out of the model."""
    import torch

    found = set()
    for name, part in model.named_modules():
        for layer, activation in _ACTIVATED:
            follows = f"{name}.{layer}" in layers and _is_gelu(getattr(part, activation, None))
            if model.config.model_type in KNOWN_ENCODERS and follows:
                found.add(f"{name}.{layer}")
                setattr(part, activation, torch.nn.Identity())
    return found


def _is_gelu(activation: object) -> bool:
    import torch
    from transformers.activations import GELUActivation

    return isinstance(activation, GELUActivation) and activation.act is torch.nn.functional.gelu
