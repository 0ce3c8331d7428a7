"""The command: a CSV file in, the same rows with votes, label and route out."""

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from annotator_core.scripts.standalone.answers import ask_all
from annotator_core.scripts.standalone.routes import Formed, find_hard, form
from annotator_core.scripts.standalone.values import ABSTAIN, Ballots, Bools, Ints, Refused, read_voter

COLUMNS: Final = ("label", "label_source", "confidence", "uncertainty", "score", "route", "votes")
"""Appended to the input's columns, with the prefix aa_ where the table has such a column. Empty label: review."""
Rows = list[list[str]]


def main(plan: Mapping[str, Any], arguments: Sequence[str] | None = None) -> int:
    """Label a file as the plan says; return 0, or 2 where something given cannot be used."""
    given = _read_arguments(plan, arguments)
    try:
        header, rows = read_table(given.input)
        texts = read_column(header, rows, given.text_column, given.input)
        verdicts = read_verdicts(given.verdicts, plan["classes"], given.text_column) if given.verdicts else {}
        voters = [read_voter(one) for one in plan["voters"]]
        ballots = ask_all(
            voters, texts, len(plan["classes"]), models=given.models, device=_pick_device(given.device),
            is_half=plan["is_half"],
        )  # fmt: skip
        formed = form(plan, ballots)
        hard = find_hard(plan, formed, texts)
        answers = np.array([verdicts.get(text, ABSTAIN) for text in texts], dtype=np.int64)
        columns = describe(plan, ballots, formed, hard, np.where(hard, answers, ABSTAIN))
        write_table(given.output, header, rows, columns)
    except (Refused, OSError, csv.Error, UnicodeDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _read_arguments(plan: Mapping[str, Any], arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Label a CSV file as {plan['title']} did.")
    parser.add_argument("input", type=Path, help="CSV file, UTF-8, with a header")
    parser.add_argument("output", type=Path, help="CSV file to write")
    parser.add_argument("--text-column", default=plan["text_column"], help="default: %(default)s")
    parser.add_argument("--models", type=Path, help="folder that holds the specialists' folders")
    parser.add_argument("--device", default="", help="cpu or cuda; default: what is there")
    parser.add_argument(
        "--verdicts", type=Path, help="CSV file with the columns text and label: the second review's answers"
    )
    return parser.parse_args(arguments)


def _pick_device(named: str) -> str:
    import torch

    return named or ("cuda" if torch.cuda.is_available() else "cpu")


def read_table(path: Path) -> tuple[list[str], Rows]:
    """Return the header and the rows of a CSV file; raises Refused for a row of another width."""
    csv.field_size_limit(100_000_000)
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise Refused(f"{path}: row {number} has {len(row)} cells, the header {len(header)}.")
    return header, rows


def read_column(header: Sequence[str], rows: Rows, name: str, path: Path) -> list[str]:
    """Return the cells of a column; raises Refused where there is none of that name."""
    if name not in header:
        raise Refused(f"{path} has no column {name!r}: it has {', '.join(header) or 'none at all'}.")
    place = list(header).index(name)
    return [row[place] for row in rows]


def read_verdicts(path: Path, classes: Sequence[str], text_column: str = "text") -> dict[str, int]:
    """Return the class index of each text that a second review decided, by the columns text and label.

    An export of the run does, too: the text may stand in the input's own column. Raises Refused for a label that is no
    class.
    """
    header, rows = read_table(path)
    text_name = text_column if text_column in header else "text"
    pairs = zip(read_column(header, rows, text_name, path), read_column(header, rows, "label", path), strict=True)
    named = {text: label for text, label in pairs if label}
    strange = next((label for label in named.values() if label not in classes), None)
    if strange is not None:
        raise Refused(f"{path}: {strange!r} is none of the classes: {', '.join(classes)}.")
    return {text: list(classes).index(label) for text, label in named.items()}


def describe(plan: Mapping[str, Any], ballots: Ballots, formed: Formed, hard: Bools, verdicts: Ints) -> list[list[str]]:
    """Return the values of `COLUMNS` for each row; verdicts (n,): of hard rows, ABSTAIN where there is none."""
    names = [*plan["classes"], ""]
    is_verified = verdicts != ABSTAIN
    keeps = ~is_verified & (formed.classes != ABSTAIN) & (plan["take_majority"] | ~hard)
    labels = np.where(keeps, formed.classes, verdicts)
    sources = np.where(is_verified, "verdict", np.where(keeps, "consensus", ""))
    routes = np.where(is_verified, "verify", np.where(hard, "review", "accept"))
    return [
        [
            names[int(labels[row])],
            str(sources[row]),
            f"{formed.top[row]:.6f}" if keeps[row] else "",
            f"{formed.uncertainty[row]:.6f}",
            f"{formed.score[row]:.6f}",
            str(routes[row]),
            "; ".join(_describe_votes(plan, ballots, row)),
        ]
        for row in range(len(labels))
    ]


def _describe_votes(plan: Mapping[str, Any], ballots: Ballots, row: int) -> list[str]:
    return [
        f"{voter['name']}=abstain"
        if (vote := int(ballots.votes[row, place])) == ABSTAIN
        else f"{voter['name']}={plan['classes'][vote]}@{ballots.probs[row, place, vote]:.4f}"
        for place, voter in enumerate(plan["voters"])
    ]


def write_table(path: Path, header: Sequence[str], rows: Rows, columns: list[list[str]]) -> None:
    """Write the rows with our columns behind theirs, to a file beside that is renamed at the end."""
    own = [_avoid(name, header) for name in COLUMNS]
    beside = path.with_name(f".{path.name}.part")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, *own])
        writer.writerows([*row, *added] for row, added in zip(rows, columns, strict=True))
    beside.replace(path)


def _avoid(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name = f"aa_{name}"
    return name
