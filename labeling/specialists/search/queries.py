"""Reads about searches of the hub."""

from dataclasses import dataclass
from random import Random

from django.db.models import QuerySet

from labeling.datasets.models import Dataset, Sample
from labeling.datasets.queries import outside_frames
from labeling.projects.models import Project
from labeling.specialists.models import Candidate, ModelSearch, Specialist

PARAMETERS = 500
KEPT = 20


def searches_of(project: Project) -> list[ModelSearch]:
    """The project's newest searches, newest first, at most 20."""
    return list(ModelSearch.objects.filter(project=project).select_related("created_by", "connection")[:KEPT])


def search_in(project: Project, search_id: int) -> ModelSearch | None:
    """The project's search of that id."""
    return ModelSearch.objects.filter(project=project, pk=search_id).first()


def candidate_in(project: Project, search_id: int, candidate_id: int) -> Candidate | None:
    """A candidate of that search of the project."""
    found = Candidate.objects.filter(search__project=project, search=search_id, pk=candidate_id)
    return found.select_related("search").first()


def candidates_of(search: ModelSearch) -> QuerySet[Candidate]:
    """What the search came upon, those that were tried from the best on, then the others as the hub listed them."""
    return Candidate.objects.filter(search=search).select_related("specialist").order_by("rank", "position")


def proposal_for(specialist: Specialist) -> Candidate | None:
    """The candidate that the specialist was added from, whose map still awaits a person's word."""
    return Candidate.objects.filter(specialist=specialist).exclude(targets=[]).order_by("-id").first()


@dataclass(frozen=True, slots=True)
class PilotRow:
    """A sample that candidates are tried on, with its gold cell."""

    sample_id: int
    gold: str


def pilot_rows(project: Project, count: int, seed: int) -> list[PilotRow]:
    """About `count` random samples of the newest ready data set, outside every audit frame; seeded."""
    dataset = Dataset.objects.filter(project=project, is_ready=True, archived_at=None).first()
    if dataset is None:
        return []
    random = Random(seed)  # noqa: S311 (seeded, so that a search repeats)
    positions = random.sample(range(dataset.row_count), min(2 * count, dataset.row_count))[:PARAMETERS]
    rows = Sample.objects.filter(outside_frames(dataset), dataset=dataset, position__in=positions)
    return [PilotRow(*row) for row in rows.order_by("position").values_list("id", "gold")[:count]]


def texts_of(search: ModelSearch) -> list[str]:
    """The texts of the search's pilot rows, in their order. Rows that are gone since are empty texts."""
    ids = [sample_id for sample_id, _class_id in search.rows]
    found = dict(Sample.objects.filter(pk__in=ids).values_list("id", "text"))
    return [found.get(sample_id, "") for sample_id in ids]
