"""Writes about exports: asked for, written to a file, closed."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotator_core.paths import is_inside
from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.exports.columns import own_names
from labeling.exports.manifest import build_manifest
from labeling.exports.models import Export, ExportFormat
from labeling.exports.queries import Source, read_pages, read_source
from labeling.exports.rows import ExportRow, build_rows
from labeling.exports.writers import Writer, csv_header, csv_writer, jsonl_writer
from labeling.jobs.actions import open_job, retry_dead
from labeling.jobs.models import JobState
from labeling.jobs.queries import job_of
from labeling.projects.models import Project
from labeling.web.errors import ActionError

KIND = "export"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file and how it came to be."""

    name: str
    row_count: int
    size_bytes: int
    sha256: str
    manifest: dict[str, Any]


@transaction.atomic
def create_export(
    *,
    dataset: Dataset,
    by: User | None,
    format: ExportFormat = ExportFormat.CSV,  # noqa: A002 (the word of the model and the page)
    is_raw: bool = False,
    only_labeled: bool = False,
) -> Export:
    """A new export and the job that writes it. Raises ActionError for a data set that is not ready."""
    if not dataset.is_ready:
        raise ActionError(_("The rows of this data set are still coming in."), field="dataset")
    Project.objects.select_for_update().get(pk=dataset.project_id)
    last = Export.objects.filter(project_id=dataset.project_id).aggregate(last=Max("number"))["last"] or 0
    export = Export.objects.create(
        project_id=dataset.project_id,
        dataset=dataset,
        number=last + 1,
        format=format,
        is_raw=is_raw and format == ExportFormat.CSV,
        only_labeled=only_labeled,
        created_by=by,
    )
    open_job(project_id=dataset.project_id, kind=KIND, subject=export.pk, total=dataset.row_count)
    return export


def retry_export(*, export: Export) -> None:
    """Try a failed export again. Raises ActionError when it has not failed."""
    job = job_of(KIND, export.pk)
    if job is None or job.state != JobState.FAILED:
        raise ActionError(_("Only a failed export can be tried again."))
    retry_dead(job=job)


def write_file(*, export: Export, token: str, report: Callable[[int], None]) -> Written:
    """Write the file beside its place and rename it. Whatever is raised, nothing half-written is left.

    `token` keeps two workers apart; `report` is told of rows and may raise.
    """
    folder = Path(settings.EXPORT_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    part, name = folder / f"export-{export.pk}.{token}.part", f"export-{export.pk}.{export.format}"
    try:
        with part.open("wb") as file:
            written = _write(export, name, file, report)
        part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)
    return written


def _write(export: Export, name: str, file: BinaryIO, report: Callable[[int], None]) -> Written:
    source = read_source(export.dataset)
    write, header = _writer(export)
    digest, size, done, count = hashlib.sha256(), 0, 0, 0
    sources, routes = Counter[str](), Counter[str]()
    report(0)
    for block, rows, read in chain([(header, [], 0)], _blocks(export, source, write)):
        data = block.encode()
        file.write(data)
        digest.update(data)
        size, done, count = size + len(data), done + read, count + len(rows)
        sources.update(row.source for row in rows)
        routes.update(row.route for row in rows)
        report(done)
    file.flush()
    counts = {"rows": {"all": count}, "by_source": _named(sources), "by_route": _named(routes)}
    return Written(name, count, size, digest.hexdigest(), build_manifest(export, source, counts))


def _blocks(export: Export, source: Source, write: Writer) -> Any:
    """(text, its rows, samples read) of each page."""
    for page in read_pages(source):
        rows: list[ExportRow] = list(build_rows(source, page))
        if export.only_labeled:
            rows = [row for row in rows if row.source]
        yield write(rows), rows, len(page.samples)


def _named(counts: Counter[str]) -> dict[str, int]:
    return {name or "none": count for name, count in counts.most_common()}


def _writer(export: Export) -> tuple[Writer, str]:
    """The function that writes rows, and the header."""
    dataset = export.dataset
    names = own_names(dataset.columns)
    if export.format == ExportFormat.JSONL:
        return jsonl_writer(dataset.columns, dataset.text_column, names), ""
    header = csv_header(dataset.columns, names, is_raw=export.is_raw)
    return csv_writer(dataset.columns, dataset.text_column, is_raw=export.is_raw), header


def close_export(*, export: Export, written: Written) -> None:
    """The file is there: let people load it. Runs in the transaction that finishes the chunk."""
    output = {"rows": written.row_count, "bytes": written.size_bytes, "sha256": written.sha256}
    Export.objects.filter(pk=export.pk).update(
        path=written.name,
        manifest=written.manifest | {"output": output},
        row_count=written.row_count,
        size_bytes=written.size_bytes,
        sha256=written.sha256,
        is_ready=True,
    )


def file_of(export: Export) -> Path:
    """Where the finished file lies. Raises ActionError when it is not there, or not in the folder of exports (S17)."""
    folder = Path(settings.EXPORT_FOLDER)
    path = folder / export.path
    if not export.is_ready or not export.path or not is_inside(folder, path) or not path.is_file():
        raise ActionError(_("The file of this export is not there. Make a new export."))
    return path
