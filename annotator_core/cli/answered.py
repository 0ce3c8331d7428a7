"""What ``certify`` reads: a labeled table with a score for each label, and people's answers to some of its rows."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.cli.gold import count_copies, is_certifying, read_name
from annotator_core.cli.progress import show_bar
from annotator_core.cli.tables import Row, Table, read_rows
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN

Doubles = npt.NDArray[np.float64]
_NO_LABEL: Final = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns: people's answers, labels, scores of labels."""

    gold: str
    label: str
    score: str


@dataclass(frozen=True, slots=True)
class Labeled:
    """The n rows of a table, and the a answered ones among them.

    scores (n,): 0 or more, at the width they are written in; NaN without a label, and where a language model decided,
    whose answers have no score: never accepted. labels (n,): index in `classes`,
    which are all labels there are, or ABSTAIN. texts: of the answered rows. answered (a,): their positions. is_right,
    may_certify (a,): whether the label is the answer, and whether no fit has seen it. copies (a,): how many rows of the
    table hold the same text.
    """

    scores: Doubles
    labels: IntArray
    classes: tuple[str, ...]
    texts: list[str]
    answered: IntArray
    is_right: BoolArray
    may_certify: BoolArray
    copies: IntArray


def read_labeled(table: Table, columns: Columns, *, is_unfitted: bool) -> Labeled:
    """Return the labeled table. is_unfitted: nothing was fitted on the answers, so that all of them may certify.

    Raises BadInput for a column that is missing, for a score that is no number from 0 up, with its row, and where no
    label has a score.
    """
    for column in (columns.gold, columns.label, columns.score):
        if column not in table.columns:
            raise BadInput(f"{table.name} has no column {column!r}: choose one of {', '.join(table.columns[:20])}.")
    scores, names = np.full(table.n_rows, np.nan), list[str]()
    answered, texts, is_right = list[int](), list[str](), list[bool]()
    with show_bar(table.n_rows, "row") as advance:
        for number, row in enumerate(read_rows(table)):
            label, gold = read_name(row.get(columns.label)), read_name(row.get(columns.gold))
            names.append(label)
            if label:
                scores[number] = _read_score(table, row, number, columns.score)
            if gold:
                answered.append(number)
                texts.append(str(row[table.text_column] or ""))
                is_right.append(label == gold)
            advance(1)
    classes = tuple(sorted(set(names) - {_NO_LABEL}))
    if classes and np.isnan(scores).all():
        raise BadInput(f"{table.name}: no label has a score in {columns.score!r}: name another --score-column.")
    indices = {_NO_LABEL: ABSTAIN, **{name: index for index, name in enumerate(classes)}}
    return Labeled(
        scores=scores,
        labels=np.array([indices[name] for name in names], dtype=np.int64),
        classes=classes,
        texts=texts,
        answered=np.array(answered, dtype=np.int64),
        is_right=np.array(is_right, dtype=np.bool_),
        may_certify=np.ones(len(texts), dtype=np.bool_) if is_unfitted else is_certifying(texts),
        copies=count_copies(table, texts),
    )


def _read_score(table: Table, row: Row, number: int, column: str) -> float:
    written = read_name(row.get(column))
    if not written:
        return math.nan
    try:
        score = float(written)
    except ValueError:
        score = math.nan
    if not 0 <= score < math.inf:
        raise BadInput(
            f"{table.name}, row {number + 1}: {row.get(column)!r} in column {column!r} is no score: a labeled row "
            "needs a number from 0 up."
        )
    return score
