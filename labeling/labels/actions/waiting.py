"""Rows that wait for a person: how a decision or an undo changes the runs that sent them to review."""

from collections.abc import Iterable, Mapping

from django.db.models import Count

from annotator_core.types import Route
from labeling.datasets.models import Sample
from labeling.jobs.actions import mark_dirty
from labeling.labels.actions.labels import batched_ids
from labeling.labels.actions.news import announce
from labeling.labels.models import Consensus, ReviewItem
from labeling.runs.actions import KIND, add_counts, close_when_decided
from labeling.runs.models import Run, RunState
from labeling.runs.queries import is_followed


def count_decided(sample_ids: Iterable[int], *, sign: int) -> dict[int, int]:
    """Add to (or take from) `decided` of every run that sends these samples to review; samples by run."""
    counts: dict[int, int] = {}
    for ids in batched_ids(sample_ids):
        hard = Consensus.objects.filter(sample_id__in=ids, is_current=True, route=Route.REVIEW)
        for run_id, n in hard.values_list("run_id").annotate(n=Count("sample_id")):
            counts[run_id] = counts.get(run_id, 0) + n
    for run_id, n in sorted(counts.items()):
        add_counts(run_id=run_id, decided=sign * n)
    _turn(counts, sign)
    announce(set(counts))
    return counts


def _turn(counts: Mapping[int, int], sign: int) -> None:
    """What a decision or an undo sets off: a run is done, or not any more, or its job has something to do."""
    runs = list(Run.objects.filter(pk__in=counts).order_by("id"))
    if sign < 0:
        done = [run for run in runs if run.state == RunState.DONE and not is_followed(run)]
        for run in done[-1:]:
            close_when_decided(run_id=run.pk)
        return
    for run in runs:
        if run.state == RunState.REVIEWING and run.to_review == 0:
            close_when_decided(run_id=run.pk)
        if run.is_active and (run.is_pool_full or (run.to_review == 0 and (run.learned or run.is_renewal_due))):
            mark_dirty(kind=KIND, subject=run.pk)


def is_wanted(item: ReviewItem, run_ids: Mapping[int, int]) -> bool:
    """A text comes back to the queue unless only cancelled runs asked for it, or its own run does not any more."""
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
