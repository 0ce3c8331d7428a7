"""The engine's speed beside the bars: pipeline one by one, pipeline in batches of 32 and ours, in one process.

`python -m benchmarks.runtime --datasets ../shared/data [--quick] [--busy]`. The fine-tuned model comes from
`benchmarks.train_specialists`; base-size models are random and made on the spot.
"""

import argparse
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.report import HARDWARE, table, write, write_index
from benchmarks.runtime_accuracy import measure_agreement, measure_difference, measure_duplicates
from benchmarks.runtime_models import HIDDEN, Bench, make_base, open_clock, read_tweets
from benchmarks.runtime_run import measure_memory, measure_run
from benchmarks.runtime_speed import Speeds, measure_speed, open_tweets, spread
from benchmarks.runtime_training import measure_training
from benchmarks.scratch_site import ROOT

WORK = ROOT / ".benchmarks"
SETS = ("tweet_sentiment_extraction", "tweeteval_offensive")
"""The first is the one of the bars; the second has longer tails, so that batches in data order are padded more."""
ONE, PIPE, FP32, BF16 = "pipeline, one by one", "pipeline, batches of 32", "ours, fp32", "ours, bf16"
NO_BF16 = "not run: no bf16 hardware"
NO_AMX = "bar for AMX, not here"
"""AVX-512 multiplies bf16 at twice the rate of fp32, AMX at six times: bars on the ratio of the two are AMX's."""
NO_MODEL = "not run: no fine-tuned model, see benchmarks.train_specialists"


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of the table: what was measured, the number it is held to, and both limits with the side that is good.

    otherwise: what is told of a number short of the bar.
    """

    measure: str
    told: str
    value: float | None = None
    must: float | None = None
    goal: float | None = None
    is_least: bool = True
    otherwise: str = "**missed**"

    def cells(self) -> list[str]:
        """The row."""
        sign = "≥" if self.is_least else "≤"
        limits = ["-" if limit is None else f"{sign} {limit:g}" for limit in (self.must, self.goal)]
        return [self.measure, self.told, *limits, self._judge()]

    def _judge(self) -> str:
        if self.value is None or self.must is None:
            return "-"
        if not self._reaches(self.must):
            return self.otherwise
        return "goal" if self.goal is not None and self._reaches(self.goal) else "must"

    def _reaches(self, limit: float) -> bool:
        return self.value is not None and (self.value >= limit if self.is_least else self.value <= limit)


def ratio_bar(measure: str, values: list[float], must: float, goal: float | None, *, is_least: bool = True) -> Bar:
    """A bar on the median of paired ratios."""
    return Bar(measure, spread(values), median(values), must, goal, is_least)


def speed_bars(bench: Bench, speeds: Speeds) -> list[Bar]:
    """The bars of one data set."""
    name = speeds.tweets.name
    bars = [
        ratio_bar(f"fp32 over the pipeline in batches of 32, {name}", speeds.ratios(FP32, PIPE), 2.2, 2.5),
        ratio_bar(f"share of the fp32 GEMM rate, {name}", speeds.gemm_shares(FP32, "float32"), 0.75, 0.82),
    ]
    wanted = (
        (f"bf16 + cascade over the pipeline in batches of 32, {name}", 8.0, 10.0),
        (f"bf16 + cascade over the pipeline one by one, {name}", 12.0, 15.0),
        (f"share of the bf16 GEMM rate, {name}", 0.45, 0.55),
    )
    if not bench.has_bf16:
        return bars + [Bar(measure, NO_BF16, None, must, goal) for measure, must, goal in wanted]
    found = (speeds.ratios(BF16, PIPE), speeds.ratios(BF16, ONE), speeds.gemm_shares(BF16, "bfloat16"))
    judged = [ratio_bar(name, values, *bar) for (name, *bar), values in zip(wanted, found, strict=True)]
    if not bench.has_matrix_unit:
        judged[:2] = [replace(bar, otherwise=NO_AMX) for bar in judged[:2]]
    return bars + judged


def answer_bars(bench: Bench, base: Path, texts: list[str]) -> list[Bar]:
    """Agreement, differences, and what copies cost."""
    few = texts[: bench.size(8, 24)]
    bars = [_difference_bar("base size, random", measure_difference(bench, base, few))]
    if not bench.fine_tuned.is_dir():
        return [*bars, Bar("label agreement of bf16 + cascade with fp32", NO_MODEL, None, 0.999, 1.0)]
    found = measure_agreement(bench, texts[: bench.size(320, 2_400)])
    told = (
        f"{found.cascade:.4f} of {found.n:,} texts ({found.plain:.4f} without the cascade; threshold "
        f"{found.threshold:.3f}, {100 * found.rerun:.1f}% also run in fp32, the sample of 256 included)"
    )
    how = "" if bench.has_bf16 else ", bf16 emulated"
    copies = measure_duplicates(bench, texts[: bench.size(200, 1_000)])
    return [
        *bars,
        _difference_bar("fine-tuned MiniLM", measure_difference(bench, bench.fine_tuned, texts[: bench.size(50, 300)])),
        Bar(f"label agreement of bf16 + cascade with fp32, fine-tuned MiniLM{how}", told, found.cascade, 0.999, 1.0),
        ratio_bar("cost with 30% duplicate texts over none, one window", copies, 0.72, None, is_least=False),
    ]


def _difference_bar(model: str, value: float) -> Bar:
    measure = f"largest difference of a logit in fp32 from one by one, {model}"
    return Bar(measure, f"{value:.1e}", value, 1e-4, 1e-5, is_least=False)


def training_bar(bench: Bench, base: Path, texts: list[str], lengths: object) -> Bar:
    """The bar on a fine-tuning; without bf16 hardware only the grouping is there to gain by."""
    found = measure_training(bench, base, texts, lengths)
    measure = "fine-tuning 2,000 texts x 3 epochs: shuffled fp32 with fused AdamW over ours"
    told = f"{spread(found.ratios)}; {spread(found.naive, 0)} s over {spread(found.ours, 0)} s"
    if bench.has_bf16:
        return Bar(measure, told, median(found.ratios), 3.0, 4.0)
    return Bar(measure, f"{told}; grouped by length only, {NO_BF16}", None, 3.0, 4.0)


def memory_bars(bench: Bench, texts: list[str]) -> list[Bar]:
    """Peak memory and speed of the shell with the fake specialist, in processes of their own."""
    many = bench.size(100_000, 1_000_000)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        small, _rate = measure_memory(Path(folder), texts, 10_000)
        large, rows_s = measure_memory(Path(folder), texts, many)
    return [
        Bar(
            f"peak memory of `label` at {many:,} rows over 10,000, fake specialist, MB",
            f"{large - small:.0f} ({large:.0f} over {small:.0f})", large - small, 64, 32, is_least=False,
        ),
        Bar(f"rows/s of `label` at {many:,} rows, fake specialist", f"{rows_s:,.0f}", rows_s, 30_000),
    ]  # fmt: skip


def speed_table(speeds: Speeds) -> str:
    """Rates of all ways on one data set, and how its batches are padded."""
    tweets = speeds.tweets
    head = (
        f"{tweets.name}: {len(tweets.texts):,} distinct tweets, {tweets.mean:.1f} tokens a text; padded over real "
        f"tokens {tweets.padding(tweets.plain_batches()):.2f} in batches of 32, "
        f"{tweets.padding(tweets.sorted_batches()):.3f} in ours."
    )
    rows = [
        [way, spread(rates, 1), spread(speeds.ratios(way, PIPE)), spread(speeds.ratios(way, ONE))]
        for way, rates in speeds.texts_s.items()
    ]
    gemm = ", ".join(f"{dtype} {spread(rates, 0)}" for dtype, rates in speeds.gemm.items())
    header = ["way", "texts/s", "over batches of 32", "over one by one"]
    return f"{head}\n\n{table(header, rows)}\n\nGEMM rate in the same rounds, GFLOP/s: {gemm}."


def measure(bench: Bench) -> str:
    """The tables."""
    texts = read_tweets(bench.datasets / SETS[0] / "train.csv")
    bars = memory_bars(bench, texts)
    tokenizer = bench.fine_tuned if bench.fine_tuned.is_dir() else ROOT / "annotator_core/demo/specialists/overall"
    bases = [make_base(bench.models / f"base-{seed}", tokenizer, seed) for seed in range(3)]
    found = []
    for name in SETS[: bench.size(1, 2)]:
        tweets = open_tweets(bench.datasets / name / "train.csv", bases[0])
        found.append(measure_speed(bench, tweets, bases[0]))
    first = found[0].tweets
    bars = [bar for speeds in found for bar in speed_bars(bench, speeds)] + answer_bars(bench, bases[0], texts) + bars
    bars.append(training_bar(bench, bases[0], first.texts, first.lengths))
    votes = measure_run(bench, bases, texts[: bench.size(24, 256)])
    bars.append(
        ratio_bar("a run of 3 base-size models over the bare time of its votes", votes, 1.1, 1.05, is_least=False)
    )
    header = ("measure", "measured: median (range of rounds)", "must", "goal", "reached")
    return "\n\n".join([
        _tell_method(bench),
        table(header, [bar.cells() for bar in bars]),
        *(speed_table(speeds) for speeds in found),
    ])  # fmt: skip


def _tell_method(bench: Bench) -> str:
    import torch

    clock = "CPU time" if torch.get_num_threads() == 1 else "wall time"
    return (
        f"Random RoBERTa of base shape ({HIDDEN} wide, 12 layers) on {bench.device}, {torch.get_num_threads()} threads,"
        f" {clock}, {bench.rounds} rounds, every way in each round; ratios are medians of the rounds' ratios. Batches "
        "are sampled from a window of 16,384 tweets, times extrapolated to it by padded tokens, tokenising included. "
        "Work counts real tokens only, and not what the last layer leaves out."
    )


def open_bench(options: argparse.Namespace) -> Bench:
    """What the options ask for."""
    import torch

    from annotator_core.precision import has_bf16

    return Bench(
        datasets=options.datasets,
        models=WORK / "runtime",
        fine_tuned=WORK / "specialists" / "tweets-a",
        is_quick=options.quick,
        clock=open_clock(is_busy=options.busy),
        device="cuda" if torch.cuda.is_available() else "cpu",
        has_bf16=has_bf16(),
        has_matrix_unit=torch.cuda.is_available() or bool(torch.cpu.get_capabilities().get("amx_bf16")),
    )


def find_ending(bench: Bench) -> str:
    """How the name of the page ends, by what the machine multiplies with; "" where a plain CPU has bf16."""
    if bench.device != "cpu":
        return "-gpu"
    if bench.has_matrix_unit:
        return "-amx"
    return "" if bench.has_bf16 else "-fp32"


def main() -> None:
    """Write docs/benchmarks/runtime.md, or where `find_ending` says another page, and the index docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--datasets", type=Path, default=Path(os.environ.get("AUTOANNOTATOR_DATASETS", ROOT.parent / "shared" / "data"))
    )
    parser.add_argument("--quick", action="store_true", help="one set, small samples; prints, writes nothing")
    parser.add_argument("--busy", action="store_true", help="one thread and CPU time, for a machine with other work")
    options = parser.parse_args()
    bench = open_bench(options)
    bench.models.mkdir(parents=True, exist_ok=True)
    try:
        text = measure(bench)
    finally:
        shutil.rmtree(bench.models, ignore_errors=True)
    if options.quick:
        print(text)
    else:
        ending = find_ending(bench)
        words = f", {HARDWARE[ending]}" if ending else ""
        write(f"runtime{ending}", f"The engine at the limit of the machine{words}", text)
        write_index()


if __name__ == "__main__":
    main()
