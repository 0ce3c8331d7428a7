"""Reads about refinement rounds."""

from collections.abc import Iterable

from django.db.models import Exists, Max, OuterRef, QuerySet

from labeling.datasets.models import Dataset, Sample
from labeling.projects.models import Project
from labeling.refinement.models import (
    ROUND_OPEN_STATES,
    TRAINING_ROLES,
    Challenger,
    RefinementRound,
    RoundSample,
    SampleRole,
    SourceTest,
)
from labeling.runs.models import Run
from labeling.specialists.models import Specialist, SpecialistVersion


def rounds_of(project: Project) -> QuerySet[RefinementRound]:
    """The project's rounds, newest first, with their runs and data sets."""
    return RefinementRound.objects.filter(project=project).select_related("run", "dataset")


def round_numbered(project: Project, number: int) -> RefinementRound | None:
    """The project's round of that number."""
    return rounds_of(project).filter(number=number).first()


def round_at_work(run: Run) -> RefinementRound | None:
    """The run's round that trains, judges or waits for a retry; None when there is none."""
    return RefinementRound.objects.filter(run=run, state__in=ROUND_OPEN_STATES).first()


def challengers_of(round_: RefinementRound) -> list[Challenger]:
    """The round's challengers in pool order, with specialist, champion and version."""
    found = Challenger.objects.filter(round=round_).select_related("specialist", "champion", "version")
    return list(found.order_by("position"))


def challenger_in(project: Project, challenger_id: int) -> Challenger | None:
    """The project's challenger of that id, with round, specialist, champion and version."""
    found = Challenger.objects.filter(round__project=project, pk=challenger_id)
    return found.select_related("round__run", "specialist", "champion", "version").first()


def next_round_number(project: Project) -> int:
    """1 for the first round."""
    return (RefinementRound.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0) + 1


def taught_hashes(version_ids: Iterable[int]) -> set[str]:
    """The texts that any of the versions, or one that it descends from, was trained on."""
    line, newest = set[int](), set(version_ids)
    while newest:
        line |= newest
        parents = SpecialistVersion.objects.filter(pk__in=newest).exclude(parent=None)
        newest = set(parents.values_list("parent_id", flat=True)) - line
    rounds = Challenger.objects.filter(version__in=line).values("round")
    rows = RoundSample.objects.filter(round__in=rounds, role__in=TRAINING_ROLES)
    return set(rows.values_list("sample__text_hash", flat=True))


def first_rows_round(specialist: Specialist) -> RefinementRound | None:
    """The round that fixed the specialist's first verified rows: the earliest one of its rounds that has any."""
    rounds = RefinementRound.objects.filter(challengers__specialist=specialist)
    fixed = RoundSample.objects.filter(round__in=rounds, role=SampleRole.FIRST).order_by("round__number")
    first = fixed.select_related("round").first()
    return first.round if first else None


def datasets_with_gold(project: Project) -> QuerySet[Dataset]:
    """The project's data sets in use that brought gold labels, newest first."""
    gold = Sample.objects.filter(dataset=OuterRef("pk")).exclude(gold="")
    return Dataset.objects.filter(Exists(gold), project=project, is_ready=True, archived_at=None)


def source_test_of(specialist: Specialist) -> SourceTest | None:
    """The data set on which the specialist's forgetting is measured beside its first rows."""
    return SourceTest.objects.filter(specialist=specialist).select_related("dataset").first()
