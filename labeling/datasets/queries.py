"""Reads about data sets, uploads and samples."""

from collections.abc import Iterable
from dataclasses import dataclass
from json import loads

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from labeling.datasets.models import Dataset, RefusedRow, Sample, Upload, UploadState
from labeling.datasets.readers.objects import split_object
from labeling.projects.models import Project

IN_LIST = 500  # SQLite builds exist that take no more than 999 parameters (C36)


@dataclass(frozen=True, slots=True)
class ShownSample:
    """A sample's cells in the order of its data set's columns, None where a key is missing."""

    position: int
    cells: tuple[str | None, ...]


def datasets_of(project: Project) -> QuerySet[Dataset]:
    """Ready data sets, newest first, those still in use before the archived ones."""
    return Dataset.objects.filter(project=project, is_ready=True).order_by("archived_at", "-number")


def current_datasets(project: Project) -> list[Dataset]:
    """Ready data sets that are not archived, newest first."""
    return list(Dataset.objects.filter(project=project, is_ready=True, archived_at=None))


def open_uploads(project: Project) -> list[Upload]:
    """Uploads that wait for a person or a worker, newest first."""
    return list(Upload.objects.filter(project=project).exclude(state=UploadState.DONE)[:50])


def is_filling(dataset: Dataset) -> bool:
    """Whether an import into the data set, or one that replaces it, is going on."""
    importing = Upload.objects.filter(state=UploadState.IMPORTING)
    return importing.filter(dataset=dataset).exists() or importing.filter(target=dataset).exists()


def active_run_number(dataset: Dataset) -> int | None:
    """The number of the run that is active on the data set. Asked through the relation: runs stand above this room."""
    active = dataset.runs.filter(state__in=("running", "paused", "reviewing"))
    return active.values_list("number", flat=True).first()


def known_ids(dataset_id: int, external_ids: Iterable[str]) -> dict[str, int]:
    """The upload that brought each of the external ids that the data set has already."""
    wanted = list(external_ids)
    found: dict[str, int] = {}
    for low in range(0, len(wanted), IN_LIST):
        rows = Sample.objects.filter(dataset_id=dataset_id, external_id__in=wanted[low : low + IN_LIST])
        found.update({key: upload_id for key, upload_id in rows.values_list("external_id", "upload_id") if key})
    return found


def count_from(dataset_id: int, position: int) -> int:
    """How many samples stand at `position` or after it."""
    return Sample.objects.filter(dataset_id=dataset_id, position__gte=position).count()


def count_texts(dataset_id: int) -> int:
    """How many different texts the data set holds."""
    return int(Sample.objects.filter(dataset_id=dataset_id).aggregate(n=Count("text_hash", distinct=True))["n"])


def smallest_hash(dataset_id: int, place: int) -> str:
    """The text hash at that place, from 1, of the data set's different ones in rising order; empty at place 0."""
    if not place:
        return ""
    hashes = Sample.objects.filter(dataset_id=dataset_id).order_by("text_hash")
    return str(hashes.values_list("text_hash", flat=True).distinct()[place - 1])


def frame_rows(dataset: Dataset) -> int:
    """How many samples are in the audit frame."""
    return dataset.samples.filter(text_hash__lte=dataset.frame_until).count() if dataset.frame_until else 0


def outside_frames(dataset: Dataset, prefix: str = "") -> Q:
    """Rows of the data set outside its audit frame, and outside that of any other of the project with the same text.

    Replaced and archived data sets count, too: what was drawn from them must not be learned from another one.
    """
    outside = Q(**{f"{prefix}text_hash__gt": dataset.frame_until})
    others = Dataset.objects.filter(project=dataset.project_id).exclude(pk=dataset.pk).exclude(frame_until="")
    if not others.exists():
        return outside
    framed = Sample.objects.filter(dataset__in=others, text_hash__lte=F("dataset__frame_until"))
    return outside & ~Q(Exists(framed.filter(text_hash=OuterRef(f"{prefix}text_hash"))))


def first_samples(dataset: Dataset, count: int = 20) -> list[ShownSample]:
    """The first samples as they came in."""
    samples = dataset.samples.filter(position__lt=count).order_by("position").values_list("position", "text", "cells")
    return [ShownSample(position, cells_of(dataset, text, cells)) for position, text, cells in samples]


def cells_of(dataset: Dataset, text: str, cells: str) -> tuple[str | None, ...]:
    """A sample's cells in the order of the data set's columns: a string's characters, else the JSON as written."""
    if cells.startswith("["):
        pairs = zip(dataset.columns, loads(cells), strict=True)
        return tuple(text if name == dataset.text_column else cell for name, cell in pairs)
    named = {name: value for name, value, *_rest in split_object(cells)} | {dataset.text_column: text}
    return tuple(named.get(name) for name in dataset.columns)


def refused_page(upload: Upload, after: int, count: int = 100) -> list[RefusedRow]:
    """Refused rows after a record number, one more than `count` when there are more."""
    return list(RefusedRow.objects.filter(upload=upload, record__gt=after).order_by("record")[: count + 1])


def has_same_file(upload: Upload, dataset: Dataset) -> bool:
    """Whether the data set already holds this very file."""
    done = Upload.objects.filter(dataset=dataset, state=UploadState.DONE, sha256=upload.sha256)
    return bool(upload.sha256) and done.exists()
