"""A classifier's last layer over a project's own classes: grown from the one it has, or fresh on a base encoder.

Source: engine section 8: a head over the classes, initialised from the mapped rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotator_core.errors import BadInput, BadModelFolder
from annotator_core.refine.folders import copy_companions, write_beside
from annotator_core.refine.loading import load_model
from annotator_core.specialists.folder import inspect_encoder
from annotator_core.types import LabelMap

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

_USUAL_SPREAD = 0.02
"""Standard deviation of fresh weights where the config names none; BERT's."""


def find_head(model: "PreTrainedModel") -> tuple[str, "nn.Linear"]:
    """Return the name and the layer that gives the logits: the last linear one with as many outputs as labels.

    Raises BadModelFolder for a model built otherwise.
    """
    import torch

    found = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == model.config.num_labels
    ]
    if not found:
        raise BadModelFolder(
            f"{type(model).__name__} has no linear layer with {model.config.num_labels} outputs, so it can get no new "
            "classes: choose a model of another architecture."
        )
    return found[-1]


def replace_head(model: "PreTrainedModel", label_map: LabelMap, class_names: Sequence[str], *, seed: int) -> None:
    """Give the model a head over the classes, in place: each class begins as the mean of the labels that mean it.

    A class that no label means begins with the model's usual small random weights, drawn with the seed, and bias 0.
    Raises BadModelFolder as `find_head` does.
    """
    import torch

    _, head = find_head(model)
    old_bias: Tensor | None = head.bias
    weight = _draw_weights(model, len(class_names), head.in_features, seed)
    bias = None if old_bias is None else torch.zeros(len(class_names))
    with torch.no_grad():
        for index in range(len(class_names)):
            labels = [label for label, target in enumerate(label_map.targets) if target == index]
            if labels:
                weight[index] = head.weight[labels].mean(0)
            if labels and bias is not None and old_bias is not None:
                bias[index] = old_bias[labels].mean()
    _set_head(head, weight, bias)
    model.config.id2label = dict(enumerate(class_names))
    model.config.label2id = {name: index for index, name in enumerate(class_names)}


def write_fresh_head(base: Path, class_names: Sequence[str], out_folder: Path, *, seed: int) -> Path:
    """Return `out_folder`, a classifier over the classes: the base's encoder, its tokenizer, and a head drawn new.

    base: a folder with the safetensors of an encoder, or of a classifier whose head is then left behind. The same seed
    gives the same bytes. Raises BadModelFolder for a base that is refused or does not load, BadInput for fewer than two
    classes, StoreFull or StorageError where `out_folder` cannot be written.
    """
    if len(class_names) < 2:
        raise BadInput(f"A classifier needs at least 2 classes, not {len(class_names)}.")
    inspect_encoder(base)
    model = _load_encoder(base, class_names, seed)
    _, head = find_head(model)
    bias: Tensor | None = head.bias
    _set_head(
        head, _draw_weights(model, len(class_names), head.in_features, seed), None if bias is None else 0.0 * bias
    )
    with write_beside(out_folder) as beside:
        model.save_pretrained(beside)
        copy_companions(base, beside)
    return out_folder


def _load_encoder(base: Path, class_names: Sequence[str], seed: int) -> "PreTrainedModel":
    import torch

    names = dict(enumerate(class_names))
    with torch.random.fork_rng():
        # What the base lacks below the head (a pooler, a dense layer) is drawn while loading.
        torch.manual_seed(seed)
        model, loading = load_model(
            base, id2label=names, label2id={name: index for index, name in names.items()}, ignore_mismatched_sizes=True
        )
    _check_encoder(base, model, loading)
    return model


def _check_encoder(base: Path, model: "PreTrainedModel", loading: dict[str, Any]) -> None:
    body = f"{model.base_model_prefix}."
    keys = [*loading["missing_keys"], *(key for key, *_ in loading["mismatched_keys"])]
    missing = sorted(key for key in keys if key.startswith(body) and ".pooler." not in key)
    if missing:
        raise BadModelFolder(
            f"The weights in {base} lack {missing[0]} ({len(missing)} in all), so the encoder would know nothing: "
            "fetch or copy the model again."
        )


def _draw_weights(model: "PreTrainedModel", rows: int, columns: int, seed: int) -> "Tensor":
    import torch

    spread = float(getattr(model.config, "initializer_range", _USUAL_SPREAD))
    return torch.empty(rows, columns).normal_(0.0, spread, generator=torch.Generator().manual_seed(seed))


def _set_head(head: "nn.Linear", weight: "Tensor", bias: "Tensor | None") -> None:
    import torch

    head.out_features = len(weight)
    head.weight = torch.nn.Parameter(weight)
    if bias is not None:
        head.bias = torch.nn.Parameter(bias.detach())
