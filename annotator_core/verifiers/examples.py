"""Which human-verified texts stand as examples before a question: the most similar, never one that gives it away."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.errors import BadInput
from annotator_core.verifiers.contract import Example

_AT_ONCE: Final = 256
"""Questions whose similarities to the pool are held at once; chosen: 20 MB for a pool of 10,000."""
_LETTERS: Final = (2, 4)
"""Lengths of the pieces of words that are compared; chosen: they need no spaces between words, as Chinese has none."""


def choose(  # noqa: PLR0913 - two tables of equal columns, and who may not stand there
    texts_pool: Sequence[str],
    labels_pool: Sequence[str],
    hashes_pool: Sequence[str],
    queries: Sequence[str],
    query_hashes: Sequence[str],
    n: int,
    excluded_hashes: Collection[str],
) -> list[tuple[Example, ...]]:
    """Return up to n examples for each query, the most similar last, next to the question; fewer where the pool ends.

    Hashes are `annotator_core.texts.hash_text`'s. Never an example: the query itself or a copy of it (also one that
    differs in case and white space only), a text of excluded_hashes (audit rows), or one text twice. Similarity is the
    cosine of TF-IDF over pieces of words; equal ones go by hash, so that the pool's order changes nothing.
    Raises BadInput for columns of different lengths or n below 0.
    """
    _check(texts_pool, labels_pool, hashes_pool, queries, query_hashes)
    if n < 0:
        raise BadInput(f"{n} examples cannot be shown.")
    kept = _keep(hashes_pool, frozenset(excluded_hashes))
    if not (n and len(kept) and queries):
        return [() for _ in queries]
    texts, hashes = [texts_pool[row] for row in kept], np.array([hashes_pool[row] for row in kept])
    folded = np.array([_fold(text) for text in texts], dtype=object)
    chosen = []
    for query, query_hash, scores in zip(queries, query_hashes, _compare(texts, queries), strict=True):
        rows = _pick(scores, (hashes != query_hash) & (folded != _fold(query)), n)
        chosen.append(tuple(Example(texts[row], labels_pool[kept[row]]) for row in rows))
    return chosen


def _check(*columns: Sequence[str]) -> None:
    pool, asked = columns[:3], columns[3:]
    if len({len(column) for column in pool}) > 1 or len({len(column) for column in asked}) > 1:
        raise BadInput("Texts, labels and hashes of examples must be equally many, and so must queries and theirs.")


def _keep(hashes: Sequence[str], excluded: frozenset[str]) -> list[int]:
    """Return the rows that may be shown, each text once, by hash."""
    first = {text_hash: row for row, text_hash in reversed(list(enumerate(hashes))) if text_hash not in excluded}
    return [first[text_hash] for text_hash in sorted(first)]


def _compare(texts: Sequence[str], queries: Sequence[str]) -> Iterator[FloatArray]:
    """Yield the similarities (pool,) of each query, 0 to 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer: Any = TfidfVectorizer(analyzer="char_wb", ngram_range=_LETTERS, sublinear_tf=True, dtype=np.float32)
    try:
        pool = vectorizer.fit_transform(texts)
    except ValueError:
        # No text of the pool holds two signs in a row: all are equally unlike.
        yield from np.zeros((len(queries), len(texts)), dtype=np.float32)
        return
    for start in range(0, len(queries), _AT_ONCE):
        yield from (vectorizer.transform(queries[start : start + _AT_ONCE]) @ pool.T).toarray()


def _pick(scores: FloatArray, may_stand: BoolArray, n: int) -> list[int]:
    """Return the rows of the n highest scores, ascending, of those that may stand; equal ones by row."""
    rows: IntArray = np.flatnonzero(may_stand)
    # In float32 the last bits of equal similarities differ by the order of the sum.
    best = np.lexsort((rows, -np.round(scores[rows], 5)))[:n]
    return [int(row) for row in rows[best][::-1]]


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
