"""Trains the demo's three specialists into the folder where the demo looks: `python -m annotator_core.demo.train`.

Each is a small transformer with a tokenizer of its own, trained from scratch on a slice of training.csv, so that they
are good on different texts and disagree on hard ones. A minute or so on one thread.
"""

import argparse
import csv
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotator_core.demo import CLASSES, FOLDER, label_maps, training_path
from annotator_core.demo.card import write_card
from annotator_core.demo.evaluate import evaluate, format_table
from annotator_core.demo.fresh import MAX_TOKENS, Architecture, write_fresh_model
from annotator_core.refine.trainer import FineTuned, fine_tune


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides a specialist's weights; `rows` says how many texts it learns from, by topic.

    learning_rate: of AdamW at its highest, above 0.
    """

    name: str
    architecture: Architecture
    label_names: tuple[str, ...]
    rows: dict[str, int]
    vocabulary: int
    seed: int
    epochs: int = 7
    learning_rate: float = 8e-4
    batch_size: int = 32


RECIPES = (
    Recipe(
        "courier", "bert", ("negative", "neutral", "positive"), {"parcel": 800, "shop": 250, "service": 150}, 2500, 21
    ),
    Recipe("checkout", "distilbert", ("POS", "NEG", "NEU"), {"parcel": 150, "shop": 700, "service": 450}, 2500, 22),
    Recipe("overall", "roberta", ("bad", "ok", "good"), {"parcel": 400, "shop": 400, "service": 300}, 2500, 23),
)


@dataclass(frozen=True, slots=True)
class Example:
    """One training text with its class."""

    text: str
    gold: str
    topic: str


def read_examples() -> list[Example]:
    """The rows of training.csv."""
    with training_path().open(encoding="utf-8", newline="") as file:
        return [Example(row["text"], row["gold"], row["topic"]) for row in csv.DictReader(file)]


def take_slice(examples: Sequence[Example], recipe: Recipe) -> list[Example]:
    """The texts that this specialist learns from: its own draw of each topic."""
    rng = random.Random(recipe.seed)  # noqa: S311 - not for secrets
    chosen: list[Example] = []
    for topic, count in recipe.rows.items():
        of_topic = [example for example in examples if example.topic == topic]
        chosen += rng.sample(of_topic, min(count, len(of_topic)))
    return chosen


def label_ids(recipe: Recipe) -> dict[str, int]:
    """The model's label id for each of the demo's classes."""
    to_class = label_maps()[recipe.name]
    return {to_class[name]: index for index, name in enumerate(recipe.label_names)}


def train_specialist(recipe: Recipe, out_folder: Path, workplace: Path) -> FineTuned:
    """Trains the recipe's model from scratch; its folder, written new at `out_folder`, replaces an older one."""
    examples = take_slice(read_examples(), recipe)
    texts = [example.text for example in examples]
    fresh, trained = workplace / f"{recipe.name}-fresh", workplace / recipe.name
    write_fresh_model(
        fresh, recipe.architecture, texts, recipe.label_names, vocabulary=recipe.vocabulary, seed=recipe.seed
    )
    ids = label_ids(recipe)
    done = fine_tune(
        fresh, texts, [ids[example.gold] for example in examples], trained,
        epochs=recipe.epochs, learning_rate=recipe.learning_rate, batch_size=recipe.batch_size,
        max_length=MAX_TOKENS, seed=recipe.seed,
    )  # fmt: skip
    shutil.rmtree(out_folder, ignore_errors=True)
    out_folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(trained, out_folder)
    return done


def train_all(out: Path) -> None:
    """Trains the three specialists into `out`, measures them on the feedback and writes their model cards."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as workplace:
        for recipe in RECIPES:
            done = train_specialist(recipe, out / recipe.name, Path(workplace))
            print(f"{recipe.name}: {done.steps} steps, loss {done.epoch_losses[0]:.2f} -> {done.epoch_losses[-1]:.2f}")
    report = evaluate({recipe.name: out / recipe.name for recipe in RECIPES})
    for recipe in RECIPES:
        write_card(out / recipe.name, recipe.name, recipe.architecture, recipe.rows, report.accuracy[recipe.name])
    print(format_table(report, CLASSES))


def main(arguments: Sequence[str]) -> None:
    """Reads the arguments and trains."""
    parser = argparse.ArgumentParser(description="Train the demo's three specialists.")
    parser.add_argument("--out", type=Path, default=FOLDER / "specialists", help="folder that gets one folder a model")
    train_all(parser.parse_args(arguments).out)


if __name__ == "__main__":
    main(sys.argv[1:])
