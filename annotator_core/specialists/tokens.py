"""Texts as token arrays, and batches of them padded for a model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray, IntArray

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TokenArray = npt.NDArray[np.int32]
CUT_CHARS: Final = 100_000
"""Longer texts are cut before tokenising: no model here reads that far, and a 1 MB text costs seconds; chosen."""
NO_TOKENS: Final = "The text has nothing that the model's tokenizer knows."


@dataclass(frozen=True, slots=True)
class TokenisedTexts:
    """n tokenised texts, one after the other in flat arrays.

    inputs: for each of the model's input names the tokens of all texts. starts (n,): where each text's begin. lengths
    (n,): tokens kept. is_truncated (n,): had more. failures: why a text, by its position, has no tokens.
    """

    inputs: dict[str, TokenArray]
    starts: IntArray
    lengths: IntArray
    is_truncated: BoolArray
    failures: dict[int, str]

    @property
    def size_bytes(self) -> int:
        """What the arrays take in memory."""
        own = self.starts.nbytes + self.lengths.nbytes + self.is_truncated.nbytes
        return own + sum(array.nbytes for array in self.inputs.values())


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Consecutive texts as the tokenizer gives them: rows of tokens by input name, what was cut, why one failed."""

    rows: dict[str, list[list[int]]]
    is_truncated: list[bool]
    failure: str | None = None


def tokenise(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], max_length: int) -> TokenisedTexts:
    """Return the texts as tokens, cut at max_length tokens, special ones included; one call for all of them.

    A text that the tokenizer does not survive, or makes no token of, is a failure by itself and spoils no other.
    """
    parts = list(_encode(tokenizer, list(texts), max_length)) if texts else []
    given = {name for part in parts for name in part.rows} & {"input_ids", *tokenizer.model_input_names}
    inputs = {name: _flatten(parts, name) for name in sorted(given)}
    lengths = np.array([len(row) for part in parts for row in part.rows["input_ids"]], dtype=np.int64)
    cut = np.array([was_cut for part in parts for was_cut in part.is_truncated], dtype=np.bool_)
    failures = dict.fromkeys(np.flatnonzero(lengths == 0).tolist(), NO_TOKENS)
    low = 0
    for part in parts:
        if part.failure:
            failures[low] = part.failure
        low += len(part.is_truncated)
    return TokenisedTexts(inputs, np.cumsum(lengths) - lengths, lengths, cut, failures)


def _flatten(parts: Iterable[_Encoded], name: str) -> TokenArray:
    rows = chain.from_iterable(part.rows.get(name, ()) for part in parts)
    return np.fromiter(chain.from_iterable(rows), dtype=np.int32)


def _encode(tokenizer: "PreTrainedTokenizerBase", texts: list[str], max_length: int) -> Iterable[_Encoded]:
    try:
        yield _call(tokenizer, texts, max_length)
    except Exception as error:  # noqa: BLE001 - tokenizers raise bare Exceptions, and Python ones whatever they like
        if len(texts) > 1:
            half = len(texts) // 2
            yield from _encode(tokenizer, texts[:half], max_length)
            yield from _encode(tokenizer, texts[half:], max_length)
            return
        yield _Encoded({"input_ids": [[]]}, [False], f"The tokenizer failed on this text: {shorten(error)}")


def _call(tokenizer: "PreTrainedTokenizerBase", texts: list[str], max_length: int) -> _Encoded:
    encoded = tokenizer(
        [text[:CUT_CHARS] for text in texts],
        truncation=True,
        max_length=max_length,
        return_attention_mask=False,
        verbose=False,
    )
    rows = {name: encoded[name] for name in encoded}
    is_full = [len(row) >= max_length for row in rows["input_ids"]]
    return _Encoded(rows, _find_truncated(tokenizer, texts, encoded, is_full))


def _find_truncated(
    tokenizer: "PreTrainedTokenizerBase", texts: list[str], encoded: Any, is_full: list[bool]
) -> list[bool]:
    is_truncated = [len(text) > CUT_CHARS for text in texts]
    for row, text in enumerate(texts):
        if is_full[row] and not is_truncated[row]:
            if encoded.encodings is not None:
                is_truncated[row] = bool(encoded.encodings[row].overflowing)
            else:  # A tokenizer written in Python does not say what it cut.
                is_truncated[row] = len(tokenizer(text, verbose=False)["input_ids"]) > len(encoded["input_ids"][row])
    return is_truncated


def pad_batch(
    tokenizer: "PreTrainedTokenizerBase", texts: TokenisedTexts, rows: IntArray
) -> dict[str, npt.NDArray[np.int64]]:
    """Return the model's inputs for these rows, padded to the longest: int64 (rows, width).

    The attention mask is there only where something was padded: without one a model attends to every token.
    """
    lengths = texts.lengths[rows][:, None]
    columns = np.arange(lengths.max())[None, :]
    shift = lengths.max() - lengths if tokenizer.padding_side == "left" else np.zeros_like(lengths)
    is_token = (columns >= shift) & (columns < shift + lengths)
    sources = (texts.starts[rows][:, None] + columns - shift)[is_token]
    fills = {"input_ids": tokenizer.pad_token_id or 0, "token_type_ids": tokenizer.pad_token_type_id}
    batch = {}
    for name, flat in texts.inputs.items():
        batch[name] = np.full(is_token.shape, fills.get(name, 0), dtype=np.int64)
        batch[name][is_token] = flat[sources]
    return batch if is_token.all() else batch | {"attention_mask": is_token.astype(np.int64)}


def shorten(error: BaseException) -> str:
    """Return an error in one line of at most about 300 characters, its class first."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first[:300]}"
