"""``python -m annotator_core certify``: what may be accepted of a labeled table, by people's answers to random rows."""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray
from annotator_core.cli.arguments import Subparsers, add_command
from annotator_core.cli.exits import Exit
from annotator_core.cli.gold import is_certifying, merge_texts
from annotator_core.cli.looks import LOOKS_HELP, add_look, certify_look, read_look, tell_look
from annotator_core.cli.pool import HubAccess
from annotator_core.cli.progress import show_bar
from annotator_core.cli.shared import add_source
from annotator_core.cli.tables import Row, Table, open_source, read_rows
from annotator_core.errors import BadInput

if TYPE_CHECKING:
    from annotator_core.contract.certify import Certificate
    from annotator_core.contract.estimate import Estimate

Doubles = npt.NDArray[np.float64]

_EXAMPLES: Final = f"""\
  python -m annotator_core certify labeled.csv --text-column text --gold-column answer
  ... --targets 2,5 --confidence 90   other target errors in percent (default: 1,2,3,5,10), with 90% confidence
  ... --score-column margin           any numbers from 0 up of which a higher one is surer (default: confidence)
  ... --look 2                        these answers, and perhaps more, were looked at once before
  ... --always-valid                  looked at as often as one likes: labels and scores stay, answers are added
  ... --unfitted                      nothing was fitted on these answers: all of them may certify
  ... --json                          the same figures for a program

The answers must be of rows drawn at random, whatever their labels. Where an aggregator was fitted on them (label with
--gold-column) a third of them, chosen by the texts, was; the other two thirds certify. The exit status is 3 where no
target is reached.

{LOOKS_HELP} With --always-valid it is the full
confidence at every look, by time-uniform bounds on fixed scores (0.99, 0.98, ... 0): for a table that stays as it is
while people go on answering.
"""


@dataclass(frozen=True, slots=True)
class Labeled:
    """The rows of a table that have a score, and the answered ones.

    scores (n,): of all rows, NaN without a label. answered_scores, is_right, may_certify (a,): of the answered rows.
    """

    scores: Doubles
    texts: list[str]
    answered_scores: Doubles
    is_right: BoolArray
    may_certify: BoolArray


@dataclass(frozen=True, slots=True)
class Line:
    """A target error and what came of it.

    accept_from: the lowest score, 0 or more, that the certificate accepts of this table: what scores at least that is
    what it speaks of. share_of_rows: accepted rows over all, 0 to 1. Both are None where nothing is.
    """

    certificate: "Certificate"
    accept_from: float | None
    share_of_rows: float | None
    more_answers: int | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What the answers say of n_rows rows: the accuracy of the n_labeled with a label, and a line for each target.

    look: the number of this look at the answers, None where each holds alike. confidence: 0 to 1, that all looks
    together, or each of them, hold with.
    """

    n_rows: int
    n_labeled: int
    n_answered: int
    n_certifying: int
    labeled_accuracy: "Estimate"
    look: int | None
    confidence: float
    lines: tuple[Line, ...]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Return the parser of ``certify``."""
    parser = add_command(
        commands,
        "certify",
        purpose="show what may be accepted of a labeled table, and at which error",
        description="Certify labels by people's answers to random rows: thresholds on a score, estimates, the price.",
        examples=_EXAMPLES,
    )
    add_source(parser)
    parser.add_argument("--gold-column", required=True, metavar="NAME", help="people's answers, empty for other rows")
    parser.add_argument("--label-column", default="label", metavar="NAME", help="(default: label)")
    parser.add_argument("--score-column", default="confidence", metavar="NAME", help="(default: confidence)")
    parser.add_argument("--targets", default="1,2,3,5,10", metavar="A,B,...", help="target errors in percent")
    parser.add_argument("--confidence", type=float, default=95.0, metavar="PERCENT", help="(default: 95)")
    looking = parser.add_mutually_exclusive_group()
    add_look(looking, "1")
    looking.add_argument("--always-valid", action="store_true", help="looked at again and again while answers come in")
    parser.add_argument("--unfitted", action="store_true", help="nothing was fitted on these answers")
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    return parser


def run(named: argparse.Namespace, hub: HubAccess) -> Exit:
    """Write the figures to stdout; raises AnnotatorError's children."""
    from annotator_core.cli.figures import to_json

    del hub  # no model is needed
    targets, confidence = _parse_targets(named.targets), named.confidence / 100
    look = read_look(named) or 1
    with open_source(named.input, named.text_column, named.format) as table:
        labeled = _read(table, named)
    found = _find(labeled, targets, confidence, None if named.always_valid else look)
    sys.stdout.write(to_json(found) if named.json else _tell(found))
    is_reached = any(line.certificate.is_reached for line in found.lines)
    return Exit.DONE if is_reached else Exit.NOT_REACHABLE


def _parse_targets(text: str) -> list[float]:
    try:
        targets = sorted({float(part) / 100 for part in text.split(",")})
    except ValueError:
        targets = []
    if not targets or not all(0 < target < 1 for target in targets):
        raise BadInput(f"--targets must be percentages between 0 and 100, separated by commas, not {text!r}.")
    return targets


def _read(table: Table, named: argparse.Namespace) -> Labeled:
    for column in (named.gold_column, named.label_column, named.score_column):
        if column not in table.columns:
            raise BadInput(f"{table.name} has no column {column!r}: choose one of {', '.join(table.columns[:20])}.")
    scores = np.full(table.n_rows, np.nan)
    answered: list[int] = []
    texts: list[str] = []
    is_right: list[bool] = []
    with show_bar(table.n_rows, "row") as advance:
        for number, row in enumerate(read_rows(table)):
            label, gold = _read_name(row, named.label_column), _read_name(row, named.gold_column)
            if label:
                scores[number] = _read_score(table, row, number, named.score_column)
            if gold:
                answered.append(number)
                texts.append(str(row[table.text_column] or ""))
                is_right.append(label == gold)
            advance(1)
    may_certify = np.ones(len(texts), dtype=np.bool_) if named.unfitted else is_certifying(texts)
    return Labeled(scores, texts, scores[answered], np.array(is_right, dtype=np.bool_), may_certify)


def _read_name(row: Row, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip()


def _read_score(table: Table, row: Row, number: int, column: str) -> float:
    try:
        score = float(str(row.get(column)))
    except ValueError:
        score = math.nan
    if not 0 <= score < math.inf:
        raise BadInput(
            f"{table.name}, row {number + 1}: {row.get(column)!r} in column {column!r} is no score: a labeled row "
            "needs a number from 0 up."
        )
    return score


def _find(labeled: Labeled, targets: Sequence[float], confidence: float, look: int | None) -> Findings:
    from annotator_core.contract.estimate import estimate_share

    rows = np.flatnonzero(labeled.may_certify)
    texts = [labeled.texts[row] for row in rows]
    scores, is_right = merge_texts(texts, labeled.answered_scores[rows], labeled.is_right[rows])
    is_labeled = np.isfinite(labeled.answered_scores)
    certificates = [
        certify_look(scores, is_right, target_error=target, confidence=confidence, look=look) for target in targets
    ]
    fitting = 1 if labeled.may_certify.all() else 1.5
    return Findings(
        n_rows=len(labeled.scores),
        n_labeled=int(np.isfinite(labeled.scores).sum()),
        n_answered=len(labeled.texts),
        n_certifying=len(scores),
        labeled_accuracy=estimate_share(labeled.is_right[is_labeled]),
        look=look,
        confidence=confidence,
        lines=tuple(_describe(certificate, labeled.scores, fitting) for certificate in certificates),
    )


def _describe(certificate: "Certificate", scores: Doubles, fitting: float) -> Line:
    threshold, needed = certificate.threshold, certificate.rows_needed
    accepted = None if threshold is None else scores[scores >= threshold]
    return Line(
        certificate,
        None if accepted is None else float(accepted.min()),
        None if accepted is None else len(accepted) / len(scores),
        None if needed is None else math.ceil(needed * fitting),
    )


def _tell(found: Findings) -> str:
    from annotator_core.cli.figures import format_percent, format_table

    header = ["target error", "accept from score", "of all rows", "error at most", "answers in it", "more answers"]
    right = format_percent(found.labeled_accuracy)
    return (
        f"{found.n_labeled:,} of {found.n_rows:,} rows have a label; {found.n_answered:,} rows are answered, "
        f"{found.n_certifying:,} different texts of them certify.\n"
        f"Of the labels {right} are right, by the answered rows among them.\n\n"
        f"{format_table(header, [_list_cells(line) for line in found.lines])}"
        f"Each line holds by itself: choose the target first, then look. {tell_look(found.look, found.confidence)}"
    )


def _list_cells(line: Line) -> list[str]:
    one = line.certificate
    if line.accept_from is None or one.error_bound is None or line.share_of_rows is None:
        price = "no number" if line.more_answers is None else f"{line.more_answers:,}"
        return [f"{one.target_error:.1%}", "not reachable", "-", "-", "-", price]
    return [
        f"{one.target_error:.1%}",
        repr(line.accept_from),  # rounded it might take a group of equal scores in that is excluded
        f"{line.share_of_rows:.1%}",
        f"{one.error_bound:.2%}",
        f"{one.rows_accepted:,}",
        "-",
    ]
