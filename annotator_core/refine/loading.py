"""A model and its tokenizer from a folder, ready to be trained: fp32, safetensors only, no code of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotator_core.errors import BadInput, BadModelFolder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_model(folder: Path, **options: Any) -> tuple["PreTrainedModel", dict[str, Any]]:
    """Return a classifier on the CPU and what it lacked; raise BadModelFolder where it does not load."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32,
            output_loading_info=True, **options,
        )  # fmt: skip
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, SafetensorError) as error:
        raise BadModelFolder(f"The model in {folder} does not load: {type(error).__name__}: {error}") from error
    return model, loading


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """Return the tokenizer; raise BadModelFolder where it does not load or cannot fill up short texts."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError) as error:
        raise BadModelFolder(f"The tokenizer in {folder} does not load: {type(error).__name__}: {error}") from error
    if tokenizer.pad_token_id is None:
        raise BadModelFolder(f"The tokenizer in {folder} has no padding token, so its model cannot be trained.")
    return tokenizer


def tokenise_rows(
    tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel", texts: Sequence[str], max_length: int
) -> list[list[int]]:
    """Return the token ids of each text, cut at max_length; raise BadInput for a text the model cannot read."""
    token_ids: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=max_length)["input_ids"]
    embeddings: Any = model.get_input_embeddings()
    for number, ids in enumerate(token_ids, start=1):
        if not ids or max(ids) >= embeddings.num_embeddings:
            raise BadInput(f"Row {number} has no tokens that the model knows; leave it out of the training.")
    return token_ids
