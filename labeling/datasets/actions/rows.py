"""What a worker stores while it imports; each function runs inside the transaction that fences its chunk."""

from django.utils.translation import gettext as _

from labeling.datasets.engine import Batch
from labeling.datasets.models import Dataset, GoldUse, RefusedRow, Sample, Upload, UploadMode
from labeling.datasets.queries import count_from
from labeling.datasets.readers.parts import excerpt
from labeling.datasets.readers.scan import MAX_VALUES, Scan
from labeling.jobs.models import Job
from labeling.projects.actions.classes import create_class
from labeling.projects.models import Project
from labeling.web.bulk import insert_rows
from labeling.web.errors import ActionError

SAMPLE_FIELDS = ("dataset_id", "upload_id", "position", "external_id", "text", "text_hash", "gold", "cells")
REFUSED_FIELDS = ("upload_id", "record", "line", "column", "reason", "excerpt")
MAX_REFUSED = 100_000
"""Refused rows kept for the list; the rest is only counted (chosen: a wrong delimiter refuses every row)."""
MAX_NEW_CLASSES = 50


def record_scan(*, upload: Upload, scan: Scan, job: Job) -> None:
    """Keep what the first pass found, and make the classes that the gold column names, if that was asked for."""
    upload.record_count, upload.columns = scan.record_count, list(scan.columns)
    upload.save(update_fields=["record_count", "columns"])
    job.total = scan.record_count
    job.save(update_fields=["total"])
    if upload.gold_use == GoldUse.VERIFIED and upload.is_creating_classes:
        _create_missing(upload.project, scan)


def _create_missing(project: Project, scan: Scan) -> None:
    known = {name.casefold() for name in project.classes.values_list("name", flat=True)}
    missing: dict[str, str] = {}
    for value in scan.gold_values:
        name = value.strip()
        if name and name.casefold() not in known:
            missing.setdefault(name.casefold(), name)
    if len(missing) > MAX_NEW_CLASSES or len(scan.gold_values) >= MAX_VALUES:
        message = _(
            "The gold column holds %(count)d values that are no class; at most 50 can be made. Is it the right one?"
        )
        raise ActionError(message % {"count": len(missing)})
    for name in sorted(missing.values()):
        _create_class(project, name)


def _create_class(project: Project, name: str) -> None:
    try:
        create_class(project=project, name=name)
    except ActionError as error:
        facts = {"name": excerpt(name), "why": error.message}
        raise ActionError(_("The gold column holds “%(name)s”, which can be no class: %(why)s") % facts) from error


def store_rows(*, upload: Upload, batch: Batch) -> None:
    """Insert a batch and move the checkpoint with it. Raises ActionError when a person asked to stop."""
    insert_rows(Sample, SAMPLE_FIELDS, batch.samples)
    kept = batch.refused[: max(0, MAX_REFUSED - upload.refused_count)]
    if kept:
        insert_rows(RefusedRow, REFUSED_FIELDS, kept)
    upload.records_done, upload.next_position = batch.records_done, batch.next_position
    upload.accepted_count += len(batch.samples)
    upload.refused_count += len(batch.refused)
    checkpoint = {
        name: getattr(upload, name) for name in ("records_done", "next_position", "accepted_count", "refused_count")
    }
    if not Upload.objects.filter(pk=upload.pk, is_stop_asked=False).update(**checkpoint):
        raise ActionError(_("The import was stopped; its rows were taken back."))


def check_stored(*, upload: Upload) -> None:
    """Raise ActionError when nothing could be taken or the rows are not as many as the checkpoint says."""
    assert upload.dataset is not None  # noqa: S101 (an upload in work has one)
    if upload.mode != UploadMode.APPEND and not upload.accepted_count:
        message = _("None of the %(count)d rows could be taken. The list of refused rows says why.")
        raise ActionError(message % {"count": upload.refused_count})
    start = upload.dataset.row_count
    if count_from(upload.dataset.pk, start) != upload.next_position - start:
        raise ActionError(_("The stored rows are not as many as were read. Two imports ran at once; try again."))


def close_store(*, upload: Upload, threshold: str) -> None:
    """Fix the audit frame: kept on append, the larger threshold on replace (engine.md 6). Add new JSONL keys."""
    assert upload.dataset is not None  # noqa: S101 (an upload in work has one)
    dataset = Dataset.objects.select_for_update().get(pk=upload.dataset.pk)
    older = upload.target.frame_until if upload.target else ""
    if upload.mode == UploadMode.REPLACE:
        dataset.frame_until = max(threshold, older)
    else:
        dataset.frame_until = dataset.frame_until or threshold
    dataset.columns = list(dict.fromkeys([*dataset.columns, *upload.columns]))
    dataset.save(update_fields=["frame_until", "columns"])
