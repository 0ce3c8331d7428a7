"""Cold start on real data: accuracy on the test split against labels used, beside a plain logistic regression.

`python -m benchmarks.cold_start [--encoder]`. Finished cells stand in .benchmarks/cold_start and are not run again.
The texts of the training split are the project's unlabeled texts; the labeled rows are drawn from them at random.
"""

import argparse
import csv
import hashlib
import json
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotator_core.consensus.average import average_probs, pick_classes
from annotator_core.refine.cold_start import STRENGTH, linear_recipes, train_linear
from annotator_core.refine.encoder_start import encoder_recipes, train_encoder
from annotator_core.refine.plan import TrainingRow
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.types import LabelMap
from benchmarks import report

SIZES = (50, 100, 200, 400, 800)
SEEDS = (0, 1, 2, 3, 4)
ENCODER_SIZES = (100,)
ENCODER_SEEDS = (0,)
BANKING_CLASSES = 20
PLAIN, POOL, ENCODERS = "plain logistic regression", "linear pool of three", "encoder pool of three"
PLAIN_STRONG = "the same with C = 30"
HARD, AGREED, SECONDS = "hard share", "right on agreed", "seconds of one core"
VERSION = 1
"""Part of each cell's name: raised where the recipes change, so that old cells are run again."""


@dataclass(frozen=True, slots=True)
class Data:
    """A labeled data set; labels are class indices."""

    name: str
    classes: tuple[str, ...]
    train: list[tuple[str, int]]
    test: list[tuple[str, int]]


def read_data(datasets: Path, name: str, limit: int | None = None) -> Data:
    """The data set, cut to so many of its classes, drawn by a fixed seed."""
    splits = {}
    for split in ("train", "test"):
        with (datasets / name / f"{split}.csv").open(encoding="utf-8", newline="") as file:
            splits[split] = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    classes = sorted({label for _, label in splits["train"]})
    if limit:
        classes = sorted(random.Random(7).sample(classes, limit))
    index = {name: number for number, name in enumerate(classes)}
    kept = {split: [(text, index[label]) for text, label in rows if label in index] for split, rows in splits.items()}
    return Data(name, tuple(classes), kept["train"], kept["test"])


def draw_rows(data: Data, size: int, seed: int) -> list[TrainingRow]:
    """So many random rows, and one of each class that they lack in place of the last: a person would look for it."""
    rows = random.Random(seed).sample(data.train, len(data.train))
    drawn, rest = rows[:size], rows[size:]
    found = {label for _, label in drawn}
    extra = [next(row for row in rest if row[1] == label) for label in range(len(data.classes)) if label not in found]
    counts = [0] * len(data.classes)
    for _, label in drawn:
        counts[label] += 1
    for row in extra:
        place = next(place for place in range(size - 1, -1, -1) if counts[drawn[place][1]] > 1)
        counts[drawn[place][1]] -= 1
        drawn[place] = row
        counts[row[1]] += 1
    return [TrainingRow(text, label) for text, label in drawn]


def predict(folder: Path, backend: str, data: Data) -> np.ndarray:
    """Probabilities (n, k) of the test texts by a trained specialist."""
    identity = LabelMap(data.classes, tuple(range(len(data.classes))))
    specialist = load_specialist(backend, SpecialistSpec(folder, identity, len(data.classes)))
    return specialist.predict([text for text, _ in data.test]).probs


def score(probs: np.ndarray, data: Data) -> float:
    """The share of the test rows that are right."""
    return float((pick_classes(probs) == [label for _, label in data.test]).mean())


def score_pool(name: str, votes: Sequence[np.ndarray], data: Data) -> dict[str, float]:
    """Accuracy of the averaged probability; how many rows they do not agree on; how many of the others are right."""
    gold = np.array([label for _, label in data.test])
    picked = np.stack([pick_classes(probs) for probs in votes], axis=1)
    agreed = (picked == picked[:, :1]).all(axis=1)
    return {
        name: score(average_probs(np.stack(votes, axis=1)).probs, data),
        HARD: float(1 - agreed.mean()),
        AGREED: float((picked[agreed, 0] == gold[agreed]).mean()),
    }


def run_plain(data: Data, rows: Sequence[TrainingRow], _seed: int, _work: Path) -> dict[str, float]:
    """scikit-learn's TF-IDF of one and two words with its logistic regression, as they come and with our C."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    results = {}
    for name, strength in ((PLAIN, 1.0), (PLAIN_STRONG, STRENGTH)):
        model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=strength, max_iter=1_000))
        model.fit([row.text for row in rows], [row.class_index for row in rows])
        picked = model.predict([text for text, _ in data.test])
        results[name] = float((picked == [label for _, label in data.test]).mean())
    return results


def run_linear(data: Data, rows: Sequence[TrainingRow], seed: int, work: Path) -> dict[str, float]:
    """The three linear specialists and their pool."""
    results, votes = {}, []
    unlabeled = [text for text, _ in data.train]
    for recipe in linear_recipes(3, seed * 10):
        folder = train_linear(recipe, rows, unlabeled, data.classes, work / recipe.name)
        votes.append(predict(folder, "linear", data))
        results[recipe.name] = score(votes[-1], data)
    return results | score_pool(POOL, votes, data)


def run_encoders(data: Data, rows: Sequence[TrainingRow], seed: int, work: Path) -> dict[str, float]:
    """Three specialists from one encoder, which differ in seed and slice, and their pool."""
    import torch

    from benchmarks.train_specialists import encoder_folder

    torch.set_num_threads(1)
    results, votes = {}, []
    for recipe in encoder_recipes([encoder_folder()], 3, seed * 10):
        folder = train_encoder(recipe, rows, data.classes, work / recipe.name, work / f"{recipe.name}-work")
        votes.append(predict(folder, "torch", data))
        results[recipe.name] = score(votes[-1], data)
    return results | score_pool(ENCODERS, votes, data)


Runner = Callable[[Data, Sequence[TrainingRow], int, Path], dict[str, float]]


def run_cell(kind: str, runner: Runner, data: Data, size: int, seed: int, out: Path) -> dict[str, Any]:
    """What the runner measures, with its processor time; read from its file where it was run before."""
    path = out / f"{kind}-{data.name}-{size}-{seed}-v{VERSION}.json"
    if path.exists():
        return json.loads(path.read_text())
    work = out / f"work-{hashlib.sha256(path.name.encode()).hexdigest()[:12]}"
    shutil.rmtree(work, ignore_errors=True)
    started = time.process_time()
    cell: dict[str, Any] = runner(data, draw_rows(data, size, seed), seed, work)
    cell[SECONDS] = time.process_time() - started
    shutil.rmtree(work, ignore_errors=True)
    path.write_text(json.dumps(cell, indent=1))
    print(path.stem, {key: round(value, 3) for key, value in cell.items()}, flush=True)
    return cell


def run_sizes(
    kind: str, runner: Runner, data: Data, out: Path, sizes: Sequence[int], seeds: Sequence[int]
) -> dict[str, dict[int, list[float]]]:
    """For each figure and number of labels its values, one for each seed."""
    found: dict[str, dict[int, list[float]]] = {}
    for size in sizes:
        for seed in seeds:
            for name, value in run_cell(kind, runner, data, size, seed, out).items():
                found.setdefault(name, {}).setdefault(size, []).append(value)
    return found


def show(values: list[float] | None, factor: float = 100) -> str:
    """Mean and standard deviation; a dash where nothing was run."""
    if not values:
        return "-"
    mean = f"{statistics.mean(values) * factor:.1f}"
    return f"{mean} ± {statistics.stdev(values) * factor:.1f}" if len(values) > 1 else mean


def tabulate(found: dict[str, dict[int, list[float]]]) -> str:
    """A Markdown table: a line for each figure, a column for each number of labels."""
    lines = [
        [name, *(show(by_size.get(size), 1 if name.startswith(SECONDS) else 100) for size in SIZES)]
        for name, by_size in found.items()
    ]
    return report.table(["", *(f"{size} labels" for size in SIZES)], lines)


def measure(data: Data, out: Path, *, with_encoder: bool) -> str:
    """The part of the report on one data set."""
    found = run_sizes("plain", run_plain, data, out, SIZES, SEEDS)
    found.pop(SECONDS)
    kinds: list[tuple[str, Runner, Sequence[int], Sequence[int]]] = [("linear", run_linear, SIZES, SEEDS)]
    if with_encoder:
        kinds.append(("encoder", run_encoders, ENCODER_SIZES, ENCODER_SEEDS))
    for kind, runner, sizes, seeds in kinds:
        parts = run_sizes(kind, runner, data, out, sizes, seeds)
        found |= {f"{name} ({kind})" if name in (HARD, AGREED, SECONDS) else name: parts[name] for name in parts}
    facts = f"{len(data.classes)} classes, {len(data.train):,} texts to draw labels from, {len(data.test):,} test rows."
    return f"## {data.name}\n\n{facts}\n\n{tabulate(found)}"


INTRODUCTION = """Accuracy on the test split in percent, mean ± standard deviation over {seeds} draws of labeled rows.
The rows are random; where a class has none, one of its rows takes the place of
another. The plain logistic regression is scikit-learn's on TF-IDF of one and two words, fitted to the labeled rows
alone, as it comes and with our C. Ours also read the other texts of the training split, without labels. All but the
first of each pool leave out a fifth of the rows, so that they differ. The time is what
it takes to train a pool and predict the test split."""

ENCODER_FACTS = """Encoders start from all-MiniLM-L6-v2 with a fresh head, on one thread in fp32, {seeds} draw each:
`python -m benchmarks.cold_start --encoder`."""


def main(arguments: Sequence[str]) -> None:
    """Runs what is missing and writes docs/benchmarks/cold_start.md."""
    parser = argparse.ArgumentParser(description="Measure the cold start.")
    parser.add_argument("--datasets", type=Path, default=Path("../shared/data"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path(".benchmarks/cold_start"), help="folder for finished cells")
    parser.add_argument("--encoder", action="store_true", help="also train encoders, minutes on one thread")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with_encoder = options.encoder or any(options.out.glob("encoder-*.json"))
    parts = [
        measure(read_data(options.datasets, name, limit), options.out, with_encoder=with_encoder)
        for name, limit in (("banking77", BANKING_CLASSES), ("trec6", None))
    ]
    start = [INTRODUCTION.format(seeds=len(SEEDS))]
    if with_encoder:
        start.append(ENCODER_FACTS.format(seeds=len(ENCODER_SEEDS)))
    report.write("cold_start", "Cold start: accuracy against labels used", "\n\n".join([*start, *parts]))


if __name__ == "__main__":
    main(sys.argv[1:])
