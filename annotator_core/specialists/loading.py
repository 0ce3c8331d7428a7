"""A classifier and its tokenizer from a folder, ready to vote: safetensors only, no code of its own."""

from typing import TYPE_CHECKING, Any

from annotator_core.errors import BadModelFolder
from annotator_core.precision import VotingPrecision
from annotator_core.specialists.attention import join_attention
from annotator_core.specialists.first_token import drop_unread_tokens
from annotator_core.specialists.folder import FolderCard
from annotator_core.specialists.packed import pack_linear_layers
from annotator_core.specialists.tokens import shorten

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_tokenizer(card: FolderCard) -> "PreTrainedTokenizerBase":
    """Return the folder's tokenizer; raise BadModelFolder where it does not load."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(card.path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError) as error:
        raise BadModelFolder(f"The tokenizer in {card.path} does not load: {shorten(error)}") from error


def load_classifier(card: FolderCard, precision: VotingPrecision, device: str) -> "PreTrainedModel":
    """Return the folder's classifier on a device, its weights read in the precision, whatever the checkpoint holds.

    Raises BadModelFolder where it does not load, or lacks weights, so that its answers would be random.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    try:
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            card.path, dtype=dtypes[precision], use_safetensors=True, output_loading_info=True,
            local_files_only=True, trust_remote_code=False,
        )  # fmt: skip
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, SafetensorError) as error:
        raise BadModelFolder(f"The model in {card.path} does not load: {shorten(error)}") from error
    _check_complete(card, loading)
    ready: PreTrainedModel = model.eval().to(device)
    pack_linear_layers(ready)
    join_attention(ready)
    drop_unread_tokens(ready)
    return ready


def _check_complete(card: FolderCard, loading: dict[str, Any]) -> None:
    missing = sorted({str(key) for kind in ("missing_keys", "mismatched_keys") for key in loading.get(kind, ())})
    if missing:
        raise BadModelFolder(
            f"The weights in {card.path} lack {missing[0]} ({len(missing)} in all), so its answers would be random: "
            "choose a model that was fine-tuned for classification."
        )
