"""People's answers as arrays, and what the engine says of them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.types import ABSTAIN
from labeling.quality.engine.agreement import agreement, cohen_agreement
from labeling.quality.figures import AgreementFigure

Pair = tuple[int, int]


def figures_of(answers: Sequence[Mapping[int, int]]) -> tuple[AgreementFigure, ...]:
    """Cohen, Fleiss and Krippendorff over texts, each given as class ids by user id."""
    return agreement(_table(answers, sorted({user_id for given in answers for user_id in given})))


def kappas_of(answers: Sequence[Mapping[int, int]]) -> dict[Pair, AgreementFigure]:
    """Cohen's kappa of every two people who answered a text in common, by their user ids."""
    shared: dict[Pair, list[Mapping[int, int]]] = {}
    for given in answers:
        for pair in combinations(sorted(given), 2):
            shared.setdefault(pair, []).append(given)
    return {pair: cohen_agreement(_table(texts, pair)) for pair, texts in shared.items()}


def _table(answers: Sequence[Mapping[int, int]], users: Iterable[int]) -> IntArray:
    """(texts, users): indices of classes, ABSTAIN where a person did not answer."""
    columns = list(users)
    places = {one: place for place, one in enumerate(sorted({one for given in answers for one in given.values()}))}
    table = np.full((len(answers), len(columns)), ABSTAIN, dtype=np.int64)
    for row, given in enumerate(answers):
        for column, user_id in enumerate(columns):
            if user_id in given:
                table[row, column] = places[given[user_id]]
    return table
