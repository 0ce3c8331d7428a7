"""Small random classifiers of the known types, and what they answer to padded batches."""

from typing import Any

import numpy as np

SIZES = {"vocab_size": 50, "num_labels": 3, "initializer_range": 0.5}
WIDE = SIZES | {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 40,
}  # fmt: skip
KNOWN = [
    ("BertForSequenceClassification", "BertConfig", WIDE),
    ("RobertaForSequenceClassification", "RobertaConfig", WIDE),
    ("XLMRobertaForSequenceClassification", "XLMRobertaConfig", WIDE),
    ("CamembertForSequenceClassification", "CamembertConfig", WIDE),
    ("ElectraForSequenceClassification", "ElectraConfig", WIDE),
    (
        "DistilBertForSequenceClassification",
        "DistilBertConfig",
        SIZES | {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 40},
    ),
]
"""Class, class of the config, figures of the config."""


def make_model(name: str, config_name: str, **figures: Any) -> Any:
    """A random model, the same at every call."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, config_name)(**figures)
    return getattr(transformers, name)(config).eval()


def make_bert(**figures: Any) -> Any:
    """A random BERT, 16 wide unless told."""
    return make_model("BertForSequenceClassification", "BertConfig", **(WIDE | figures))


def answer(model: Any, lengths: tuple[int, ...] = (15, 9, 3, 1)) -> np.ndarray:
    """The logits of made-up texts of so many tokens, padded to the longest; no mask where nothing is padded."""
    import torch

    width = max(lengths)
    with torch.inference_mode():
        ids = torch.arange(width * len(lengths)).view(len(lengths), width) % 50
        mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
        given = {} if mask.all() else {"attention_mask": mask}
        return model(input_ids=ids, **given).logits.float().numpy()
