"""Texts as rows of TF-IDF numbers, and how their vocabulary is learned.

The numbers are those of scikit-learn's TfidfVectorizer (lower case, sublinear_tf, token_pattern ``\\w+``, norm l2), one
for each block, side by side; it is itself too slow for a million texts, since it cuts each word into characters anew.
Source: Salton and Buckley (1988), Information Processing and Management 24, 513.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_matrix, hstack

from annotator_core.arrays import FloatArray
from annotator_core.linear.model import Block

WORD_PATTERN: Final = r"(?u)\b\w+\b"
"""Words of one letter too: ``I`` and ``u`` tell classes of short texts apart."""
_CACHED_WORDS: Final = 200_000
"""Words whose characters are remembered; the memory starts anew beyond, about 200 MB. Chosen."""


class Featurizer:
    """Turns texts into rows of features; not safe for two threads at once."""

    def __init__(self, blocks: Sequence[Block], terms: Sequence[Sequence[str]], idf: FloatArray) -> None:
        """Keep a counter for each block, with its part of idf (d,)."""
        ends = np.cumsum([len(names) for names in terms])[:-1]
        parts = np.split(idf.astype(np.float64), ends)
        self._counters = [_Counter(block, names, part) for block, names, part in zip(blocks, terms, parts, strict=True)]

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Return the features (n, d) as a sparse float64 matrix; a text without a known term has an empty row."""
        return csr_matrix(hstack([counter.transform(texts) for counter in self._counters], format="csr"))


class _Counter:
    """Counts and weighs the terms of one block."""

    def __init__(self, block: Block, terms: Sequence[str], idf: np.ndarray) -> None:
        self._block = block
        self._columns = {term: column for column, term in enumerate(terms)}
        self._idf = idf
        self._words: dict[str, list[int]] = {}
        self._find_words = re.compile(WORD_PATTERN).findall

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        rows = [self._find_columns(text.lower()) for text in texts]
        starts = np.cumsum([0, *map(len, rows)])
        columns = np.fromiter((column for row in rows for column in row), dtype=np.int64, count=int(starts[-1]))
        counts = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(texts), len(self._idf)))
        counts.sum_duplicates()
        counts.data = (np.log(counts.data) + 1.0) * self._idf[counts.indices]
        lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
        counts.data /= np.repeat(lengths, np.diff(counts.indptr))
        return counts

    def _find_columns(self, text: str) -> list[int]:
        if self._block.analyzer == "word":
            return self._look_up(_join(self._find_words(text), self._block))
        return [column for word in text.split() for column in self._find_in_word(word)]

    def _find_in_word(self, word: str) -> list[int]:
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _CACHED_WORDS:
                self._words.clear()
            known = self._words[word] = self._look_up(_cut(f" {word} ", self._block))
        return known

    def _look_up(self, terms: Iterator[str]) -> list[int]:
        columns = self._columns
        return [columns[term] for term in terms if term in columns]


def _join(words: list[str], block: Block) -> Iterator[str]:
    for size in range(block.shortest, block.longest + 1):
        if size == 1:
            yield from words
        else:
            yield from map(" ".join, zip(*(words[start:] for start in range(size)), strict=False))


def _cut(padded: str, block: Block) -> Iterator[str]:
    """Yield the n-grams of a word with its blanks; a word shorter than the n-gram counts once as a whole."""
    for size in range(block.shortest, block.longest + 1):
        yield padded[:size]
        for start in range(1, len(padded) - size + 1):
            yield padded[start : start + size]
        if size >= len(padded):
            return


def learn_terms(
    texts: Sequence[str], blocks: Sequence[Block], *, max_features: int
) -> tuple[tuple[tuple[str, ...], ...], FloatArray]:
    """Return the terms of each block and idf (d,), learned from the texts: the most frequent terms, at most that many.

    A block in which no text has a term gets none.
    """
    learned = [_learn_block(texts, block, max_features // len(blocks)) for block in blocks]
    idf = np.concatenate([part for _, part in learned]).astype(np.float32)
    return tuple(terms for terms, _ in learned), idf


def _learn_block(texts: Sequence[str], block: Block, max_features: int) -> tuple[tuple[str, ...], np.ndarray]:
    vectorizer = make_vectorizer(block, max_features)
    try:
        vectorizer.fit(texts)
    except ValueError:  # scikit-learn's only word for an empty vocabulary
        return (), np.zeros(0)
    return tuple(str(term) for term in vectorizer.get_feature_names_out()), vectorizer.idf_


def make_vectorizer(block: Block, max_features: int | None = None) -> Any:
    """Return scikit-learn's vectorizer of the same numbers, unfitted."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer=block.analyzer,
        ngram_range=(block.shortest, block.longest),
        max_features=max_features,
        sublinear_tf=True,
        token_pattern=WORD_PATTERN if block.analyzer == "word" else None,
    )
