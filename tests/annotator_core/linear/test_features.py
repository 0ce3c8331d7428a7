"""The features equal scikit-learn's, text by text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.linear import features
from annotator_core.linear.features import Featurizer, learn_terms, make_vectorizer
from annotator_core.linear.model import Block
from tests.annotator_core.linear.conftest import BLOCKS, TEXTS


def featurize(texts: list[str], blocks: tuple[Block, ...] = BLOCKS) -> np.ndarray:
    terms, idf = learn_terms(TEXTS, blocks, max_features=10_000)
    return Featurizer(blocks, terms, idf).transform(texts).toarray()


def fit_peer(block: Block):
    return make_vectorizer(block).fit(TEXTS)


PEERS = [fit_peer(block) for block in BLOCKS]


@given(st.lists(st.text(alphabet="abgolfitsx BAİß_'.\t-1日", max_size=25), max_size=4))
def test_transform_equals_scikit_learn(texts: list[str]) -> None:
    texts = [*TEXTS, *texts]
    expected = np.hstack([peer.transform(texts).toarray() for peer in PEERS])
    assert np.abs(featurize(texts) - expected).max() < 1e-6


@pytest.mark.parametrize("block", [Block("word", 1, 1), Block("word", 2, 3), Block("char_wb", 1, 1)])
def test_transform_equals_scikit_learn_for_other_sizes(block: Block) -> None:
    assert np.abs(featurize(TEXTS, (block,)) - fit_peer(block).transform(TEXTS).toarray()).max() < 1e-6


def test_transform_of_unknown_terms_is_empty() -> None:
    assert featurize(["qqq", ""]).sum() == 0
    assert featurize([]).shape[0] == 0


def test_transform_remembers_a_bounded_number_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    before = featurize(TEXTS)
    monkeypatch.setattr(features, "_CACHED_WORDS", 2)
    assert np.array_equal(featurize(TEXTS), before)


def test_learn_terms_keeps_the_most_frequent() -> None:
    terms, idf = learn_terms(["a b", "a c", "a b"], (Block("word", 1, 1), Block("word", 2, 2)), max_features=4)
    assert terms == (("a", "b"), ("a b", "a c"))
    assert idf.tolist() == pytest.approx([1.0, 1 + np.log(4 / 3), 1 + np.log(4 / 3), 1 + np.log(4 / 2)])


def test_learn_terms_of_nothing_gives_none() -> None:
    terms, idf = learn_terms(["!!"], (Block("word", 1, 2),), max_features=4)
    assert (terms, idf.shape) == (((),), (0,))
    assert Featurizer((Block("word", 1, 2),), terms, idf).transform(["a"]).shape == (1, 0)
