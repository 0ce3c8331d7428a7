"""People's answers in a column of the input: who fits, who certifies, and what they say of an aggregation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annotator_core.annotation import Ballot
from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.cli.tables import Table, read_rows, read_windows
from annotator_core.consensus.aggregator import Ballots
from annotator_core.contract.frame import third_of
from annotator_core.errors import BadInput
from annotator_core.spool import find_groups
from annotator_core.texts import find_flaw, hash_text
from annotator_core.types import ABSTAIN

# scipy takes a second to import: only what certifies pays for it.
if TYPE_CHECKING:
    from annotator_core.contract.certify import Scores

UNLABELED_MOST: Final = 5_000
"""Texts without an answer that Dawid-Skene learns from: confusion matrices stand long before; chosen."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The answered rows of a table, and some without an answer, in the table's order.

    gold (n,): class index or ABSTAIN. is_certifying (n,): answers that no fit may see. copies (n,): how many rows of
    the table hold the same text.
    """

    texts: list[str]
    ballots: Ballots
    gold: IntArray
    is_certifying: BoolArray
    copies: IntArray

    def find_fitting(self) -> "Audit":
        """Return what a fit may see: not a vote on a text that certifies, and each other text once, by their hashes.

        A text's class is the commonest of its answers, of equally common ones the first.
        """
        # Copies in several folds of a race would tell it the answers that it is tested on.
        _groups, firsts, places = np.unique(find_groups(self.texts), return_index=True, return_inverse=True)
        is_free = np.ones(len(firsts), dtype=np.bool_)
        is_free[places[self.is_certifying]] = False
        kept = firsts[is_free]
        gold = _merge_answers(places, self.gold, len(firsts), self.ballots.n_classes)[is_free]
        texts = [self.texts[row] for row in kept]
        return Audit(texts, self.ballots.take(kept), gold, np.zeros(len(kept), dtype=np.bool_), self.copies[kept])

    def tell_copies(self) -> str:
        """Return what `tell_copies` says of the texts that certify."""
        return tell_copies(find_span(self.copies[self.is_certifying]))


def _merge_answers(places: IntArray, gold: IntArray, n_texts: int, n_classes: int) -> IntArray:
    """Return the commonest answer to each text (t,), ABSTAIN without one; places (n,): the text of each row."""
    known = gold != ABSTAIN
    pairs, counts = np.unique(places[known] * n_classes + gold[known], return_counts=True)
    # What is written last stays: the commonest, and of these the first class.
    pairs = pairs[np.lexsort((-pairs, counts))]
    merged: IntArray = np.full(n_texts, ABSTAIN, dtype=np.int64)
    merged[pairs // n_classes] = pairs % n_classes
    return merged


def read_name(value: object) -> str:
    """Return the name of a class in a cell, empty where there is none; what JSON holds without quotes is a name, too.

    >>> read_name(" yes "), read_name(1), read_name(None)
    ('yes', '1', '')
    """
    return "" if value is None else str(value).strip()


def read_gold(table: Table, column: str, classes: Sequence[str]) -> IntArray:
    """Return the class index in a column for each row (n,), ABSTAIN where the cell is empty.

    Raises BadInput for a column that is missing or empty throughout, and for a name that is no class, with its row.
    """
    if column not in table.columns:
        raise BadInput(f"{table.name} has no column {column!r}: choose one of {', '.join(table.columns[:20])}.")
    indices = {name: index for index, name in enumerate(classes)}
    gold = np.full(table.n_rows, ABSTAIN, dtype=np.int64)
    for number, row in enumerate(read_rows(table)):
        answer = read_name(row.get(column))
        if not answer:
            continue
        if answer not in indices:
            raise BadInput(
                f"{table.name}, row {number + 1}: {row.get(column)!r} in column {column!r} is none of the classes "
                f"{', '.join(classes)}."
            )
        gold[number] = indices[answer]
    if (gold == ABSTAIN).all():
        raise BadInput(f"The column {column!r} of {table.name} holds no answer: fill in the class of random texts.")
    return gold


def collect_audit(read: Callable[[], Iterable[Ballot]], gold: IntArray) -> Audit:
    """Return the rows with gold and at most 5,000 different texts without, of the smallest hashes, in whatever order.

    read: yields all ballots of the table; it is called twice. gold (n,) may be empty: none is known.
    """
    groups = np.concatenate([np.empty(0, dtype=np.int64), *[find_groups(ballot.texts) for ballot in read()]])
    answers = gold if len(gold) else np.full(len(groups), ABSTAIN, dtype=np.int64)
    is_wanted = answers != ABSTAIN
    others = np.flatnonzero(~is_wanted)
    _hashes, firsts = np.unique(groups[others], return_index=True)
    is_wanted[others[firsts[:UNLABELED_MOST]]] = True
    texts, probs = _gather(read(), is_wanted)
    kept, named = answers[is_wanted], groups[is_wanted]
    groups.sort()
    copies = np.searchsorted(groups, named, "right") - np.searchsorted(groups, named)
    return Audit(texts, Ballots.from_probs(probs, named), kept, is_certifying(texts) & (kept != ABSTAIN), copies)


def is_certifying(texts: Sequence[str]) -> BoolArray:
    """Return for each text (n,) whether an answer on it certifies; a third fits, chosen by the text alone."""
    return np.array(
        [find_flaw(text) is None and third_of(hash_text(text)) == "certify" for text in texts], dtype=np.bool_
    )


def count_copies(table: Table, texts: Sequence[str]) -> IntArray:
    """Return how many rows of the table hold each of the texts (n,). Raises BadInput as `read_windows` does."""
    counts = dict.fromkeys(texts, 0)
    for window in read_windows(table):
        for text in window.texts:
            if text in counts:
                counts[text] += 1
    return np.array([counts[text] for text in texts], dtype=np.int64)


def find_span(copies: IntArray) -> tuple[int, int]:
    """Return the least and the greatest of some counts (n,), 0 and 0 for none."""
    return (int(copies.min()), int(copies.max())) if len(copies) else (0, 0)


def tell_copies(span: tuple[int, int]) -> str:
    """Return a warning where texts that certify stand in the table unequally often, nothing where they do not.

    span: how often the rarest and the most frequent of them do.
    """
    fewest, most = span
    if fewest == most:
        return ""
    return (
        f"Careful: the answered texts that certify stand in the table {fewest:,} to {most:,} times. Rows "
        "drawn at random hold the frequent ones too often, and then nothing of this is promised: it holds where "
        "different texts were drawn at random, each once. If they were not, draw from the table without its copies.\n"
    )


def _gather(ballots: Iterable[Ballot], is_wanted: BoolArray) -> tuple[list[str], FloatArray]:
    texts: list[str] = []
    parts: list[FloatArray] = []
    low = 0
    for ballot in ballots:
        rows = np.flatnonzero(is_wanted[low : low + len(ballot.texts)])
        texts += [ballot.texts[row] for row in rows]
        parts.append(ballot.probs[rows])
        low += len(ballot.texts)
    return texts, np.concatenate(parts)


def merge_texts(texts: Sequence[str], scores: "Scores", is_right: BoolArray) -> tuple["Scores", BoolArray]:
    """Return one score and verdict for each of d different texts, (d,) each, as a certificate wants them.

    scores, is_right (n,): of n texts; scores keep their width. One that stands there twice is right only if all its
    answers say so.
    """
    merged: dict[str, tuple[int, bool]] = {}
    for row, (text, right) in enumerate(zip(texts, is_right.tolist(), strict=True)):
        merged[text] = (row, right and merged.get(text, (row, True))[1])
    rows = np.array([row for row, _right in merged.values()], dtype=np.int64)
    return scores[rows], np.array([right for _row, right in merged.values()], dtype=np.bool_)
