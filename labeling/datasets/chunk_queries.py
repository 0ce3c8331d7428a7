"""Reads of one chunk of a data set's rows."""

from dataclasses import dataclass

from labeling.datasets.models import Dataset, Sample


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
