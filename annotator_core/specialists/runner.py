"""A loaded model that turns tokenised texts into logits, batch by batch, and survives what fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.precision import VotingPrecision
from annotator_core.specialists.tokens import TokenisedTexts, pad_batch, shorten
from annotator_core.specialists.windows import Budget, Failed, run_batches

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CPU_TOKENS: Final = 2_048
GPU_TOKENS: Final = (32_768, 131_072)
"""The least and the most tokens of a batch on a GPU."""
_GPU_BYTES_A_TOKEN: Final = 262_144
"""What a token of a base-size model may take while it is computed: 8 GiB for the least budget, 32 for the most; chosen.
Where that is too little, batches are halved."""

Outcome = tuple[IntArray, FloatArray | Failed]
"""Rows, and their logits (rows, labels) or why a row, which then is alone, has none."""
Outcomes = Iterator[Outcome]


@dataclass(frozen=True, slots=True)
class Runtime:
    """How a transformer votes; None leaves a choice to the machine.

    precision: of the weights, see `precision.pick_voting_precision`; below fp32 the margin cascade keeps the labels of
    fp32. device: ``cpu`` or ``cuda``. tokens: of a batch, padding included; half of it in windows under 4,096 rows.
    reads_ahead: whether the next window is tokenised in a thread meanwhile; on a GPU, where tokenising is the slower.
    """

    precision: VotingPrecision | None = None
    device: str | None = None
    tokens: int | None = None
    reads_ahead: bool | None = None


class Runner:
    """One loaded model and the budget of its batches; n_labels numbers a text. Not safe for two threads at once."""

    def __init__(
        self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", n_labels: int, tokens: int | None = None
    ) -> None:
        """Keep the loaded parts; tokens: see `Runtime`."""
        self.model = model
        self._tokenizer = tokenizer
        self.n_labels = n_labels
        self._budget = Budget(_pick_tokens(model, tokenizer, tokens))
        self._n_ids = model.get_input_embeddings().num_embeddings

    def run(self, tokens: TokenisedTexts, rows: IntArray) -> Outcomes:
        """Yield each of the rows (r,) once, longest first, with its logits (b, labels), float32, or as Failed."""
        batches = run_batches(lambda part: self._forward(tokens, rows[part]), tokens.lengths[rows], self._budget)
        for part, outcome in batches:
            yield rows[part], outcome

    def _forward(self, tokens: TokenisedTexts, rows: IntArray) -> FloatArray | Failed:
        import torch

        batch = pad_batch(self._tokenizer, tokens, rows)
        if batch["input_ids"].max() >= self._n_ids:
            return Failed("the tokenizer knows words that the model does not.", is_memory=False)
        try:
            with torch.inference_mode():
                inputs = {name: self._move(torch.from_numpy(array)) for name, array in batch.items()}
                logits = np.asarray(self.model(**inputs).logits.float().cpu().numpy(), dtype=np.float32)
        except (RuntimeError, IndexError, ValueError, TypeError, MemoryError) as error:
            return Failed(shorten(error), is_memory=_is_memory(error))
        if logits.shape != (len(rows), self.n_labels):
            return Failed(f"it gives numbers of shape {logits.shape[1:]}, not {self.n_labels}.", is_memory=False)
        return logits

    def _move(self, array: "Tensor") -> "Tensor":
        if self.model.device.type != "cuda":
            return array
        return array.pin_memory().to(self.model.device, non_blocking=True)


def _pick_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", tokens: int | None) -> int:
    if tokenizer.pad_token_id is None:
        return 2  # A model without a padding token takes one text at a time.
    if tokens is not None:
        return tokens
    return _ask_gpu() if model.device.type == "cuda" else CPU_TOKENS


def _ask_gpu() -> int:
    import torch

    return fit_tokens(torch.cuda.mem_get_info()[0])


def fit_tokens(free_bytes: int) -> int:
    """Return the tokens of a batch for a GPU with so much memory free: 32,768 to 131,072."""
    return min(max(free_bytes // _GPU_BYTES_A_TOKEN, GPU_TOKENS[0]), GPU_TOKENS[1])


def _is_memory(error: Exception) -> bool:
    import torch

    words = ("not enough memory", "can't allocate memory", "out of memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in str(error) for word in words)
