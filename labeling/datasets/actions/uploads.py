"""Files that come in: received, configured, discarded."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.datasets.engine import path_of
from labeling.datasets.models import Dataset, GoldUse, Upload, UploadMode, UploadState
from labeling.datasets.queries import active_run_number, has_same_file, is_filling
from labeling.datasets.readers.parts import Columns, Reading, UnreadableFile
from labeling.datasets.readers.preview import detect_reading, read_preview
from labeling.datasets.space import full_message, is_disk_full
from labeling.projects.models import Project
from labeling.web.errors import ActionError


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person chose for an upload. `target` is the data set that gets more rows or is replaced."""

    reading: Reading
    columns: Columns
    mode: UploadMode = UploadMode.NEW
    target: Dataset | None = None
    name: str = ""
    gold_use: GoldUse = GoldUse.KEEP
    is_creating_classes: bool = False


def receive_upload(*, project: Project, file: "UploadedFile[Any]", by: User | None) -> Upload:
    """Keep the file under a name of our own and find out how it is written. Raises ActionError when it is no table."""
    path = _new_path()
    try:
        _keep(file, path)
        with path.open("rb") as kept:
            digest = hashlib.file_digest(kept, "sha256").hexdigest()
        return _register(project, path, file.name or "file", digest, by)
    except UnreadableFile as error:
        path.unlink(missing_ok=True)
        raise ActionError(error.message, field="file") from error
    except OSError as error:
        path.unlink(missing_ok=True)
        if not is_disk_full(error):
            raise
        raise ActionError(full_message(), field="file") from error


def receive_stream(*, project: Project, stream: BinaryIO, filename: str, by: User | None) -> Upload:
    """The same for a file that is at hand on the server (the demo, a command). Raises ActionError."""
    return receive_upload(project=project, file=UploadedFile(stream, filename), by=by)


def _new_path() -> Path:
    folder = Path(settings.UPLOAD_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{uuid4().hex}.data"


def _keep(file: "UploadedFile[Any]", path: Path) -> None:
    """A file that was streamed to our folder only gets another name; another one is copied."""
    if isinstance(file, TemporaryUploadedFile):
        file.flush()
        Path(file.temporary_file_path()).replace(path)
        file.close()
        return
    with path.open("xb") as target:
        for block in file.chunks():
            target.write(block)


def _register(project: Project, path: Path, filename: str, digest: str, by: User | None) -> Upload:
    reading = detect_reading(path, filename)
    return Upload.objects.create(
        project=project,
        filename=_shown_name(filename),
        path=path.name,
        size_bytes=path.stat().st_size,
        sha256=digest,
        format=reading.format,
        delimiter=reading.delimiter,
        encoding=reading.encoding,
        created_by=by,
    )


def _shown_name(filename: str) -> str:
    """The name for people: no folders, no control characters. It never becomes a path."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in name if char.isprintable())[-255:] or "file"


@transaction.atomic
def configure_upload(*, upload: Upload, plan: Plan) -> Upload:
    """Store what was chosen, after checking that it can be done. Raises ActionError with the field."""
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    if locked.state != UploadState.PREVIEW:
        raise ActionError(_("This file is being imported already."))
    names = _read_names(locked, plan.reading)
    _check_columns(plan.columns, names)
    locked.mode, locked.target, locked.columns = plan.mode, plan.target, list(names)
    _check_target(locked, plan)
    locked.format, locked.encoding, locked.delimiter = (
        plan.reading.format,
        plan.reading.encoding,
        plan.reading.delimiter,
    )
    locked.text_column, locked.id_column, locked.gold_column = plan.columns.text, plan.columns.id, plan.columns.gold
    locked.is_guarded = plan.columns.is_guarded
    locked.gold_use = plan.gold_use if plan.columns.gold else GoldUse.KEEP
    locked.is_creating_classes = plan.is_creating_classes and locked.gold_use == GoldUse.VERIFIED
    locked.save()
    return locked


def _read_names(upload: Upload, reading: Reading) -> tuple[str, ...]:
    try:
        return read_preview(path_of(upload), reading).columns
    except UnreadableFile as error:
        raise ActionError(error.message, field="encoding") from error
    except FileNotFoundError as error:
        raise ActionError(_("The uploaded file is gone from the server. Upload it again.")) from error


def _check_columns(columns: Columns, names: tuple[str, ...]) -> None:
    for field, name in (("text_column", columns.text), ("id_column", columns.id), ("gold_column", columns.gold)):
        if name and name not in names:
            raise ActionError(_("The file has no column “%(name)s”.") % {"name": name}, field=field)
    if not columns.text:
        raise ActionError(_("Choose the column that holds the texts."), field="text_column")
    if columns.text in (columns.id, columns.gold):
        field = "id_column" if columns.text == columns.id else "gold_column"
        raise ActionError(_("This is the text column. Choose another one, or none."), field=field)


def _check_target(upload: Upload, plan: Plan) -> None:
    """Refuse to append or replace where that cannot end well."""
    target = plan.target
    if plan.mode == UploadMode.NEW:
        upload.target = None
        return
    if target is None or target.project_id != upload.project_id or target.archived_at or not target.is_ready:
        raise ActionError(_("Choose a data set of this project that is in use."), field="target")
    if is_filling(target):
        raise ActionError(_("An import into this data set is going on. Wait until it is done."), field="target")
    if plan.mode == UploadMode.APPEND:
        _check_append(upload, plan, target)
    else:
        check_replaceable(target)


def check_replaceable(target: Dataset) -> None:
    """Raise ActionError while a run is active on the data set that would be archived."""
    number = active_run_number(target)
    if number is not None:
        message = _("Run %(number)d is active on “%(name)s”. Cancel it first: its votes and decisions stay.")
        raise ActionError(message % {"number": number, "name": target.name}, field="target")


def _check_append(upload: Upload, plan: Plan, target: Dataset) -> None:
    first = target.uploads.order_by("id").first()
    if first and first.format != plan.reading.format:
        message = _("“%(name)s” came as %(format)s; only more of the same can be appended.")
        raise ActionError(message % {"name": target.name, "format": first.format.upper()}, field="target")
    if plan.columns.text != target.text_column:
        message = _("The texts of “%(name)s” are in the column “%(column)s”.")
        raise ActionError(message % {"name": target.name, "column": target.text_column}, field="text_column")
    missing = set(target.columns) ^ set(upload.columns)
    if plan.reading.format == "csv" and missing:
        message = _("The columns are not those of “%(name)s”. Different: %(columns)s.")
        raise ActionError(message % {"name": target.name, "columns": ", ".join(sorted(missing)[:10])}, field="target")
    if not plan.columns.id and has_same_file(upload, target):
        message = _("This very file is in “%(name)s” already. Choose an id column if it should be compared row by row.")
        raise ActionError(message % {"name": target.name}, field="target")


def discard_upload(*, upload: Upload) -> None:
    """Forget an upload that was never imported, or whose failed import left nothing. Raises ActionError."""
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        is_clean = locked.state == UploadState.FAILED and locked.records_done == 0
        if locked.state != UploadState.PREVIEW and not is_clean:
            raise ActionError(_("This import has rows in the data set; it cannot be discarded."))
        locked.refused.all().delete()
        locked.delete()
        transaction.on_commit(lambda: path_of(upload).unlink(missing_ok=True))
