"""The three scripts of the pipeline and what each must hold: one function of a given name and given arguments.

Source: AutoAnnotator (arXiv 2506.16393), section 3: the meta-controller writes the code that deploys, runs and
fine-tunes the specialists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a script is for."""

    DEPLOY = "deploy"
    ANNOTATE = "annotate"
    FINE_TUNE = "fine_tune"


@dataclass(frozen=True, slots=True)
class Contract:
    """The function that a script must define. duty: what it does with its arguments, in words for whoever writes it."""

    function: str
    parameters: tuple[str, ...]
    returns: str
    duty: str


CONTRACTS: Final[Mapping[Kind, Contract]] = {
    Kind.DEPLOY: Contract(
        "deploy",
        ("folder",),
        "Callable[[list[str]], list[list[float]]]",
        "Load the text classifier of the folder and return a function. That function takes a list of texts and returns "
        "for each text, in order, the probabilities of the model's labels (softmax), in the order of its outputs.",
    ),
    Kind.ANNOTATE: Contract(
        "annotate",
        ("texts", "folder", "targets", "n_classes", "max_length"),
        "list[list[float] | None]",
        "Load the text classifier of the folder, cut texts at max_length tokens, and return for each text, in order, "
        "the probabilities of the n_classes classes. targets[i] is the class index that the model's label i means, or "
        "-1 for none: the softmax probabilities of the labels that mean a class are summed, then divided by the sum "
        "over all classes. Return None for a text whose most probable label means no class.",
    ),
    Kind.FINE_TUNE: Contract(
        "fine_tune",
        ("folder", "texts", "labels", "out_folder"),
        "None",
        "Load the text classifier of the folder and train it on the texts, whose labels are indices of the model's "
        "outputs: cross-entropy, AdamW, learning rate 2e-5, weight decay 0.01, 3 epochs, batches of 16 texts in an "
        "order drawn with a fixed seed, at most 128 tokens a text. Save the model with save_pretrained (safetensors) "
        "and the tokenizer with save_pretrained into out_folder.",
    ),
}


def write_signature(kind: Kind) -> str:
    """Return the first line of the function that a script of this kind must define."""
    contract = CONTRACTS[kind]
    types = {
        "texts": "list[str]",
        "labels": "list[int]",
        "targets": "list[int]",
        "n_classes": "int",
        "max_length": "int",
    }
    words = ", ".join(f"{name}: {types.get(name, 'str')}" for name in contract.parameters)
    return f"def {contract.function}({words}) -> {contract.returns}:"
