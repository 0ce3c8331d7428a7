"""A transformer votes: logits in fp32, batches of texts of like length."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from annotator_core.scripts.standalone.values import Floats, Ints, Refused, Voter
from annotator_core.scripts.standalone.words import (
    BATCH_TOKENS,
    SMALL_WINDOW_ROWS,
    WINDOW_ROWS,
    Tokens,
    pad,
    tokenise,
)

DEFAULT_LENGTH: Final = 512
"""Where neither model nor tokenizer names a limit."""
NO_LIMIT: Final = 1_000_000
OFFSET_TYPES: Final = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "data2vec-text", "ibert", "longformer", "xmod"}
)
"""Models whose positions start behind the padding id, so that two of them hold no token."""


def predict_transformer(voter: Voter, folder: Path, texts: list[str], device: str) -> Floats:
    """Return the logits (n, labels) of distinct, usable texts; NaN where the model gave none.

    Weights are read from safetensors, in fp32, and no code of the model's own is ever run. Raises Refused for a model
    with other labels.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    model = model.eval().to(device)
    _check_labels(voter, model)
    logits = np.full((len(texts), len(voter.labels)), np.nan, dtype=np.float32)
    length = min(find_length(folder), voter.max_length or NO_LIMIT)
    for low in range(0, len(texts), WINDOW_ROWS):
        tokens = tokenise(tokenizer, texts[low : low + WINDOW_ROWS], length)
        _run(model, tokenizer, tokens, logits[low : low + WINDOW_ROWS])
    return logits


def find_length(folder: Path) -> int:
    """Return how many tokens a text may have: the smaller limit of model and tokenizer."""
    config = json.loads((folder / "config.json").read_bytes())
    named = folder / "tokenizer_config.json"
    tokenizer = json.loads(named.read_bytes()) if named.is_file() else {}
    positions = config.get("max_position_embeddings", config.get("n_positions"))
    offset = 2 if config.get("model_type") in OFFSET_TYPES else 0
    limits = [positions - offset if isinstance(positions, int) else None, tokenizer.get("model_max_length")]
    return min([int(one) for one in limits if isinstance(one, int | float) and 0 < one < NO_LIMIT] or [DEFAULT_LENGTH])


def _check_labels(voter: Voter, model: Any) -> None:
    named = model.config.id2label
    found = tuple(str(named[index]) for index in range(len(named)))
    if found != voter.labels:
        raise Refused(f"{voter.name}: the model's labels are {', '.join(found)}, not {', '.join(voter.labels)}.")


def _run(model: Any, tokenizer: Any, tokens: Tokens, logits: Floats) -> None:
    """Fill the logits of one window, longest texts first; a batch that fails is tried again in halves."""
    budget = BATCH_TOKENS // 2 if len(logits) < SMALL_WINDOW_ROWS else BATCH_TOKENS
    if tokenizer.pad_token_id is None:
        budget = 1  # a model without a padding token takes one text at a time
    order = np.argsort(-tokens.lengths, kind="stable")
    order = order[tokens.lengths[order] > 0]
    start, at_most = 0, len(order)
    while start < len(order):
        width = max(1, int(tokens.lengths[order[start]]))
        rows = order[start : start + min(max(1, budget // width), at_most)]
        found = _forward(model, tokenizer, tokens, rows)
        if found is None and len(rows) > 1:
            at_most = len(rows) // 2
            continue
        if found is not None:
            logits[rows] = found
        start, at_most = start + len(rows), len(order)


def _forward(model: Any, tokenizer: Any, tokens: Tokens, rows: Ints) -> Floats | None:
    import torch

    batch = pad(tokenizer, tokens, rows)
    if batch["input_ids"].max() >= model.get_input_embeddings().num_embeddings:
        return None
    try:
        with torch.inference_mode():
            inputs = {name: torch.from_numpy(array).to(model.device) for name, array in batch.items()}
            return np.asarray(model(**inputs).logits.float().cpu().numpy(), dtype=np.float32)
    except (RuntimeError, IndexError, ValueError, TypeError, MemoryError):
        return None
