"""When an import's parts happen: store, gold, carry, or take everything back."""

from django.db import DatabaseError
from django.utils.translation import gettext as _

from labeling.datasets.actions.imports import analyze, clear_rows, fail_import, finish_import
from labeling.datasets.actions.rows import check_stored, close_store, record_scan, store_rows
from labeling.datasets.engine import columns_of, frame_threshold, path_of, read_batches, reading_of
from labeling.datasets.models import GoldUse, Upload, UploadMode
from labeling.datasets.readers.parts import UnreadableFile
from labeling.datasets.readers.scan import scan
from labeling.datasets.space import full_message, is_disk_full
from labeling.jobs.actions import Claim, add_chunks, finishing, storing
from labeling.jobs.models import OPEN_CHUNK_STATES, ChunkState, Job, JobState
from labeling.labels.actions import gold
from labeling.pipeline.hand import Hand
from labeling.quality.actions import withdraw_audit
from labeling.web.errors import ActionError

QUEUE = "io"
CHUNK_ROWS = 5_000


def _upload(upload_id: int) -> Upload:
    return Upload.objects.select_related("dataset", "target", "project").get(pk=upload_id)


def store(claim: Claim, hand: Hand) -> None:
    """Read the file twice: once to know it, once to store it. What cannot go on leaves nothing behind."""
    upload = _upload(claim.subject)
    try:
        _scan(claim, hand, upload)
        _store_batches(claim, hand, upload)
        _close(claim, upload)
    except UnreadableFile as error:
        raise ActionError(error.message) from error
    except FileNotFoundError as error:
        raise ActionError(_("The uploaded file is gone from the server. Upload it again.")) from error
    except (OSError, DatabaseError) as error:
        if not is_disk_full(error):
            raise
        clear_rows(upload=_upload(claim.subject))
        raise ActionError(full_message()) from error


def _scan(claim: Claim, hand: Hand, upload: Upload) -> None:
    """The first pass; a repeat after a kill finds it done."""
    if upload.record_count:
        return
    found = scan(path_of(upload), reading_of(upload), columns_of(upload), hand.check)
    with storing(claim) as job:
        record_scan(upload=upload, scan=found, job=job)


def _store_batches(claim: Claim, hand: Hand, upload: Upload) -> None:
    assert upload.dataset is not None  # noqa: S101 (an upload in work has one)
    hand.report(upload.records_done)
    for batch in read_batches(upload, _cell_order(upload)):
        with storing(claim):
            store_rows(upload=upload, batch=batch)
        hand.report(upload.records_done)


def _cell_order(upload: Upload) -> tuple[str, ...]:
    """CSV cells are stored in the order of the data set's columns, whatever the order in the file."""
    return tuple(upload.dataset.columns if upload.dataset else upload.columns)


def _close(claim: Claim, upload: Upload) -> None:
    assert upload.dataset_id is not None  # noqa: S101 (an upload in work has one)
    check_stored(upload=upload)
    threshold = frame_threshold(upload.dataset_id)
    analyze()
    with finishing(claim) as job:
        close_store(upload=upload, threshold=threshold)
        job.progress += upload.record_count


def adopt_gold(claim: Claim, hand: Hand) -> None:
    """Take the gold column of some samples as verified labels."""
    hand.check()
    upload = _upload(claim.subject)
    found = gold.match_gold(upload=upload, low=claim.low, high=claim.high)
    with finishing(claim) as job:
        gold.adopt_gold(upload=upload, found=found)
        job.progress += claim.high - claim.low


def carry_labels(claim: Claim, hand: Hand) -> None:
    """Carry people's answers over to some samples of the new data set."""
    hand.check()
    upload = _upload(claim.subject)
    carried = gold.match_carried(upload=upload, low=claim.low, high=claim.high)
    with finishing(claim) as job:
        gold.carry_labels(upload=upload, carried=carried)
        job.progress += claim.high - claim.low


def clear(claim: Claim, hand: Hand) -> None:
    """Take back the rows of an import that failed."""
    hand.check()
    clear_rows(upload=_upload(claim.subject))
    with finishing(claim):
        pass


def advance(job: Job) -> None:
    """store, then gold and carry where asked for, then the rows count; a store that died is cleared and has failed."""
    if job.is_over:
        return
    upload = _upload(job.subject)
    dead = job.chunks.filter(stage=job.stage, state=ChunkState.DEAD).first()
    if not job.stage:
        _open_stage(job, "store", [(0, 1)])
    elif job.chunks.filter(stage=job.stage, state__in=OPEN_CHUNK_STATES).exists():
        return
    elif dead and job.stage == "store":
        Upload.objects.filter(pk=upload.pk).update(error=dead.error)
        _open_stage(job, "clear", [(0, 1)])
    elif dead:
        _fail(job, upload, dead.error)
    elif job.stage == "clear":
        _fail(job, upload, upload.error)
    else:
        _go_on(job, upload)


def _go_on(job: Job, upload: Upload) -> None:
    """The stage after the one that is done."""
    assert upload.dataset is not None  # noqa: S101 (an upload in work has one)
    ranges = _ranges(upload.dataset.row_count, upload.next_position)
    if job.stage == "store" and upload.gold_use == GoldUse.VERIFIED and ranges:
        _open_stage(job, "gold", ranges)
    elif job.stage in ("store", "gold") and upload.mode == UploadMode.REPLACE:
        _open_stage(job, "carry", ranges)
    else:
        _finish(job, upload)


def _ranges(start: int, end: int) -> list[tuple[int, int]]:
    return [(low, min(low + CHUNK_ROWS, end)) for low in range(start, end, CHUNK_ROWS)]


def _open_stage(job: Job, stage: str, ranges: list[tuple[int, int]]) -> None:
    if stage in ("gold", "carry"):
        job.total += sum(high - low for low, high in ranges)
    job.stage = stage
    add_chunks(job=job, stage=stage, queue=QUEUE, ranges=ranges)


def _finish(job: Job, upload: Upload) -> None:
    try:
        finish_import(upload=upload)
    except ActionError as error:
        _fail(job, upload, error.message)
    else:
        job.state = JobState.DONE
        if upload.mode == UploadMode.REPLACE and upload.target:
            withdraw_audit(dataset=upload.target)  # what people answered was carried over


def _fail(job: Job, upload: Upload, error: str) -> None:
    job.state, job.error = JobState.FAILED, error
    fail_import(upload=upload, error=error)
