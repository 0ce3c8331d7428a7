"""One sample's history as one time line: machines and people, labels and rounds, each at its moment."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from labeling.accounts.models import User
from labeling.datasets.models import Sample
from labeling.labels.answer_history import ShownAnswer
from labeling.labels.history import PoolAnswer, SampleHistory
from labeling.labels.models import Label, ReviewItem, Verdict
from labeling.overview.samples.blind import Veil
from labeling.quality.models import AuditRow
from labeling.refinement.models import RoundSample
from labeling.review.models import Comment, Flag, Return, Skip

SHOWN = 200  # chosen: of each kind, the newest; more says nothing new


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a sample: `kind` names its template, `fact` is the row behind it, `by` the person."""

    at: datetime
    kind: str
    fact: Any
    by: User | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a sample and may be told."""

    sample: Sample
    history: SampleHistory
    answers: Sequence[ShownAnswer]
    rounds: Sequence[RoundSample]
    audit_row: AuditRow | None


def moments_of(facts: Facts, veil: Veil) -> list[Moment]:
    """Everything that happened, oldest first, without what the veil keeps back. Four queries."""
    told = [item for item in facts.history.items if item.pk not in veil.untold]
    found = [Moment(facts.sample.upload.created_at, "import", facts.sample.upload)]
    if not veil.hides_machines:
        found += _votes(facts.history.answers)
        found += [Moment(one.at, "answer", one) for one in facts.answers]
    found += _labels(facts.history.labels, veil)
    found += _remarks(told)
    found += _verdicts(facts.history.verdicts, veil)
    if not veil.untold:
        found += [Moment(one.round.created_at, "round", one) for one in facts.rounds]
    if facts.audit_row:
        found.append(Moment(facts.audit_row.audit.created_at, "audit", facts.audit_row))
    return sorted(found, key=lambda one: one.at)


def _votes(answers: Iterable[PoolAnswer]) -> Iterator[Moment]:
    for answer in answers:
        yield Moment(answer.opened_at, "votes", answer)


def _labels(labels: Iterable[Label], veil: Veil) -> Iterator[Moment]:
    """Labels by machines as long as these may be told of, labels by people on items that are not answered blind."""
    for label in labels:
        is_told = label.verdict.item_id not in veil.untold if label.verdict else not veil.hides_machines
        if is_told:
            yield Moment(label.created_at, "label", label, label.verdict.user if label.verdict else None)


def _verdicts(verdicts: Iterable[Verdict], veil: Veil) -> Iterator[Moment]:
    for verdict in list(verdicts)[:SHOWN]:
        if verdict.item_id not in veil.untold:
            yield Moment(verdict.created_at, "verdict", verdict, verdict.user)


def _remarks(items: Sequence[ReviewItem]) -> Iterator[Moment]:
    """Skips, flags, comments and returns; one that was taken back or settled says so in its own line."""
    for kind, rows in (
        ("skip", Skip.objects.select_related("user")),
        ("flag", Flag.objects.select_related("user")),
        ("comment", Comment.objects.select_related("user")),
    ):
        for row in _newest(rows, items):
            yield Moment(row.created_at, kind, row, row.user)
    for row in _newest(Return.objects.select_related("by", "to"), items):
        yield Moment(row.created_at, "return", row, row.by)


def _newest(rows: QuerySet[Any], items: Sequence[ReviewItem]) -> Iterator[Any]:
    yield from rows.filter(item__in=items).order_by("-id")[:SHOWN]
