"""What ``certify`` finds: how right labels are, and from which score on they may be accepted, for all or by class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.cli.answered import Doubles, Labeled
from annotator_core.cli.gold import find_span, merge_texts, tell_copies
from annotator_core.cli.looks import certify_at, certify_look, tell_look

# scipy takes a second to import: only what certifies pays for it.
if TYPE_CHECKING:
    from annotator_core.contract.certify import Certificate
    from annotator_core.contract.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: target errors and confidence, 0 to 1; the number of the look, from 1, None for every look alike.

    by_class: a threshold for each class of the label, not one for all. price: of an answer, None where none was given.
    """

    targets: Sequence[float]
    confidence: float
    look: int | None
    by_class: bool = False
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A target error, 0 to 1, for the rows of one label or (None) for all, and what came of it.

    confidence: 0 to 1, what its test asked for. threshold: accepted is what scores at least that, 0 or more, and in
    this table that is what scores at least accept_from, the lowest score accepted. share_of_rows: accepted rows over
    all, 0 to 1. All three are None where nothing is accepted. n_texts: different certifying texts in the set. more:
    how many more random texts to answer it takes at least, None where it is reached or no number can be named. price:
    what these cost, None where there are not as many.
    """

    target_error: float
    label: str | None
    confidence: float
    threshold: float | None
    accept_from: float | None
    share_of_rows: float | None
    n_texts: int
    more: int | None
    price: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What the answers say of n_rows rows, n_labeled of them with a label.

    n_left: rows without an answer. n_unscored: labels without a score, as of a language model: they count among the
    labels and are never accepted. labeled_accuracy: of the labels, by answered rows that no fit has seen.
    n_certifying: different texts among these.
    look, confidence (0 to 1): as of `Question`, over all looks. lines: one a target, or one a target and class.
    copies: how many rows of the table hold the rarest and the most frequent of the texts that certify.
    """

    n_rows: int
    n_labeled: int
    n_unscored: int
    n_answered: int
    n_left: int
    n_certifying: int
    labeled_accuracy: "Estimate"
    look: int | None
    confidence: float
    lines: tuple[Line, ...]
    copies: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Certifying:
    """Different texts that certify: score, whether the label is right, and the label's class, (d,) each."""

    scores: Doubles
    is_right: BoolArray
    labels: IntArray


def find(labeled: Labeled, asked: Question) -> Findings:
    """Return what the answers say. Raises BadInput for a target, a confidence or a price that cannot be."""
    from annotator_core.contract.estimate import estimate_share

    may_certify = labeled.may_certify
    known = _merge(labeled, labeled.answered[may_certify])
    is_measured = may_certify & (labeled.labels[labeled.answered] >= 0)
    has_label = labeled.labels >= 0
    return Findings(
        n_rows=len(labeled.scores),
        n_labeled=int(has_label.sum()),
        n_unscored=int((has_label & np.isnan(labeled.scores)).sum()),
        n_answered=len(labeled.texts),
        n_left=_count_left(labeled),
        n_certifying=len(known.scores),
        labeled_accuracy=estimate_share(labeled.is_right[is_measured]),
        look=asked.look,
        confidence=asked.confidence,
        lines=tuple(line for target in asked.targets for line in _list_lines(labeled, known, asked, target)),
        copies=find_span(labeled.copies[may_certify]),
    )


def _count_left(labeled: Labeled) -> int:
    return len(labeled.scores) - len(labeled.texts)


def _merge(labeled: Labeled, rows: IntArray) -> _Certifying:
    texts = [text for text, may in zip(labeled.texts, labeled.may_certify.tolist(), strict=True) if may]
    scores, is_right = merge_texts(texts, labeled.scores[rows], labeled.is_right[labeled.may_certify])
    # In the order of merge_texts: each text where it stands first.
    labels = dict(zip(texts, labeled.labels[rows].tolist(), strict=True))
    return _Certifying(scores.astype(np.float64), is_right, np.array(list(labels.values()), dtype=np.int64))


def _list_lines(labeled: Labeled, known: _Certifying, asked: Question, target: float) -> list[Line]:
    everything = np.ones(len(labeled.scores), dtype=np.bool_)
    if not asked.by_class:
        found = certify_look(
            known.scores, known.is_right, target_error=target, confidence=asked.confidence, look=asked.look
        )
        return [_describe(found, labeled, everything, asked.price)]
    certificates = _certify_classes(known, len(labeled.classes), asked, target)
    return [
        _describe(found, labeled, labeled.labels == index, asked.price, labeled.classes[index])
        for index, found in enumerate(certificates)
    ]


def _certify_classes(known: _Certifying, n_classes: int, asked: Question, target: float) -> "list[Certificate]":
    from annotator_core.contract.certify import certify_classes

    def ask(confidence: float) -> "Sequence[Certificate]":
        return certify_classes(
            known.scores,
            known.is_right,
            known.labels,
            n_classes=n_classes,
            target_error=target,
            confidence=confidence,
        )

    return certify_at(asked.look or 1, asked.confidence, ask)


def _describe(
    found: "Certificate", labeled: Labeled, is_its: BoolArray, price: float | None, label: str | None = None
) -> Line:
    from annotator_core.contract.plan import price_of

    accepted = None if found.threshold is None else labeled.scores[is_its & (labeled.scores >= found.threshold)]
    # One answer in three fits; and of random rows only some have the class.
    scale = (1.0 if labeled.may_certify.all() else 1.5) / float(is_its.mean())
    more = None if found.rows_needed is None else math.ceil(found.rows_needed * scale)
    return Line(
        target_error=found.target_error,
        label=label,
        confidence=found.confidence,
        threshold=found.threshold,
        accept_from=None if accepted is None else float(accepted.min()),
        share_of_rows=None if accepted is None else len(accepted) / len(labeled.scores),
        n_texts=found.rows_accepted,
        more=more,
        price=None if more is None or price is None or more > _count_left(labeled) else price_of(more, price),
    )


def tell(found: Findings) -> str:
    """Return the findings for a person."""
    from annotator_core.cli.figures import format_percent, format_table

    has_classes, has_price = (
        any(getattr(line, name) is not None for line in found.lines) for name in ("label", "price")
    )
    header = ["wrong at most", "label", "accept from score", "of all rows", "texts in it", "more to answer", "price"]
    is_shown = [True, has_classes, True, True, True, True, has_price]
    table = [
        [cell for cell, shown in zip(row, is_shown, strict=True) if shown]
        for row in (header, *(_list_cells(line) for line in found.lines))
    ]
    right = format_percent(found.labeled_accuracy)
    unscored = (
        f"{found.n_unscored:,} labels have no score, as where a language model decided: none of them is accepted.\n"
        if found.n_unscored
        else ""
    )
    together = "The lines of one target hold together" if has_classes else "Each line holds by itself"
    return (
        f"{found.n_labeled:,} of {found.n_rows:,} rows have a label; {found.n_answered:,} rows are answered, "
        f"{found.n_certifying:,} different texts of them certify.\n"
        f"Of the labels {right} are right, by the answered rows among them that no fit has seen.\n{unscored}\n"
        f"{format_table(table[0], table[1:])}"
        f"Accepted labels are wrong at most so often, each different text counted once. {together}: choose the target "
        f"first, then look. {_tell_more(found)}{tell_look(found.look, found.confidence)}{tell_copies(found.copies)}"
    )


def _tell_more(found: Findings) -> str:
    wanted = [line.more for line in found.lines if line.more is not None]
    told = "More to answer is the least that it takes, at the error seen in the best set. " if wanted else ""
    if any(more > found.n_left for more in wanted):
        told += (
            f"Only {found.n_left:,} rows are left without an answer: what takes more cannot be had from this table. "
        )
    return told


def _list_cells(line: Line) -> list[str]:
    first = [f"{line.target_error:.1%}", line.label or ""]
    if line.accept_from is None or line.share_of_rows is None:
        more = "no number" if line.more is None else f"{line.more:,}"
        return [*first, "not reachable", "-", "-", more, "-" if line.price is None else f"{line.price:,.2f}"]
    # Rounded, the score might take a group of equal scores in that is excluded.
    return [*first, repr(line.accept_from), f"{line.share_of_rows:.1%}", f"{line.n_texts:,}", "-", "-"]
