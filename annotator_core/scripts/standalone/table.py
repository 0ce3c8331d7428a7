"""The command: a CSV file in, the same rows with votes, label and route out."""

import argparse
import csv
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from annotator_core.scripts.standalone.answers import ask_all
from annotator_core.scripts.standalone.routes import Formed, find_hard, form
from annotator_core.scripts.standalone.values import ABSTAIN, Ballots, Bools, Refused, read_voter

COLUMNS: Final = ("label", "label_source", "confidence", "uncertainty", "score", "route", "votes")
"""Appended to the input's columns, with the prefix aa_ where the table has such a column. Empty label: review."""
DECIDED_BY: Final = {"human": "review", "adjudicated": "review", "imported": "review"}
"""The route of a row by the source of its label in an export, where that is not a language model."""
BARE: Final = re.compile(r"[=+\-@\t\r]")
GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")
"""Cells that a spreadsheet would run, and those before which an export has put an apostrophe."""
Rows = list[list[str]]


@dataclass(frozen=True)
class Verdict:
    """What a second review says of a text: class index or ABSTAIN, whose label it is, and the route of its rows."""

    label: int
    source: str
    route: str


NOTHING: Final = Verdict(ABSTAIN, "", "review")
"""Of a row that nobody has reviewed yet: it waits for a person."""


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
        said = [verdicts.get(text, NOTHING) if is_hard else NOTHING for text, is_hard in zip(texts, hard, strict=True)]
        columns = describe(plan, ballots, formed, hard, said)
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
        "--verdicts",
        type=Path,
        help="CSV file with the columns text and label, or an export of the run: the second review's answers",
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


def read_verdicts(path: Path, classes: Sequence[str], text_column: str = "text") -> dict[str, Verdict]:
    """Return what a second review says of each text, by the columns text and label: their rows have the route verify.

    An export of the run does, too, where the text may stand in the input's own column. It says who decided: what a
    person did keeps the route review, and a label of the specialists alone is no second review. Raises Refused for a
    label that is no class.
    """
    header, rows = read_table(path)
    own = [_find_own(header, name) for name in ("label", "label_source", "route")]
    is_export = own[1] in header
    rows = _unguard(rows) if is_export else rows
    texts = read_column(header, rows, text_column if text_column in header else "text", path)
    labels = read_column(header, rows, own[0], path)
    told = [
        read_column(header, rows, name, path) if is_export and name in header else [""] * len(rows) for name in own[1:]
    ]
    strange = next((label for label in labels if label not in {*classes, ""}), None)
    if strange is not None:
        raise Refused(f"{path}: {strange!r} is none of the classes: {', '.join(classes)}.")
    found: dict[str, Verdict] = {}
    for text, label, source, route in zip(texts, labels, *told, strict=True):
        one = _read_verdict(list(classes).index(label) if label else ABSTAIN, source, route)
        if one.label != ABSTAIN:
            found[text] = one
        elif one != NOTHING:
            found.setdefault(text, one)
    return found


def _find_own(header: Sequence[str], name: str) -> str:
    """Return the name of an export's own column: behind the uploaded ones, with aa_ where one of them has it."""
    return next((one for one in reversed(header) if re.fullmatch(f"(aa_)*{name}", one)), name)


def _unguard(rows: Rows) -> Rows:
    """Return the cells of an export as they were before its formula guard; a raw one has cells without it."""
    if any(BARE.match(cell) for row in rows for cell in row):
        return rows
    return [[cell[1:] if GUARDED.match(cell) else cell for cell in row] for row in rows]


def _read_verdict(label: int, source: str, route: str) -> Verdict:
    """Return what a line of the file says; only an export's has a source and a route."""
    if label == ABSTAIN or source == "consensus":
        return Verdict(ABSTAIN, "", "verify") if route == "verify" else NOTHING
    kept = route if route in {"verify", "review"} else DECIDED_BY.get(source, "verify")
    return Verdict(label, source or "verdict", kept)


def describe(
    plan: Mapping[str, Any], ballots: Ballots, formed: Formed, hard: Bools, verdicts: Sequence[Verdict]
) -> list[list[str]]:
    """Return the values of `COLUMNS` for each row.

    hard: bool (n,), the rows of the second review. verdicts: one a row, NOTHING for rows that are not hard.
    """
    names = [*plan["classes"], ""]
    decided = np.array([one.label for one in verdicts], dtype=np.int64)
    keeps = (decided == ABSTAIN) & (formed.classes != ABSTAIN) & (plan["take_majority"] | ~hard)
    labels = np.where(keeps, formed.classes, decided)
    sources = np.where(keeps, "consensus", np.array([one.source for one in verdicts], dtype=object))
    routes = np.where(hard, np.array([one.route for one in verdicts], dtype=object), "accept")
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
