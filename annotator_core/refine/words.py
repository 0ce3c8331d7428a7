"""The gradient of a model's word vectors, kept as one array for a whole training on the CPU.

Source: a step reads a few hundred of some 30,000 vectors, yet torch makes and zeroes a new array for all of them: 94 MB
at base size, 9% of a step (docs/decisions/0039). Here only the rows of words that occur are written; the numbers are
the same to the bit.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel


class WordGradient:
    """Gives the vectors of an embedding their whole gradient after each backward pass, from the rows that were read."""

    def __init__(self, embedding: "nn.Embedding") -> None:
        """Have the embedding's backward pass give rows instead of a whole array."""
        import torch

        embedding.sparse = True
        self._weight = embedding.weight
        self._whole = torch.zeros_like(embedding.weight, requires_grad=False)
        self._written: Tensor | None = None

    def spread(self) -> None:
        """Put the gradient of the last backward pass where the optimiser reads it."""
        rows = self._weight.grad
        if rows is None or not rows.is_sparse:
            return
        if self._written is not None:
            self._whole.index_fill_(0, self._written, 0.0)
        self._written = rows._indices()[0]
        # Word by word in the order of the batch, as torch sums up a whole gradient.
        self._whole.index_add_(0, self._written, rows._values())
        self._weight.grad = self._whole


def keep_word_gradient(model: "PreTrainedModel") -> WordGradient | None:
    """Return the gradient of a model's word vectors; None on a GPU and where an embedding is no plain one."""
    import torch

    embedding: nn.Module = model.get_input_embeddings()
    if not isinstance(embedding, torch.nn.Embedding) or embedding.weight.device.type != "cpu":
        return None
    if embedding.max_norm is not None or embedding.scale_grad_by_freq:
        return None
    return WordGradient(embedding) if embedding.weight.requires_grad else None
