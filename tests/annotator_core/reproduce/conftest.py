import csv

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.reproduce.sets import DataSet
from annotator_core.reproduce.specialists import Folders

WORDS = {
    "negative": ("bad", "awful", "hate"),
    "neutral": ("table", "monday", "bus"),
    "positive": ("good", "lovely", "joy"),
}


@pytest.fixture
def ballots_and_gold():
    """200 rows, 3 classes: two specialists that are right in four of five rows, one at chance."""
    rng = np.random.default_rng(5)
    gold = rng.integers(0, 3, 200)
    votes = np.stack(
        [np.where(rng.random(200) < share, gold, rng.integers(0, 3, 200)) for share in (0.8, 0.8, 0.33)], axis=1
    )
    probs = np.full((200, 3, 3), 0.15, dtype=np.float32)
    np.put_along_axis(probs, votes[:, :, None], 0.7, axis=2)
    return Ballots.from_probs(probs), gold


@pytest.fixture
def write_csv(tmp_path):
    def write(name, rows):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([["id", "text", "label"], *rows])
        return path

    return write


@pytest.fixture
def made_texts():
    """Texts whose words tell their class, by their number of rows and a seed."""

    def make(count, seed):
        rng = np.random.default_rng(seed)
        labels = [list(WORDS)[index] for index in rng.integers(0, 3, count)]
        return [
            (f"{i}", f"{rng.choice(WORDS[name])} {rng.choice(WORDS[name])} row {seed}-{i}", name)
            for i, name in enumerate(labels)
        ]

    return make


@pytest.fixture
def folders(write_csv, made_texts, tmp_path):
    write_csv("data/own/train.csv", made_texts(150, 1))
    write_csv("data/own/test.csv", made_texts(60, 2))
    return Folders(tmp_path / "data", tmp_path / "trained", tmp_path / "kept")


@pytest.fixture
def own():
    """A set whose three linear specialists learn from 30 rows each of its own; 120 are left to label."""
    names = ("linear-both", "linear-words", "linear-characters")
    files = ("own/train.csv", "own/test.csv")
    return DataSet("own", "Own", "own", files, (), names, training=files[0], rows_each=30)
