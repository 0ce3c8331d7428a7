"""From a file to rows that can be stored, in batches of bounded size. Works outside any transaction."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from annotator_core.contract.frame import frame_size
from annotator_core.texts import hash_text
from labeling.datasets.models import Upload
from labeling.datasets.queries import count_texts, known_ids, smallest_hash
from labeling.datasets.readers.parts import Columns, Flaw, Reading, excerpt
from labeling.datasets.readers.rows import Refusal, Row, read_rows

BATCH_ROWS = 5_000
BATCH_CHARS = 4 * 1024 * 1024
"""A batch ends with whichever comes first (stack.md F: at most 5,000 rows a transaction; memory: chosen)."""


@dataclass(slots=True)
class Batch:
    """Values of samples and of refused rows, and the checkpoint after them."""

    samples: list[tuple[Any, ...]] = field(default_factory=list)
    refused: list[tuple[Any, ...]] = field(default_factory=list)
    records_done: int = 0
    next_position: int = 0


def path_of(upload: Upload) -> Path:
    """Where the uploaded file lies."""
    return Path(settings.UPLOAD_FOLDER) / upload.path


def reading_of(upload: Upload) -> Reading:
    """How the upload is read."""
    return Reading(upload.format, upload.encoding, upload.delimiter)


def columns_of(upload: Upload) -> Columns:
    """Which columns of the upload mean what."""
    return Columns(upload.text_column, upload.id_column, upload.gold_column, upload.is_guarded)


def read_batches(upload: Upload, order: tuple[str, ...]) -> Iterator[Batch]:
    """Batches after the upload's checkpoint; store each before asking for the next. Raises UnreadableFile."""
    rows = read_rows(path_of(upload), reading_of(upload), columns_of(upload), order)
    rest = islice(rows, upload.records_done, None)
    position = upload.next_position
    while taken := _take(rest):
        batch = _prepare(upload, taken, position)
        position = batch.next_position
        yield batch


def _take(rows: Iterator[Row | Refusal]) -> list[Row | Refusal]:
    """The next rows: so many that neither their number nor their size passes the limits."""
    taken: list[Row | Refusal] = []
    size = 0
    for row in rows:
        taken.append(row)
        size += len(row.text) + len(row.cells) if isinstance(row, Row) else 0
        if len(taken) == BATCH_ROWS or size >= BATCH_CHARS:
            break
    return taken


def _prepare(upload: Upload, taken: list[Row | Refusal], position: int) -> Batch:
    """Dense positions for the rows whose ids are new, a reason for the others."""
    assert upload.dataset_id is not None  # noqa: S101 (an upload in work has one; narrows the type)
    ids = [row.external_id for row in taken if isinstance(row, Row) and row.external_id is not None]
    owners = known_ids(upload.dataset_id, ids)
    lines: dict[str, int] = {}
    batch = Batch(records_done=taken[-1].number + 1)
    for row in taken:
        refusal = row if isinstance(row, Refusal) else _find_double(upload, row, owners, lines)
        if refusal:
            batch.refused.append(_refused_values(upload, refusal))
        elif isinstance(row, Row):
            batch.samples.append(_sample_values(upload, row, position + len(batch.samples)))
    batch.next_position = position + len(batch.samples)
    return batch


def _find_double(upload: Upload, row: Row, owners: dict[str, int], lines: dict[str, int]) -> Refusal | None:
    """Why a row's id makes it a double, None when it is new; `lines` learns where each id of this batch stands."""
    key = row.external_id
    if key is None:
        return None
    if key in lines:
        reason = _("The id stands on line %(line)d already.") % {"line": lines[key]}
    elif key not in owners:
        lines[key] = row.line
        return None
    elif owners[key] == upload.pk:
        reason = _("The id stands further up in the file already.")
    else:
        reason = _("A row with this id is in the data set already.")
    return Refusal(row.number, row.line, Flaw(reason, upload.id_column, excerpt(key)))


def _sample_values(upload: Upload, row: Row, position: int) -> tuple[Any, ...]:
    where = (upload.dataset_id, upload.pk, position)
    return (*where, row.external_id, row.text, hash_text(row.text), row.gold, row.cells)


def _refused_values(upload: Upload, refusal: Refusal) -> tuple[Any, ...]:
    flaw = refusal.flaw
    return (upload.pk, refusal.number, refusal.line, flaw.column[:200], flaw.reason[:300], flaw.excerpt[:200])


def frame_threshold(dataset_id: int) -> str:
    """The largest text hash of the audit frame (`contract.frame`); empty under 5 texts.

    Different texts count: equal ones are in together or not at all.
    """
    return smallest_hash(dataset_id, frame_size(count_texts(dataset_id)))
