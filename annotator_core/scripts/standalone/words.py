"""Texts become batches of tokens: cut, sorted by length, padded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from annotator_core.scripts.standalone.values import Ints

CUT_CHARS: Final = 100_000
"""Longer texts are cut before tokenising."""
WINDOW_ROWS: Final = 16_384
BATCH_TOKENS: Final = 2_048
"""Of a batch, padding included; half of it in windows under 4,096 texts."""
SMALL_WINDOW_ROWS: Final = 4_096


@dataclass(frozen=True)
class Tokens:
    """For each of the model's input names one list of numbers a text; lengths (n,), 0 for a text without tokens."""

    inputs: dict[str, list[list[int]]]
    lengths: Ints


def tokenise(tokenizer: Any, texts: list[str], max_length: int) -> Tokens:
    """Return the texts as tokens; one that the tokenizer does not survive has none."""
    parts = list(_encode(tokenizer, texts, max_length)) if texts else []
    names = sorted({name for part in parts for name in part} & {"input_ids", *tokenizer.model_input_names})
    rows = [len(part["input_ids"]) for part in parts]
    inputs = {
        name: [row for part, n in zip(parts, rows, strict=True) for row in part.get(name, [[]] * n)] for name in names
    }
    return Tokens(inputs, np.array([len(row) for row in inputs.get("input_ids", [])], dtype=np.int64))


def _encode(tokenizer: Any, texts: list[str], max_length: int) -> Iterator[dict[str, list[list[int]]]]:
    try:
        cut = [text[:CUT_CHARS] for text in texts]
        encoded = tokenizer(cut, truncation=True, max_length=max_length, return_attention_mask=False, verbose=False)
        yield {name: encoded[name] for name in encoded}
    except Exception:  # noqa: BLE001 - tokenizers raise bare Exceptions; the text abstains
        if len(texts) > 1:
            yield from _encode(tokenizer, texts[: len(texts) // 2], max_length)
            yield from _encode(tokenizer, texts[len(texts) // 2 :], max_length)
            return
        yield {"input_ids": [[]]}


def pad(tokenizer: Any, tokens: Tokens, rows: Ints) -> dict[str, npt.NDArray[np.int64]]:
    """Return the model's inputs for these rows (b,), padded to the longest (b, t); a mask only where one is padded."""
    lengths = tokens.lengths[rows]
    width, is_left = int(lengths.max()), tokenizer.padding_side == "left"
    fills = {"input_ids": tokenizer.pad_token_id or 0, "token_type_ids": tokenizer.pad_token_type_id}
    batch = {name: np.full((len(rows), width), fills.get(name, 0), dtype=np.int64) for name in tokens.inputs}
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for place, row in enumerate(rows.tolist()):
        length = int(lengths[place])
        part = slice(width - length, width) if is_left else slice(0, length)
        mask[place, part] = 1
        for name, values in tokens.inputs.items():
            batch[name][place, part] = values[row]
    return batch if mask.all() else {**batch, "attention_mask": mask}
