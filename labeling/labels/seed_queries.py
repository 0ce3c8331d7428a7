"""Reads about seed items: random texts that people label before any specialist is there to vote."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from annotator_core.types import LabelSource, rank_source
from labeling.datasets.models import Dataset, Sample
from labeling.labels.models import ItemReason, ItemState, Label, ReviewItem
from labeling.projects.models import Project

VERIFIED = tuple(source.value for source in LabelSource if rank_source(source) >= rank_source(LabelSource.IMPORTED))


@dataclass(frozen=True, slots=True)
class SeedCounts:
    """Seed texts of a project that wait for a person, and those that were decided."""

    left: int
    decided: int

    @property
    def drawn(self) -> int:
        """All that are not withdrawn."""
        return self.left + self.decided


def seed_counts(project: Project) -> SeedCounts:
    """How far the labeling of seed texts is."""
    seeds = ReviewItem.objects.filter(run=None, project=project, reason=ItemReason.SEED)
    states = list(seeds.values_list("state", flat=True))
    return SeedCounts(states.count(ItemState.OPEN), states.count(ItemState.DECIDED))


def rows_without_run(project_ids: list[int]) -> dict[int, int]:
    """Rows that wait for a person though no run asked for them, by project."""
    # The state stands beside the sum, not in the condition: else SQLite walks all open items of the project.
    waiting = Sum("copies", filter=Q(state=ItemState.OPEN))
    items = ReviewItem.objects.filter(run=None, project__in=project_ids).order_by()
    return {project_id: n or 0 for project_id, n in items.values_list("project_id").annotate(n=waiting)}


def draw_texts(dataset: Dataset, count: int, start: str) -> list[str]:
    """The hashes of up to `count` texts outside the audit frame that no person labeled and that are in no queue.

    Hashes are spread evenly whatever the texts say, so those that follow `start` (and, past the last one, the first
    ones) are a uniform draw, found on an index however many rows there are. Equal texts are drawn once.
    """
    drawn: list[str] = []
    for part in (Q(text_hash__gte=start), Q(text_hash__lt=start)):
        drawn += _free_hashes(dataset, part)[: count - len(drawn)]
    return drawn


def _free_hashes(dataset: Dataset, part: Q) -> QuerySet[Sample, str]:
    copies = Label.objects.filter(sample__dataset=dataset, sample__text_hash=OuterRef("text_hash"))
    is_known = Exists(copies.filter(is_current=True, source__in=VERIFIED))
    queued = Q(state=ItemState.OPEN) | Q(run=None, state=ItemState.DECIDED)
    is_queued = Exists(ReviewItem.objects.filter(queued, dataset=dataset, text_hash=OuterRef("text_hash")))
    samples = Sample.objects.filter(part, ~is_known, ~is_queued, dataset=dataset, text_hash__gt=dataset.frame_until)
    return samples.order_by("text_hash").values_list("text_hash", flat=True).distinct()
