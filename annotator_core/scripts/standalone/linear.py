"""TF-IDF with logistic regression votes: words and characters are counted, weighed and summed up."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from annotator_core.scripts.standalone.values import Doubles, Floats, Refused, Voter

WORD_PATTERN: Final = r"(?u)\b\w+\b"


def predict_linear(voter: Voter, folder: Path, texts: list[str]) -> Floats:
    """Return the logits (n, labels) of distinct, usable texts; a linear model reads whole texts.

    Raises Refused for a model of another format or with other labels.
    """
    from safetensors.numpy import load_file

    settings = json.loads((folder / "linear.json").read_bytes())
    terms = json.loads((folder / "vocabulary.json").read_bytes())["terms"]
    numbers = load_file(folder / "linear.safetensors")
    if settings.get("format") != 1 or tuple(settings["labels"]) != voter.labels:
        raise Refused(f"{voter.name}: the linear model is of another format, or its labels are others.")
    coef, intercept = numbers["coef"].astype(np.float64), numbers["intercept"].astype(np.float64)
    ends = np.cumsum([0, *map(len, terms)]).tolist()
    total = np.zeros((len(texts), len(voter.labels)))
    for block, names, low, high in zip(settings["blocks"], terms, ends[:-1], ends[1:], strict=True):
        columns = {term: column for column, term in enumerate(names)}
        idf = numbers["idf"][low:high].astype(np.float64)
        for row, text in enumerate(texts):
            total[row] += _weigh(_cut_text(text.lower(), *block), columns, idf, coef[:, low:high])
    return (total + intercept).astype(np.float32)


def _weigh(terms: Iterator[str], columns: dict[str, int], idf: Doubles, coef: Doubles) -> Doubles:
    """Return what one text's terms of a block add to the logits (labels,)."""
    counts = Counter(columns[term] for term in terms if term in columns)
    if not counts:
        return np.zeros(len(coef))
    places = np.array(sorted(counts), dtype=np.int64)
    values = (np.log(np.array([counts[place] for place in places.tolist()], dtype=np.float64)) + 1.0) * idf[places]
    values /= np.sqrt((values * values).sum())
    added: Doubles = (coef[:, places] * values).sum(axis=1)
    return added


def _cut_text(text: str, analyzer: str, shortest: int, longest: int) -> Iterator[str]:
    if analyzer != "word":
        for word in text.split():
            yield from _cut_word(f" {word} ", shortest, longest)
        return
    words = re.findall(WORD_PATTERN, text)
    for size in range(shortest, longest + 1):
        yield from (" ".join(words[start : start + size]) for start in range(len(words) - size + 1))


def _cut_word(padded: str, shortest: int, longest: int) -> Iterator[str]:
    """Yield the n-grams of a word with its blanks; a word shorter than the n-gram counts once as a whole."""
    for size in range(shortest, longest + 1):
        yield padded[:size]
        for start in range(1, len(padded) - size + 1):
            yield padded[start : start + size]
        if size >= len(padded):
            return
