"""A small linear model with known weights, and texts that try its features."""

import numpy as np
import pytest

from annotator_core.linear.features import learn_terms
from annotator_core.linear.model import Block, LinearModel, Weights

LABELS = ("negative", "neutral", "positive")
BLOCKS = (Block("word", 1, 2), Block("char_wb", 2, 5))
TEXTS = [
    "Good good flight, I liked it!",
    "a bad, BAD landing",
    "it is fine",
    "  Ünïcode   straße\tİstanbul  ",
    "x",
    "日本語 の テキスト",
    "12 o'clock :-)",
    "it's n't_so bad",
]


def make_model(blocks: tuple[Block, ...] = BLOCKS, seed: int = 0) -> LinearModel:
    terms, idf = learn_terms(TEXTS, blocks, max_features=400)
    rng = np.random.default_rng(seed)
    weights = Weights(
        rng.normal(size=(len(LABELS), len(idf))).astype(np.float32), rng.normal(size=len(LABELS)).astype(np.float32)
    )
    return LinearModel(
        labels=LABELS, blocks=blocks, terms=terms, idf=idf, weights=weights, strength=10.0, license="cc0-1.0"
    )


@pytest.fixture
def model() -> LinearModel:
    return make_model()
