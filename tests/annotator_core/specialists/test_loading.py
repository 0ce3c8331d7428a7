"""A classifier from a folder: in the precision asked for, and complete."""

from pathlib import Path

import pytest

from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.loading import load_classifier


@pytest.mark.parametrize(("stored", "asked"), [("bf16", "fp32"), ("fp32", "bf16"), ("fp32", "fp16")])
def test_weights_are_read_in_the_precision_asked_for(classifier: Path, stored: str, asked: str) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    weights = {key: value.to(dtypes[stored]) for key, value in load_file(classifier / "model.safetensors").items()}
    save_file(weights, classifier / "model.safetensors", metadata={"format": "pt"})
    model = load_classifier(inspect_folder(classifier), asked, "cpu")
    assert {parameter.dtype for parameter in model.parameters()} == {dtypes[asked]}
