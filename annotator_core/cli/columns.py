"""Our columns of a labeled table: what became of a window's rows, in words and numbers."""

from collections.abc import Mapping, Sequence
from typing import Final

from annotator_core.annotation import Block
from annotator_core.cli.encoding import Column
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Verdict

COLUMNS: Final = ("label", "label_source", "confidence", "uncertainty", "route", "votes")
VERIFIER_COLUMNS: Final = ("verifier_label", "verifier_outcome", "verifier_confidence", "verifier_reason")
"""Beside them where a language model is asked."""


def name_columns(taken: Sequence[str], columns: Sequence[str] = COLUMNS) -> list[str]:
    """Return the names of our columns, with the prefix aa_ where the table has such a column."""
    return [_avoid(column, taken) for column in columns]


def _avoid(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name = f"aa_{name}"
    return name


def describe(block: Block, classes: Sequence[str]) -> list[Column]:
    """Return the values of `COLUMNS`; numbers have six decimals, which is what fp32 holds."""
    # The last entry is what ABSTAIN, -1, points at.
    names = (*classes, "")
    rounded = {value: round(value, 6) for value in set(block.uncertainty.tolist())}
    return [
        [names[label] for label in block.labels.tolist()],
        [source or "" for source in block.list_sources()],
        ["" if value != value else round(value, 6) for value in block.confidence.tolist()],
        [rounded[value] for value in block.uncertainty.tolist()],
        block.list_routes(),
        _describe_votes(block, classes),
    ]


def describe_verdicts(verdicts: Mapping[int, Verdict], count: int, classes: Sequence[str]) -> list[Column]:
    """Return the values of `VERIFIER_COLUMNS` for so many rows, empty where nothing was asked; verdicts: by row."""
    names = (*classes, "")
    found = [verdicts.get(row) for row in range(count)]
    return [
        ["" if each is None else names[each.class_index] for each in found],
        ["" if each is None else each.outcome.value for each in found],
        ["" if each is None or each.confidence is None else round(each.confidence, 6) for each in found],
        ["" if each is None else each.reason for each in found],
    ]


def _describe_votes(block: Block, classes: Sequence[str]) -> list[str]:
    columns = [
        _describe_voter(name, classes, block.votes[:, column].tolist(), block.vote_probs[:, column].tolist())
        for column, name in enumerate(block.ballot.names)
    ]
    return list(map("; ".join, zip(*columns, strict=True)))


def _describe_voter(name: str, classes: Sequence[str], votes: list[int], probs: list[float]) -> list[str]:
    prefixes, abstains = [f"{name}={label}@" for label in classes], f"{name}=abstain"
    return [
        abstains if vote == ABSTAIN else f"{prefixes[vote]}{prob:.4f}" for vote, prob in zip(votes, probs, strict=True)
    ]
