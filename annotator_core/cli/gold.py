"""People's answers in a column of the input: who fits, who certifies, and what they say of an aggregation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annotator_core.annotation import Ballot
from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.cli.tables import Table, read_rows
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
"""Rows without an answer that Dawid-Skene learns from: confusion matrices stand long before; chosen."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The answered rows of a table, and some without an answer, in the table's order.

    gold (n,): class index or ABSTAIN. is_certifying (n,): answers that no fit may see.
    """

    texts: list[str]
    ballots: Ballots
    gold: IntArray
    is_certifying: BoolArray


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
        raise BadInput(f"The column {column!r} of {table.name} holds no answer: fill in the class of some random rows.")
    return gold


def collect_audit(read: Callable[[], Iterable[Ballot]], gold: IntArray) -> Audit:
    """Return the rows with gold and at most 5,000 without, those of the smallest hashes, whatever order they are in.

    read: yields all ballots of the table; it is called twice. gold (n,) may be empty: none is known.
    """
    groups = np.concatenate([np.empty(0, dtype=np.int64), *[find_groups(ballot.texts) for ballot in read()]])
    answers = gold if len(gold) else np.full(len(groups), ABSTAIN, dtype=np.int64)
    is_wanted = answers != ABSTAIN
    others = np.flatnonzero(~is_wanted)
    is_wanted[others[np.argsort(groups[others], kind="stable")[:UNLABELED_MOST]]] = True
    texts, probs = _gather(read(), is_wanted)
    kept = answers[is_wanted]
    ballots = Ballots.from_probs(probs, groups[is_wanted])
    return Audit(texts, ballots, kept, is_certifying(texts) & (kept != ABSTAIN))


def is_certifying(texts: Sequence[str]) -> BoolArray:
    """Return for each text (n,) whether an answer on it certifies; a third fits, chosen by the text alone."""
    return np.array(
        [find_flaw(text) is None and third_of(hash_text(text)) == "certify" for text in texts], dtype=np.bool_
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
