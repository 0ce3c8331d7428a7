"""Rows that wait for a person: how a decision or an undo changes the runs that sent them to review."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from annotator_core.types import Route
from labeling.datasets.models import Sample
from labeling.jobs.actions import mark_dirty
from labeling.labels.actions.audit import ASSESS
from labeling.labels.actions.labels import batched_ids
from labeling.labels.actions.news import announce
from labeling.labels.answer_queries import MACHINE_SOURCES
from labeling.labels.models import Consensus, ItemReason, Label, ReviewItem
from labeling.runs.actions import KIND, add_counts, close_when_decided, wake_verification
from labeling.runs.models import Run, RunState
from labeling.runs.queries import is_followed
from labeling.web.prepared import Prepared

LESSON = 25
"""Decisions after which it is looked whether a race has enough to learn from; chosen."""


@dataclass(slots=True)
class Moved:
    """Rows of one run that a person labels now, or whose label was taken back, by where they were before or come to."""

    to_review: int = 0
    asking: int = 0
    verified: int = 0


def count_decided(sample_ids: Iterable[int], *, sign: int) -> dict[int, int]:
    """Add to (or take from) `decided` of every run for which these samples are hard; rows to review by run.

    A row that is a language model's to review leaves `asking` or `verified` for it, or comes back to it.
    """
    moved = _moved(sample_ids)
    counts = {run_id: rows.to_review + rows.asking + rows.verified for run_id, rows in moved.items()}
    for run_id, rows in sorted(moved.items()):
        add_counts(
            run_id=run_id, decided=sign * counts[run_id], asking=-sign * rows.asking, verified=-sign * rows.verified
        )
    if sign < 0:
        _take_up(moved)
    else:
        follow_review(moved, counts)
    announce(set(moved))
    return {run_id: rows.to_review for run_id, rows in moved.items() if rows.to_review}


def _hard(sample_ids: list[int]) -> "QuerySet[Any, Any]":
    by_model = Label.objects.filter(sample=OuterRef("sample"), run=OuterRef("run"), source__in=MACHINE_SOURCES)
    hard = Consensus.objects.filter(sample_id__in=sample_ids, is_current=True, route__in=(Route.REVIEW, Route.VERIFY))
    return hard.annotate(v=Exists(by_model)).values_list("run_id", "route", "v")


_hard_of_one = Prepared(_hard)


def _moved(sample_ids: Iterable[int]) -> dict[int, Moved]:
    """The samples as hard rows of each run; a row is verified once a model's label of that run was written for it."""
    moved: dict[int, Moved] = {}
    for ids in batched_ids(sample_ids):
        for run_id, route, is_verified in _hard_of_one(ids) if len(ids) == 1 else _hard(ids):
            rows = moved.setdefault(run_id, Moved())
            if route == Route.REVIEW:
                rows.to_review += 1
            elif is_verified:
                rows.verified += 1
            else:
                rows.asking += 1
    return moved


def _take_up(moved: Mapping[int, Moved]) -> None:
    """What an undo sets off: a run is not done any more, and its rows may be asked about."""
    runs = list(Run.objects.filter(pk__in=moved).order_by("id"))
    done = [run for run in runs if run.state == RunState.DONE and not is_followed(run)]
    for run in done[-1:]:
        close_when_decided(run_id=run.pk)
    for run in runs:
        if moved[run.pk].asking and run.state != RunState.CANCELLED:
            wake_verification(run=run)


_run = Prepared(lambda run_id: Run.objects.filter(pk=run_id))


def follow_review(run_ids: Iterable[int], decided: Mapping[int, int] | None = None) -> None:
    """What decisions or answers set off: a run is done, its job has something to do, or its race something to learn.

    `decided`: how many rows people decided just now, by run.
    """
    ids = list(run_ids)
    for run in _run(ids[0]) if len(ids) == 1 else Run.objects.filter(pk__in=ids).order_by("id"):
        if run.state == RunState.REVIEWING and run.unreviewed == 0:
            close_when_decided(run_id=run.pk)
        if run.is_active and (run.is_pool_full or (run.unreviewed == 0 and (run.learned or run.is_renewal_due))):
            mark_dirty(kind=KIND, subject=run.pk)
        before = run.decided - (decided or {}).get(run.pk, 0)
        if run.learns_from_reviews and before // LESSON < run.decided // LESSON:
            mark_dirty(kind=ASSESS, subject=run.pk)


def is_wanted(item: ReviewItem, run_ids: Mapping[int, int]) -> bool:
    """A text comes back to the queue unless only cancelled runs asked for it, or its own run does not any more.

    An audit asks for its texts whatever becomes of the runs.
    """
    if item.reason == ItemReason.AUDIT:
        return True
    asking = set(run_ids)
    if item.run_id is None:
        return not asking or _is_any_open(asking)
    here = Consensus.objects.filter(run=item.run_id, is_current=True, route=Route.REVIEW)
    copies = Sample.objects.filter(dataset_id=item.dataset_id, text_hash=item.text_hash)
    if here.filter(sample__in=copies).exists():
        asking.add(item.run_id)
    return _is_any_open(asking)


def _is_any_open(run_ids: Iterable[int]) -> bool:
    return Run.objects.filter(pk__in=run_ids).exclude(state=RunState.CANCELLED).exists()
