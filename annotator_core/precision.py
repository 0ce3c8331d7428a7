"""What a model is best computed in on this machine: bf16 where the hardware does it clearly faster, else fp32.

Source: training keeps fp32 weights, as Micikevicius et al. (2018), Mixed Precision Training; what is worth it was
measured (docs/benchmarks/runtime.md).
"""

import time
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, Literal

from annotator_core.specialists.config import read_json

if TYPE_CHECKING:
    from torch import Tensor, nn

Precision = Literal["fp32", "bf16"]
"""What a training step computes in; the weights are fp32 either way."""
VotingPrecision = Literal["fp32", "bf16", "fp16"]
"""What a model's weights are held in while it votes."""

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
    width = _read_width(folder)
    if width < SMALLEST_WIDTH or not has_bf16():
        return "fp32"
    return "bf16" if measure_gain(width) >= LEAST_GAIN else "fp32"


def pick_voting_precision(folder: Path, device: str) -> VotingPrecision:
    """Return what the model of a folder best votes in on a device, ``cpu`` or ``cuda``.

    On a CPU as `pick_precision`, by a probe without gradients that is taken once a process; fp16 never. On a GPU bf16,
    or fp16 where it has no bf16. Models under 256 wide stay in fp32. Raises BadModelFolder for an unreadable config.
    """
    width = _read_width(folder)
    if width < SMALLEST_WIDTH:
        return "fp32"
    if device != "cpu":
        return "bf16" if _gpu_has_bf16() else "fp16"
    return "bf16" if _cpu_has_bf16() and measure_voting_gain(width) >= LEAST_GAIN else "fp32"


def _read_width(folder: Path) -> int:
    config = read_json(folder / "config.json")
    return next((config[name] for name in _WIDTH_NAMES if isinstance(config.get(name), int)), 0)


def has_bf16() -> bool:
    """Return whether what a training runs on, the GPU or else the CPU, multiplies bf16 in its hardware."""
    import torch

    return _gpu_has_bf16() if torch.cuda.is_available() else _cpu_has_bf16()


def _gpu_has_bf16() -> bool:
    import torch

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _cpu_has_bf16() -> bool:
    import torch

    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16") or able.get("avx512_bf16"))


def measure_gain(width: int) -> float:
    """Return how many times as fast one linear layer's step is in bf16: the ratio of medians, taken in turns."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    layer, batch = _make_layer(width, device)
    return _compare(
        lambda: _time_step(layer, batch, is_bf16=False),
        lambda: _time_step(layer, batch, is_bf16=True),
    )


@cache
def measure_voting_gain(width: int) -> float:
    """Return how many times as fast one linear layer is on the CPU with weights in bf16: the ratio of medians."""
    import torch

    layer, batch = _make_layer(width, "cpu")
    small, small_batch = deepcopy(layer).to(torch.bfloat16), batch.bfloat16()
    return _compare(lambda: _time_forward(layer, batch), lambda: _time_forward(small, small_batch))


@cache
def measure_layout_gain(width: int, pack: Callable[["nn.Linear"], "nn.Module"]) -> float:
    """Return how many times as fast one fp32 linear layer is on the CPU once packed: the ratio of medians."""
    layer, batch = _make_layer(width, "cpu")
    packed = pack(layer)
    return _compare(lambda: _time_forward(layer, batch), lambda: _time_forward(packed, batch))


def _make_layer(width: int, device: str) -> tuple["nn.Linear", "Tensor"]:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Linear(width, 4 * width, device=device), torch.randn(_TOKENS, width, device=device)


def _compare(exact: Callable[[], float], quick: Callable[[], float]) -> float:
    pairs = [(exact(), quick()) for _ in range(_REPEATS + 1)]
    # The first of each fills caches and lets the library choose its kernels.
    return median(pair[0] for pair in pairs[1:]) / median(pair[1] for pair in pairs[1:])


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


def _time_forward(layer: "nn.Module", batch: "Tensor") -> float:
    import torch

    start = time.perf_counter()
    with torch.inference_mode():
        layer(batch)
    return time.perf_counter() - start
