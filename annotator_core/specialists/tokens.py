"""Texts as token arrays, and batches of them padded for a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray, IntArray

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase

TokenArray = npt.NDArray[np.int32]
CUT_CHARS: Final = 100_000
"""Longer texts are cut before tokenising: no model here reads that far, and a 1 MB text costs seconds; chosen."""


@dataclass(frozen=True, slots=True)
class TokenisedTexts:
    """n tokenised texts.

    inputs: for each of the model's input names, n arrays. lengths (n,): tokens kept. is_truncated (n,): had more.
    """

    inputs: dict[str, list[TokenArray]]
    lengths: IntArray
    is_truncated: BoolArray


def tokenise(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], max_length: int) -> TokenisedTexts:
    """Return the texts as tokens, cut at max_length tokens, special ones included; one call for all of them."""
    encoded = tokenizer(
        [text[:CUT_CHARS] for text in texts],
        truncation=True,
        max_length=max_length,
        return_attention_mask=False,
        verbose=False,
    )
    inputs = {
        name: [np.array(row, dtype=np.int32) for row in rows]
        for name, rows in encoded.items()
        if name in tokenizer.model_input_names
    }
    lengths = np.array([len(row) for row in inputs["input_ids"]], dtype=np.int64)
    return TokenisedTexts(inputs, lengths, _find_truncated(tokenizer, texts, encoded, lengths >= max_length))


def _find_truncated(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], encoded: "BatchEncoding", is_full: BoolArray
) -> BoolArray:
    is_truncated = np.array([len(text) > CUT_CHARS for text in texts], dtype=np.bool_)
    encodings = encoded.encodings
    for row in np.flatnonzero(is_full & ~is_truncated).tolist():
        if encodings is not None:
            is_truncated[row] = bool(encodings[row].overflowing)
        else:  # A tokenizer written in Python does not say what it cut.
            is_truncated[row] = len(tokenizer(texts[row], verbose=False)["input_ids"]) > len(encoded["input_ids"][row])
    return is_truncated


def pad_batch(tokenizer: "PreTrainedTokenizerBase", texts: TokenisedTexts, rows: IntArray) -> dict[str, TokenArray]:
    """Return the model's inputs for these rows, padded to the longest, attention mask included."""
    width = int(texts.lengths[rows].max())
    fills = {"input_ids": tokenizer.pad_token_id or 0, "token_type_ids": tokenizer.pad_token_type_id}
    is_left = tokenizer.padding_side == "left"
    batch = {
        name: _pad([arrays[row] for row in rows], width, fills.get(name, 0), is_left=is_left)
        for name, arrays in texts.inputs.items()
    }
    ones = [np.ones(texts.lengths[row], dtype=np.int32) for row in rows]
    return batch | {"attention_mask": _pad(ones, width, 0, is_left=is_left)}


def _pad(arrays: list[TokenArray], width: int, fill: int, *, is_left: bool) -> TokenArray:
    padded = np.full((len(arrays), width), fill, dtype=np.int32)
    for row, array in zip(padded, arrays, strict=True):
        row[width - len(array) if is_left else 0 :][: len(array)] = array
    return padded
