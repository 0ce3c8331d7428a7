"""Reads of one chunk of a data set's rows."""

from dataclasses import dataclass
from random import Random

from labeling.datasets.models import Dataset, Sample
from labeling.datasets.queries import outside_frames

PARAMETERS = 500


@dataclass(frozen=True, slots=True)
class SampleText:
    """A sample as a specialist sees it."""

    pk: int
    text: str
    text_hash: str


def samples_between(dataset: Dataset, low: int, high: int) -> list[SampleText]:
    """The samples at positions low (inclusive) to high (exclusive), in order."""
    rows = Sample.objects.filter(dataset=dataset, position__gte=low, position__lt=high).order_by("position")
    return [SampleText(*row) for row in rows.values_list("id", "text", "text_hash")]


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A sample for a trial, with its gold label where the upload had one."""

    text: str
    gold: str


def random_rows(project_id: int, count: int, random: Random) -> list[TrialRow]:
    """About `count` random samples of the project's newest ready data set, outside every audit frame."""
    dataset = Dataset.objects.filter(project_id=project_id, is_ready=True, archived_at=None).first()
    if dataset is None:
        return []
    positions = random.sample(range(dataset.row_count), min(2 * count, dataset.row_count))[:PARAMETERS]
    rows = Sample.objects.filter(outside_frames(dataset), dataset=dataset, position__in=positions)
    return [TrialRow(*row) for row in rows.order_by("position").values_list("text", "gold")[:count]]
