"""Reads about runs."""

from dataclasses import dataclass

from django.db.models import Max, QuerySet

from labeling.datasets.models import Dataset
from labeling.projects.models import Project
from labeling.runs.models import ACTIVE_STATES, Aggregator, PoolGeneration, PoolMember, Run, RunState
from labeling.specialists.models import SpecialistVersion


def runs_of(project: Project) -> QuerySet[Run]:
    """The project's runs, newest first, with their data sets."""
    return Run.objects.filter(project=project).select_related("dataset")


def run_numbered(project: Project, number: int) -> Run | None:
    """The project's run of that number."""
    return runs_of(project).filter(number=number).first()


def active_run(dataset: Dataset) -> Run | None:
    """The data set's one active run, if it has one."""
    return Run.objects.filter(dataset=dataset, state__in=ACTIVE_STATES).first()


def is_followed(run: Run) -> bool:
    """Whether another run is at work on the data set of a run that is over."""
    return not run.is_active and Run.objects.filter(dataset=run.dataset_id, state__in=ACTIVE_STATES).exists()


def newest_run(dataset: Dataset) -> Run | None:
    """The data set's newest run that was not cancelled."""
    return Run.objects.filter(dataset=dataset).exclude(state=RunState.CANCELLED).first()


def measured_runs(dataset_id: int) -> list[Run]:
    """The runs that an audit of the data set measures by itself: the newest, and all others that may follow it.

    Those follow that take the race's winner or have a target error, but not one that is over while another is at work:
    it is routed no more, and each run that is measured makes the certificates of the others dearer.
    """
    runs = list(Run.objects.filter(dataset=dataset_id).exclude(state=RunState.CANCELLED).order_by("-number"))
    has_active = any(run.is_active for run in runs)
    return runs[:1] + [run for run in runs[1:] if _follows_audit(run) and (run.is_active or not has_active)]


def _follows_audit(run: Run) -> bool:
    return run.aggregator == Aggregator.RACE or run.target_error is not None


def next_run_number(project: Project) -> int:
    """1 for the first run."""
    return (Run.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0) + 1


def current_generation(run: Run) -> PoolGeneration:
    """The run's newest generation."""
    return PoolGeneration.objects.filter(run=run).latest("number")


def generation_numbered(run: Run, number: int) -> PoolGeneration:
    """The run's generation of that number."""
    return PoolGeneration.objects.get(run=run, number=number)


def pool_of(run: Run) -> list[PoolMember]:
    """The members of the newest generation in pool order, with generation, version and specialist."""
    return _members(PoolMember.objects.filter(generation=current_generation(run)))


def members_of(run: Run, generation: int) -> list[PoolMember]:
    """The members of the generation of that number in pool order, with version and specialist."""
    return _members(PoolMember.objects.filter(generation__run=run, generation__number=generation))


def _members(members: QuerySet[PoolMember]) -> list[PoolMember]:
    return list(members.select_related("version__specialist", "generation"))


def highest_cut(run: Run) -> tuple[float, str] | None:
    """The highest cut (score, text hash) on the scale of the newest generation's scores; None while there is none.

    Another aggregation has another scale: the cuts of generations before it are no measure any more.
    """
    found: list[tuple[float, str]] = []
    generations = list(PoolGeneration.objects.filter(run=run).order_by("-number"))
    for one in generations:
        if one.aggregation != generations[0].aggregation:
            break
        if one.cut_score is not None:
            found.append((one.cut_score, one.cut_hash))
    return max(found, default=None)


@dataclass(frozen=True, slots=True)
class RenewalCost:
    """What voting again on the accepted rows takes: their number, seconds of inference (None: not measured yet)."""

    rows: int
    seconds: float | None


def renewal_cost(run: Run) -> RenewalCost:
    """Rows accepted by an older pool, and the time their new votes take; votes that are stored cost nothing."""
    rows = run.accepted if run.is_renewal_due else 0
    known = {member.version_id for member in members_of(run, run.renewed)}
    paces = [_seconds_a_vote(run, member) for member in pool_of(run) if member.version_id not in known]
    return RenewalCost(rows, None if None in paces else rows * sum(pace for pace in paces if pace is not None))


def _seconds_a_vote(run: Run, member: PoolMember) -> float | None:
    """Measured on the same specialist in this run, the newest measurement first."""
    measured = PoolMember.objects.filter(
        generation__run=run, version__specialist=member.version.specialist_id, seconds__gt=0
    ).order_by("-generation__number")
    found = next((one for one in measured if one.voted + one.abstained), None)
    return found.seconds / (found.voted + found.abstained) if found else None


def votable_versions(project: Project) -> list[SpecialistVersion]:
    """The newest version of each specialist on the list that may vote, mapped onto the project's classes of today."""
    class_ids = list(project.classes.filter(is_retired=False).values_list("id", flat=True))
    versions = SpecialistVersion.objects.filter(
        specialist__project=project, specialist__is_archived=False, confirmed_at__isnull=False, pruned_at=None
    )
    newest: dict[int, SpecialistVersion] = {}
    for version in versions.select_related("specialist").order_by("specialist_id", "-number"):
        if sorted(version.class_ids) == sorted(class_ids):
            newest.setdefault(version.specialist_id, version)
    return list(newest.values())


def ready_datasets(project: Project) -> QuerySet[Dataset]:
    """Data sets that can be labeled, newest first."""
    return Dataset.objects.filter(project=project, is_ready=True, archived_at=None)
