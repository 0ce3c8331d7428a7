"""Reads for the refinement pages, each one statement however many rounds there are."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import F, Sum

from labeling.datasets.models import Dataset
from labeling.projects.models import Project
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound, SourceTest
from labeling.runs.models import ACTIVE_STATES, GenerationOrigin, PoolGeneration, PoolMember, Run
from labeling.specialists.models import Specialist, SpecialistVersion


def datasets_with_gold(project: Project) -> list[Dataset]:
    """The project's data sets in use that came with gold values, newest first."""
    ready = Dataset.objects.filter(project=project, is_ready=True, archived_at=None)
    return list(ready.filter(uploads__gold_count__gt=0).distinct())


def active_runs(project: Project) -> list[Run]:
    """The project's runs that take votes or decisions, newest first, with their data sets."""
    return list(Run.objects.filter(project=project, state__in=ACTIVE_STATES).select_related("dataset"))


def challengers_by_round(rounds: Iterable[RefinementRound]) -> dict[int, list[Challenger]]:
    """The challengers of each round by its id, in pool order, with their specialists; without their loss curves."""
    found: dict[int, list[Challenger]] = defaultdict(list)
    wanted = Challenger.objects.filter(round_id__in=[one.pk for one in rounds]).select_related("specialist")
    for challenger in wanted.defer("losses", "figures").order_by("round_id", "position"):
        found[challenger.round_id].append(challenger)
    return found


def challengers_by_specialist(project: Project) -> dict[int, list[Challenger]]:
    """The challengers of each specialist by its id, oldest first, with their rounds."""
    found: dict[int, list[Challenger]] = defaultdict(list)
    wanted = Challenger.objects.filter(round__project=project).select_related("round").defer("losses", "figures")
    for challenger in wanted.order_by("round__number"):
        found[challenger.specialist_id].append(challenger)
    return found


def taken_off_by_round(project: Project) -> dict[int, int]:
    """Rows that the pool after each round (by number) took off the queue."""
    opened = PoolGeneration.objects.filter(run__project=project, origin=GenerationOrigin.ROUND)
    return dict(opened.values_list("round_number").annotate(rows=Sum("taken_off")).order_by())


def generations_of(run: Run) -> list[PoolGeneration]:
    """The run's generations, oldest first."""
    return list(PoolGeneration.objects.filter(run=run).order_by("number"))


def pool_counts(runs: Iterable[Run]) -> dict[int, int]:
    """How many specialists vote in each run now, by its id."""
    ids = [run.pk for run in runs]
    members = PoolMember.objects.filter(
        generation__run_id__in=ids, generation__number=F("generation__run__generation")
    ).values_list("generation__run_id", flat=True)
    found: dict[int, int] = defaultdict(int)
    for run_id in members:
        found[run_id] += 1
    return found


def seconds_per_row(project: Project) -> float | None:
    """Seconds that all specialists of the newest round with trained ones took for a row and an epoch; None before."""
    trained = Challenger.objects.filter(round__project=project, seconds__gt=0, epoch__isnull=False)
    newest = trained.exclude(state=ChallengerState.FAILED).order_by("-round__number").select_related("round").first()
    if newest is None:
        return None
    round_ = newest.round
    seconds = round_.challengers.aggregate(all=Sum("seconds"))["all"] or 0.0
    rows = round_.pool_rows + round_.random_rows + round_.replay_rows
    return float(seconds) / (rows * round_.epochs) if rows and round_.epochs else None


def specialists_in_rounds(project: Project) -> list[Specialist]:
    """The project's specialists on the list that a round has trained, in the order they came."""
    trained = Specialist.objects.filter(project=project, is_archived=False, challengers__isnull=False)
    return list(trained.distinct().order_by("id"))


def source_tests(project: Project) -> dict[int, SourceTest]:
    """The source test of each specialist that has one, by the specialist's id."""
    tests = SourceTest.objects.filter(specialist__project=project).select_related("dataset")
    return {test.specialist_id: test for test in tests}


def versions_of(specialist: Specialist) -> list[SpecialistVersion]:
    """All versions of the specialist, newest first, with their parents."""
    return list(SpecialistVersion.objects.filter(specialist=specialist).select_related("parent").order_by("-number"))


def challengers_by_version(specialist: Specialist) -> dict[int, Challenger]:
    """What the gate said of each version that a round has made, by the version's id."""
    made = Challenger.objects.filter(specialist=specialist, version__isnull=False).select_related("round")
    return {one.version_id: one for one in made.defer("losses", "figures") if one.version_id}


def runs_by_version(specialist: Specialist) -> dict[int, list[Run]]:
    """The runs in whose pool each version votes now, by the version's id."""
    members = PoolMember.objects.filter(
        version__specialist=specialist, generation__number=F("generation__run__generation")
    ).select_related("generation__run")
    found: dict[int, list[Run]] = defaultdict(list)
    for member in members.order_by("generation__run__number"):
        found[member.version_id].append(member.generation.run)
    return found
