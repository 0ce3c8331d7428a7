"""Texts a second of the runtime beside the transformers pipeline, in one process, in turns."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.loading import load_tokenizer
from annotator_core.specialists.runner import Runtime
from annotator_core.specialists.tokens import tokenise
from benchmarks.runtime_models import (
    BUDGET,
    MAX_LENGTH,
    Bench,
    count_flops,
    count_padded,
    measure_gemm,
    open_specialist,
    plan_batches,
    read_tweets,
)

PIPELINE_BATCH = 32


@dataclass(frozen=True, slots=True)
class Tweets:
    """A data set's first window: its texts, their tokens, and padded over real tokens as the two ways batch them."""

    name: str
    texts: list[str]
    lengths: np.ndarray

    @property
    def mean(self) -> float:
        """Tokens a text."""
        return float(self.lengths.mean())

    def sorted_batches(self) -> list[np.ndarray]:
        """The runtime's batches."""
        return list(plan_batches(self.lengths))

    def plain_batches(self) -> list[np.ndarray]:
        """The pipeline's batches: 32 texts in data order."""
        n = len(self.texts) // PIPELINE_BATCH * PIPELINE_BATCH
        return list(np.arange(n).reshape(-1, PIPELINE_BATCH))

    def padding(self, batches: list[np.ndarray]) -> float:
        """Padded over real tokens."""
        return count_padded(self.lengths, batches) / float(self.lengths[np.concatenate(batches)].sum())


@dataclass(slots=True)
class Speeds:
    """By way of running: texts a second of each round, and the GEMM rates of the rounds."""

    tweets: Tweets
    texts_s: dict[str, list[float]] = field(default_factory=dict)
    gemm: dict[str, list[float]] = field(default_factory=dict)

    def add(self, way: str, texts_s: float) -> None:
        """Keep one round's rate."""
        self.texts_s.setdefault(way, []).append(texts_s)

    def ratios(self, way: str, base: str) -> list[float]:
        """The rates of one way over those of another, round by round."""
        return [one / other for one, other in zip(self.texts_s[way], self.texts_s[base], strict=True)]

    def gemm_shares(self, way: str, dtype: str) -> list[float]:
        """Work on real tokens over what the bare matrix product does in the same round."""
        flops = count_flops(int(self.tweets.lengths.sum()), len(self.tweets.texts)) / len(self.tweets.texts) / 1e9
        return [rate * flops / gemm for rate, gemm in zip(self.texts_s[way], self.gemm[dtype], strict=True)]


def open_tweets(path: Path, base: Path) -> Tweets:
    """The first 16,384 tweets of a file."""
    texts = read_tweets(path)
    tokenizer = load_tokenizer(inspect_folder(base))
    return Tweets(path.parent.name, texts, tokenise(tokenizer, texts, MAX_LENGTH).lengths)


def open_pipeline(bench: Bench, base: Path) -> Any:
    """The transformers pipeline in fp32."""
    import torch
    from transformers import pipeline

    return pipeline(
        "text-classification", str(base), device=bench.device, dtype=torch.float32, truncation=True,
        max_length=MAX_LENGTH,
    )  # fmt: skip


def measure_speed(bench: Bench, tweets: Tweets, base: Path) -> Speeds:
    """The rates of all ways on one data set.

    Each round samples batches at random: of the pipeline's in data order, and of those that the runtime makes of the
    whole sorted window. Time is extrapolated to the window by padded tokens, tokenising included.
    """
    speeds = Speeds(tweets)
    pipe = open_pipeline(bench, base)
    # A sample is a small window, for which the budget is halved: twice of it gives the batches of a large one.
    tokens = 2 * BUDGET if bench.device == "cpu" else None
    precisions = ("fp32", "bf16") if bench.has_bf16 else ("fp32",)
    engines = {p: open_specialist(base, Runtime(p, bench.device, tokens)) for p in precisions}
    for precision, engine in engines.items():
        engine.predict(tweets.texts[: 16 if precision == "fp32" else 300])
    pipe(tweets.texts[:PIPELINE_BATCH], batch_size=PIPELINE_BATCH)
    chance = random.Random(1)
    for _round in range(bench.rounds):
        for dtype in ("float32", "bfloat16")[: len(precisions)]:
            speeds.gemm.setdefault(dtype, []).append(measure_gemm(bench, dtype))
        singles = chance.sample(range(len(tweets.texts)), bench.size(8, 24))
        run_one = [np.array([row]) for row in singles]
        speeds.add("pipeline, one by one", _rate(bench, tweets, run_one, run_one, lambda few: pipe(few, batch_size=1)))
        plain = tweets.plain_batches()
        few = chance.sample(plain, bench.size(1, 3))
        speeds.add("pipeline, batches of 32", _rate(bench, tweets, plain, few, lambda t: pipe(t, batch_size=32)))
        batches = tweets.sorted_batches()
        for precision, engine in engines.items():
            # Rows in doubt run again together, in batches as full as a window's only where there are many of them.
            count = bench.size(2, 4) if precision == "fp32" else bench.size(8, 32)
            few = _draw_even(batches, count, chance)
            speeds.add(f"ours, {precision}", _rate(bench, tweets, batches, few, engine.predict))
    return speeds


def _draw_even(batches: list[np.ndarray], count: int, chance: random.Random) -> list[np.ndarray]:
    """Every so many of the batches, from a random first on: long and short texts as often as they are."""
    step = len(batches) // count
    return batches[chance.randrange(step) :: step][:count]


def _rate(
    bench: Bench,
    tweets: Tweets,
    batches: list[np.ndarray],
    sample: list[np.ndarray],
    run: Callable[[list[str]], Any],
) -> float:
    """Texts a second over all batches, from the seconds that the sampled ones take."""
    texts = [tweets.texts[row] for rows in sample for row in rows]
    seconds_a_token = bench.time(lambda: run(texts)) / count_padded(tweets.lengths, sample)
    return 1 / (seconds_a_token * tweets.padding(batches) * tweets.mean)


def spread(values: list[float], digits: int = 2) -> str:
    """Median and range."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
