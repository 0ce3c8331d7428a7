"""What a model is best trained in on this machine: bf16 where the machine computes it clearly faster, else fp32."""

import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from annotator_core.refine.plan import Precision
from annotator_core.specialists.config import read_json

if TYPE_CHECKING:
    from torch import Tensor, nn

SMALLEST_WIDTH: Final = 256
"""The hidden size under which turning numbers to bf16 and back eats the gain; chosen, measured at 384: 2.0x."""
LEAST_GAIN: Final = 1.3
"""How many times as fast bf16 must be to be worth its rounding; chosen."""
_TOKENS: Final = 512
"""A batch of 16 texts of 32 tokens."""
_REPEATS: Final = 5
_WIDTH_NAMES: Final = ("hidden_size", "dim", "d_model", "n_embd")


def pick_precision(folder: Path) -> Precision:
    """Return what to train the model of a folder in, by a short probe; keep it with the training.

    bf16 needs a CPU with AMX or AVX-512 for it (or a GPU), a model at least 256 wide, and a probe that gains 1.3x. Two
    calls may differ where the gain is close: a training that goes on must keep what it began with. Raises
    BadModelFolder for a config that cannot be read.
    """
    config = read_json(folder / "config.json")
    width = next((config[name] for name in _WIDTH_NAMES if isinstance(config.get(name), int)), 0)
    if width < SMALLEST_WIDTH or not has_bf16():
        return "fp32"
    return "bf16" if measure_gain(width) >= LEAST_GAIN else "fp32"


def has_bf16() -> bool:
    """Return whether what a training runs on, the GPU or else the CPU, multiplies bf16 in its hardware."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16") or able.get("avx512_bf16"))


def measure_gain(width: int) -> float:
    """Return how many times as fast one linear layer's step is in bf16: the ratio of medians, taken in turns."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = torch.nn.Linear(width, 4 * width, device=device)
        batch = torch.randn(_TOKENS, width, device=device)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for repeat in range(_REPEATS + 1):
        for is_bf16, times in seconds.items():
            taken = _time_step(layer, batch, is_bf16=is_bf16)
            if repeat:  # The first of each fills caches and lets the library choose its kernels.
                times.append(taken)
    return median(seconds[False]) / median(seconds[True])


def _time_step(layer: "nn.Linear", batch: "Tensor", *, is_bf16: bool) -> float:
    import torch

    start = time.perf_counter()
    with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=is_bf16):
        out = layer(batch)
    out.float().square().mean().backward()
    # Reading a number waits for the GPU.
    float(layer.weight.grad.sum())  # type: ignore[union-attr]  # backward has just set it
    layer.zero_grad()
    return time.perf_counter() - start
