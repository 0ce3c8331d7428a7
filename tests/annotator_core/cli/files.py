"""Tables that the tests of the commands write and read."""

import csv
from pathlib import Path

import numpy as np

EMOTIONS = ("anger", "fear", "joy", "love", "sadness", "surprise")
SENTIMENTS = ("negative", "neutral", "positive")
STANCES = ("against", "favor", "none")
VOTERS = ("flan-t5-large", "flan-t5-base", "flan-t5-xl", "chatgpt", "text-davinci-003", "flan-ul2")


def write_csv(path: Path, texts: list[str], **columns: list[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", *columns])
        writer.writerows(zip(texts, *columns.values(), strict=True))
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_stored_votes(
    folder: Path, classes: tuple[str, ...] = STANCES, n_rows: int = 40, voters: tuple[str, ...] = VOTERS
) -> None:
    """Write a set with stored votes as ``reproduce`` reads it: the voters, each right on most of the texts."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    gold = rng.integers(0, len(classes), n_rows)
    items, votes = ["id,text,label"], ["item,annotator,label"]
    for row, label in enumerate(gold):
        items.append(f"{row},word{label} text {row},{classes[label]}")
        for name in voters:
            answer = label if rng.random() < 0.7 else rng.integers(0, len(classes))
            votes.append(f"{row},{name},{classes[answer]}")
    (folder / "items.csv").write_text("\n".join(items) + "\n")
    (folder / "votes.csv").write_text("\n".join(votes) + "\n")
