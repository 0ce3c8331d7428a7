"""What the runtime is measured on: real tweets, base-size models made on the spot, a fine-tuned one, the GEMM rate."""

import csv
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotator_core.refine.folders import copy_companions
from annotator_core.specialists.contract import Identity, SpecialistSpec
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.packed import can_pack, pack_layer
from annotator_core.specialists.runner import Runtime
from annotator_core.specialists.torch_backend import TorchSpecialist, load
from annotator_core.types import LabelMap

LABELS = ("negative", "neutral", "positive")
MAX_LENGTH = 128
WINDOW = 16_384
BUDGET = 2_048
"""Tokens of a batch in a window of 16,384 rows on a CPU."""
HIDDEN, LAYERS, HEADS = 768, 12, 12


@dataclass(frozen=True, slots=True)
class Bench:
    """Where things are, how much is sampled, and what time means: `clock` is wall time, or CPU time on one thread."""

    datasets: Path
    models: Path
    fine_tuned: Path
    is_quick: bool
    clock: Callable[[], float]
    device: str
    has_bf16: bool
    has_matrix_unit: bool

    @property
    def rounds(self) -> int:
        """How often each thing is measured, in turns with the others."""
        return 2 if self.is_quick else 5

    def size(self, quick: int, full: int) -> int:
        """One of two sample sizes."""
        return quick if self.is_quick else full

    def time(self, call: Callable[[], Any]) -> float:
        """The seconds that a call takes."""
        start = self.clock()
        call()
        return self.clock() - start


def read_tweets(path: Path, limit: int = WINDOW) -> list[str]:
    """The distinct texts of a file, shuffled by one seed."""
    with path.open(encoding="utf-8", newline="") as file:
        texts = list(dict.fromkeys(row["text"] for row in csv.DictReader(file) if row["text"].strip()))
    random.Random(0).shuffle(texts)
    return texts[:limit]


def make_base(folder: Path, tokenizer_folder: Path, seed: int) -> Path:
    """A random RoBERTa of base shape with the tokenizer of another folder; made once."""
    import torch
    from transformers import RobertaConfig, RobertaForSequenceClassification

    if not (folder / "tokenizer.json").is_file():
        torch.manual_seed(seed)
        # Wider than usual at first, so that answers differ between texts by more than rounding.
        config = RobertaConfig(
            vocab_size=30_522, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
            intermediate_size=4 * HIDDEN, max_position_embeddings=514, pad_token_id=0, type_vocab_size=2,
            id2label=dict(enumerate(LABELS)), label2id={label: index for index, label in enumerate(LABELS)},
            initializer_range=0.06,
        )  # fmt: skip
        RobertaForSequenceClassification(config).save_pretrained(folder)
        copy_companions(tokenizer_folder, folder)
    return folder


def open_specialist(folder: Path, runtime: Runtime, name: str = "specialist") -> TorchSpecialist:
    """A specialist whose labels are its classes."""
    labels = inspect_folder(folder).labels
    label_map = LabelMap(labels, tuple(range(len(labels))))
    return load(SpecialistSpec(folder, label_map, len(labels), MAX_LENGTH, Identity(name)), runtime)


def plan_batches(lengths: np.ndarray, tokens: int = BUDGET) -> Iterator[np.ndarray]:
    """The batches into which the runtime cuts a large window: longest first, at most so many tokens each."""
    order, start = np.argsort(-lengths, kind="stable"), 0
    while start < len(order):
        count = max(1, tokens // int(lengths[order[start]]))
        yield order[start : start + count]
        start += count


def count_padded(lengths: np.ndarray, batches: list[np.ndarray]) -> int:
    """Tokens that a model works on, padding included."""
    return sum(int(lengths[rows].max()) * len(rows) for rows in batches)


def count_flops(tokens: int, texts: int) -> float:
    """Multiplications and additions of the encoder's linear layers on real tokens, each counted.

    The last layer's output projection and feed-forward see one token a text. Attention and padding never count.
    """
    layer = 12 * HIDDEN * HIDDEN
    unread = 9 * HIDDEN * HIDDEN
    return 2.0 * (tokens * (LAYERS * layer - unread) + texts * unread)


def measure_gemm(bench: Bench, dtype_name: str) -> float:
    """GFLOP/s of one linear layer of base shape on 2,048 tokens, by the faster of torch's two ways to multiply."""
    import torch

    dtype = getattr(torch, dtype_name)
    layer = torch.nn.Linear(HIDDEN, 4 * HIDDEN, dtype=dtype, device=bench.device)
    batch = torch.randn(BUDGET, HIDDEN, device=bench.device).to(dtype)
    ways: list[Any] = [layer]
    if bench.device == "cpu" and can_pack("fp32" if dtype_name == "float32" else "bf16"):
        ways.append(pack_layer(layer))
    return max(_time_product(bench, way, batch) for way in ways)


def _time_product(bench: Bench, layer: Any, batch: Any) -> float:
    import torch

    repeats = 8

    def multiply() -> None:
        with torch.inference_mode():
            for _repeat in range(repeats):
                out = layer(batch)
            float(out[0, 0])

    multiply()
    return repeats * 2 * BUDGET * HIDDEN * 4 * HIDDEN / bench.time(multiply) / 1e9


def open_clock(*, is_busy: bool) -> Callable[[], float]:
    """Wall time; on a busy machine the time of this process, which then runs on one thread."""
    import torch

    if is_busy:
        torch.set_num_threads(1)
    return time.process_time if is_busy else time.perf_counter
