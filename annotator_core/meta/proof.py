"""What candidates are worth on pilot rows: how right they are, or else what they tell of each other.

Source: mutual information is Shannon's (1948), Bell System Technical Journal 27, 379; engine section 7.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.contract.estimate import Estimate, estimate_share
from annotator_core.meta.label_maps import MIN_GOLD
from annotator_core.specialists.contract import Identity, SpecialistSpec
from annotator_core.specialists.folder import FolderCard
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap

MAX_TOKENS: Final = 128
"""Tokens read of a pilot text, as many as a specialist reads unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's own answers on n rows. labels (n,): index of its top label, ABSTAIN where it gave none.

    truncated: rows longer than it reads. seconds: wall time.
    """

    labels: IntArray
    truncated: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What a candidate is worth on n_rows pilot rows.

    accuracy: share of the n_gold rows with a known class that it gets right, an abstention counting as wrong; without
    a value under 20 of them. abstained: share of the rows, 0 to 1, None where the map says nothing. class_shares (k):
    of its votes. information: mean over the other candidates of the mutual information of both models' own labels, over
    ln k: 0 to 1, None without others. agreement: mean share of equal votes with the others, None without common rows.
    """

    n_rows: int
    n_gold: int
    accuracy: Estimate
    abstained: float | None
    class_shares: tuple[float, ...]
    information: float | None
    agreement: float | None


def answer(card: FolderCard, texts: Sequence[str], should_stop: Callable[[], bool] | None = None) -> Answers:
    """Return the answers of the model in a folder, under its own labels.

    Raises BadModelFolder where it does not load, SpecialistCrashed, and PredictionStopped.
    """
    n_labels = len(card.labels)
    length = min(card.max_length or MAX_TOKENS, MAX_TOKENS)
    own = LabelMap(card.labels, tuple(range(n_labels)))
    spec = SpecialistSpec(card.path, own, n_labels, length, Identity(card.path.name))
    found = load_specialist(card.backend, spec).predict(list(texts), should_stop=should_stop)
    has_answer = ~np.isnan(found.probs).any(axis=1)
    labels = np.where(has_answer, np.nan_to_num(found.probs).argmax(axis=1), ABSTAIN).astype(np.int64)
    return Answers(labels, found.truncated, found.seconds)


def map_votes(labels: IntArray, targets: Sequence[int]) -> IntArray:
    """Return the classes (n,) that a model's labels (n,) mean under a map; ABSTAIN stays ABSTAIN."""
    table = np.array([*targets, ABSTAIN], dtype=np.int64)
    return np.asarray(table[labels], dtype=np.int64)


def prove(
    labels: Sequence[IntArray],
    votes: Sequence[IntArray],
    gold: IntArray,
    may_test: Sequence[Sequence[bool]],
    n_classes: int,
) -> tuple[Proof, ...]:
    """Return what each of m candidates is worth: labels and votes (m, n), gold (n,), may_test (m, n) as of the maps."""
    return tuple(
        _prove(
            votes[index],
            gold,
            np.array(may_test[index], dtype=np.bool_),
            n_classes,
            information=_mean(
                [mutual_information(labels[index], other, n_classes) for other in _others(labels, index)]
            ),
            agreement=_mean([measure_agreement(votes[index], other) for other in _others(votes, index)]),
        )
        for index in range(len(votes))
    )


def _others(rows: Sequence[IntArray], index: int) -> list[IntArray]:
    return [one for position, one in enumerate(rows) if position != index]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _prove(
    votes: IntArray,
    gold: IntArray,
    may_test: BoolArray,
    n_classes: int,
    *,
    information: float | None,
    agreement: float | None,
) -> Proof:
    tested = (gold != ABSTAIN) & may_test
    n_gold = int(tested.sum())
    cast = votes[votes != ABSTAIN]
    none = np.empty(0, dtype=np.bool_)
    return Proof(
        n_rows=len(votes),
        n_gold=n_gold,
        accuracy=estimate_share((votes == gold)[tested] if n_gold >= MIN_GOLD else none),
        abstained=1 - len(cast) / len(votes) if len(cast) else None,
        class_shares=tuple((np.bincount(cast, minlength=n_classes) / max(len(cast), 1)).tolist()),
        information=information,
        agreement=agreement,
    )


def mutual_information(one: IntArray, other: IntArray, n_classes: int) -> float | None:
    """Return what two models' labels tell of each other, over ln k for k classes: 0 to 1; None without common rows.

    one, other (n,): label indices or ABSTAIN. Plug-in estimate less the bias of Miller (1955) and Madow, (a - 1)(b - 1)
    / 2n for a and b labels in use, so that unrelated answers give about 0.

    >>> import numpy as np
    >>> mutual_information(np.array([0, 1] * 50), np.array([1, 0] * 50), 2) > 0.9
    True
    """
    both = (one != ABSTAIN) & (other != ABSTAIN)
    n = int(both.sum())
    if not n:
        return None
    _, rows = np.unique(one[both], return_inverse=True)
    _, columns = np.unique(other[both], return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    joint = table / n
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    filled = joint > 0
    plug_in = float((joint[filled] * np.log(joint[filled] / independent[filled])).sum())
    bias = (table.shape[0] - 1) * (table.shape[1] - 1) / (2 * n)
    return float(min(max(plug_in - bias, 0.0) / math.log(max(n_classes, 2)), 1.0))


def measure_agreement(one: IntArray, other: IntArray) -> float | None:
    """Return the share of equal votes (n,), 0 to 1, over the rows that both voted on; None without any."""
    both = (one != ABSTAIN) & (other != ABSTAIN)
    if not both.any():
        return None
    return float(np.mean(one[both] == other[both]))
