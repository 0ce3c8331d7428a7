"""A fine-tuning of 2,000 texts and 3 epochs, from sampled steps: the trainer against shuffled batches in fp32."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from annotator_core.refine.learner import Learner, make_optimizer
from annotator_core.refine.loading import load_model, load_tokenizer, tokenise_rows
from annotator_core.refine.plan import TrainingPlan, TrainingRequest, TrainingRow
from annotator_core.types import LabelMap
from benchmarks.runtime_models import LABELS, MAX_LENGTH, Bench

ROWS, EPOCHS, BATCH = 2_000, 3, 16
IDENTITY = LabelMap(LABELS, (0, 1, 2))


@dataclass(slots=True)
class Trained:
    """Seconds of the whole training in each round: shuffled fp32 with fused AdamW, and ours."""

    naive: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """The first over the second, round by round."""
        return [naive / ours for naive, ours in zip(self.naive, self.ours, strict=True)]


def measure_training(bench: Bench, base: Path, texts: list[str], lengths: np.ndarray) -> Trained:
    """Both ways in each round, on the same batches.

    Extrapolated from sampled steps: the optimiser's share by steps, the rest by padded tokens.
    """
    order = list(range(ROWS))
    random.Random(3).shuffle(order)
    shuffled = [order[low : low + BATCH] for low in range(0, ROWS, BATCH)]
    ranked = np.argsort(lengths[:ROWS], kind="stable").tolist()
    grouped = [ranked[low : low + BATCH] for low in range(0, ROWS, BATCH)]
    count, found = bench.size(2, 5), Trained()
    for _round in range(bench.rounds):
        plain = _Naive(bench, base, texts, shuffled, count)
        step_s = min(bench.time(plain.update) for _repeat in range(3))
        found.naive.append(_extrapolate(bench, shuffled, lengths, (count, step_s), plain))
        del plain  # two models with their moments at once would need 4 GB
        ours = _Ours(bench, base, texts, grouped, count)
        found.ours.append(_extrapolate(bench, grouped, lengths, (count, step_s), ours))
        del ours
    return found


def _sample(batches: list[list[int]], count: int) -> list[list[int]]:
    step = len(batches) // count
    return batches[step // 2 :: step][:count]


def _extrapolate(
    bench: Bench, batches: list[list[int]], lengths: np.ndarray, sampled_steps: tuple[int, float], steps: Any
) -> float:
    """Seconds of all epochs; sampled_steps: how many, and the seconds of the optimiser in each."""
    count, step_s = sampled_steps
    padded = [max(int(lengths[row]) for row in batch) * len(batch) for batch in batches]
    sampled = [max(int(lengths[row]) for row in batch) * len(batch) for batch in _sample(batches, count)]
    seconds = bench.time(steps.take_all) - count * step_s
    return EPOCHS * (seconds * sum(padded) / sum(sampled) + len(batches) * step_s)


class _Ours:
    """The trainer's own steps over the sampled batches, which it makes again of their rows."""

    def __init__(self, bench: Bench, base: Path, texts: list[str], batches: list[list[int]], count: int) -> None:
        rows = tuple(TrainingRow(texts[row], row % 3) for batch in _sample(batches, count) for row in batch)
        plan = TrainingPlan(
            epochs=2, batch_size=BATCH, max_length=MAX_LENGTH, precision="bf16" if bench.has_bf16 else "fp32"
        )
        self._learner = Learner(TrainingRequest(base, "torch", rows, IDENTITY, LABELS, plan))
        self._learner.begin_epoch()
        self._learner.take_step()
        self._learner.begin_epoch()

    def take_all(self) -> None:
        """All steps of an epoch."""
        while self._learner.has_batches:
            self._learner.take_step()


class _Naive:
    """What one writes at first: batches in random order, fp32, fused AdamW, clipped gradients."""

    def __init__(self, bench: Bench, base: Path, texts: list[str], batches: list[list[int]], count: int) -> None:
        self._model: Any = load_model(base)[0]
        self._model.train().to(bench.device)
        self._tokenizer = load_tokenizer(base)
        self._ids = tokenise_rows(self._tokenizer, self._model, texts[:ROWS], MAX_LENGTH)
        self._batches = _sample(batches, count)
        steps = EPOCHS * len(batches)
        self._optimizer, _schedule = make_optimizer(self._model, TrainingPlan(), steps, is_fused=True)
        self._take(self._batches[0])

    def take_all(self) -> None:
        """The sampled steps."""
        for batch in self._batches:
            self._take(batch)

    def update(self) -> None:
        """The optimiser's part of a step, with the gradients as they are."""
        self._optimizer.step()

    def _take(self, batch: list[int]) -> None:
        import torch

        inputs = self._tokenizer.pad({"input_ids": [self._ids[row] for row in batch]}, return_tensors="pt")
        labels = torch.tensor([row % 3 for row in batch], device=self._model.device)
        self._optimizer.zero_grad()
        loss = self._model(**inputs.to(self._model.device), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        float(loss.detach())
