"""Attention over short texts: one product for all heads of all texts of a batch, in bf16 on a CPU.

Source: torch's kernel multiplies each head of each text by itself, and for tweets spends its time in calls: 8.5 ms of
a layer of base shape on 2,048 tokens, where one product for all of them, softmax included, takes 4.9; for texts of 512
tokens 50 and 26 (docs/decisions/0039).
"""

from typing import TYPE_CHECKING, Any, Final

from annotator_core.specialists.first_token import KNOWN_ENCODERS

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

NAME: Final = "annotator_short"
_STEP: Final = 32
"""Keys are padded to a multiple of the numbers in a vector: softmax goes number by number over what is left."""
_LONGEST: Final = 512
"""Tokens of a text. Beyond them torch's kernel attends, which never holds all scores at once; chosen."""
_NEVER: Final = -1e30


def join_attention(model: "PreTrainedModel") -> bool:
    """Return whether a loaded model now attends to the tokens of a batch of short texts in one product.

    Done for known types in bf16 on a CPU; others are left as they were. Scores are rounded to bf16 before the softmax,
    which no margin of a fine-tuned model shows.
    """
    import torch
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    is_known = model.config.model_type in KNOWN_ENCODERS and not getattr(model.config, "is_decoder", False)
    if not is_known or model.dtype != torch.bfloat16 or model.device.type != "cpu":
        return False
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
    return True


def attend(
    module: Any, query: "Tensor", key: "Tensor", value: "Tensor", attention_mask: "Tensor | None", **options: Any
) -> tuple["Tensor", None]:
    """Return what each token takes from its text, (texts, tokens, heads, width), as transformers asks for it.

    query, key, value: (texts, heads, tokens, width). attention_mask: None or True where a token is none of padding,
    (texts, 1, tokens or 1, tokens). options: of these, scaling counts.
    """
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    texts, heads, length, width = query.shape
    if length > _LONGEST:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    padding = -length % _STEP
    keys, values = (torch.nn.functional.pad(part, (0, 0, 0, padding)) if padding else part for part in (key, value))
    flat = [part.reshape(texts * heads, -1, width) for part in (query, keys, values)]
    scaling = options.get("scaling") or width**-0.5
    if padding or attention_mask is not None:
        bias = _make_bias(query, attention_mask, padding).expand(texts, heads, length, length + padding)
        scores = torch.baddbmm(bias.reshape(texts * heads, length, -1), flat[0], flat[1].mT, alpha=scaling)
    else:
        scores = torch.baddbmm(query.new_zeros(1, 1, 1), flat[0], flat[1].mT, beta=0, alpha=scaling)
    mixed = torch.bmm(torch.softmax(scores, dim=-1), flat[2])
    return mixed.view(texts, heads, length, width).transpose(1, 2).contiguous(), None


def _make_bias(like: "Tensor", mask: "Tensor | None", padding: int) -> "Tensor":
    """Return what is added to scores, (texts or 1, 1, 1, tokens + padding): 0 for a token, next to -inf for padding."""
    length = like.shape[2]
    bias = like.new_full((1 if mask is None else len(mask), 1, 1, length + padding), _NEVER)
    if mask is None:
        bias[..., :length] = 0.0
    else:
        bias[..., :length].masked_fill_(mask[:, :, :1], 0.0)
    return bias
