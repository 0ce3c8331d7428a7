"""The script job: a script is written, then tried in the box; the voter job puts an accepted one beside its model."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator_core.errors import PredictionStopped, TryLater
from annotator_core.meta.asking import LanguageModel
from labeling.datasets.chunk_queries import random_rows
from labeling.datasets.models import Sample
from labeling.jobs.actions import Claim, add_chunks, finishing, give_back
from labeling.jobs.models import ChunkState, Job, JobState
from labeling.jobs.queries import chunk_ids, has_open_chunks
from labeling.llm.actions.calls import BookedLedger, Errand, book_lost, book_lost_of_parts
from labeling.llm.engine import open_asker, price_of
from labeling.llm.models import Purpose
from labeling.llm.pacing import open_pace
from labeling.llm.sharing import shared_singly
from labeling.pipeline.hand import Hand, StopWork
from labeling.refinement.cold_start.queries import verified_texts
from labeling.refinement.weights import HUMAN_WEIGHT
from labeling.specialists.models import GeneratedScript, ScriptKind, ScriptState
from labeling.specialists.scripting.actions import (
    OUTSIDE_RUNS,
    record_script_failure,
    record_tried,
    record_voter,
    record_voter_failure,
    record_written,
)
from labeling.specialists.scripting.engine import find_problems, label_indices, store_voter, try_script, write_code
from labeling.web.errors import ActionError

WRITE, TRY, STORE = "write", "try", "store"
QUEUES = {WRITE: "io", TRY: "consensus", STORE: "io"}
PILOT_ROWS = 100
MOST_LABELED = 200  # one half teaches, the other judges
LEAST_LABELED = 20  # chosen: ten to learn from and ten to judge by; under it nothing can be seen to be learned
CODE_TOKENS = 4_000  # chosen: the templates have under 700, and models that think aloud need room before them


def write(claim: Claim, hand: Hand) -> None:
    """Have the script written, and read what the check says of it."""
    book_lost(chunk=claim.chunk_id, attempts=claim.attempts)
    script = _script(claim)
    try:
        with _writer(script, claim) as model:
            code = write_code(script, model)
    except TryLater as error:
        give_back(claim, not_before=timezone.now() + timedelta(seconds=error.after_s), note=error.message)
        return
    hand.check()
    with finishing(claim):
        record_written(script_id=script.pk, code=code, checks=find_problems(code, script.kind))


def _script(claim: Claim) -> GeneratedScript:
    return GeneratedScript.objects.select_related("version__specialist", "connection", "voter").get(pk=claim.subject)


@contextmanager
def _writer(script: GeneratedScript, claim: Claim) -> Iterator[LanguageModel | None]:
    """The language model that writes it, None for a template.

    Raises ConnectionBroken, AddressRefused, and TryLater while other work has all of the connection's calls, or the
    endpoint is left alone.
    """
    connection = script.connection
    if connection is None:
        yield None
        return
    ledger = BookedLedger(
        project_id=script.project_id,
        run=OUTSIDE_RUNS,
        chunk=claim.chunk_id,
        attempts=claim.attempts,
        connection=connection,
        purpose=Purpose.SCRIPT,
        errand=Errand(chunk_ids(claim.job_id), script.cap_nano),
    )
    price, pace = price_of(connection, timezone.localdate()), open_pace(connection)
    with (
        closing(open_asker(connection)) as own,
        shared_singly(connection, own, owner=f"part {claim.chunk_id}") as asker,
    ):
        yield LanguageModel(asker, ledger, price, CODE_TOKENS, pace)


def try_out(claim: Claim, hand: Hand) -> None:
    """Let the script answer pilot rows in the box, and the engine the same ones."""
    script = _script(claim)
    texts, labels = _labeled_rows(script) if script.kind == ScriptKind.FINE_TUNE else (_random_texts(script), [])
    if not texts:
        raise ActionError(_("There are no rows to try it on: upload a data set first."))
    try:
        tried = try_script(script, texts, labels, hand.should_stop)
    except PredictionStopped as error:
        raise StopWork from error
    if tried.why_not:
        raise ActionError(_("Scripts are off on this machine. %(reason)s") % {"reason": tried.why_not})
    with finishing(claim):
        record_tried(script_id=script.pk, comparison=tried.comparison)


def _random_texts(script: GeneratedScript) -> list[str]:
    rows = random_rows(script.project_id, PILOT_ROWS, Random(script.pk))  # noqa: S311 (seeded, so that a trial repeats)
    return [row.text for row in rows if row.text.strip()]


def _labeled_rows(script: GeneratedScript) -> tuple[list[str], list[int]]:
    """Texts that people labeled one by one, outside every audit frame, and the model's label for each."""
    known = [row for row in verified_texts(script.project) if row.weight >= HUMAN_WEIGHT]
    outputs = label_indices(script.version, [row.class_id for row in known])
    usable = [(row.sample_id, output) for row, output in zip(known, outputs, strict=True) if output is not None]
    usable = usable[:MOST_LABELED]
    if len(usable) < LEAST_LABELED:
        raise ActionError(
            _("A script that learns is tried on texts that people labeled: label at least %(n)d first.")
            % {"n": LEAST_LABELED}
        )
    texts = dict(Sample.objects.filter(pk__in=[pk for pk, _output in usable]).values_list("pk", "text"))
    return [texts[pk] for pk, _output in usable], [output for _pk, output in usable]


def store(claim: Claim, hand: Hand) -> None:
    """Put the files of a voter into the model store; its first version is tried like any other."""
    script = _script(claim)
    hand.check()
    stored = store_voter(script, Path(settings.MODEL_STORE))
    size = sum(path.stat().st_size for path in stored.path.iterdir())
    with finishing(claim):
        record_voter(script=script, weights_hash=stored.hash, size_bytes=size)


def advance(job: Job) -> None:
    """Write it, then try it where the check found nothing; a part that is dead says why."""
    if not job.stage:
        _open(job, WRITE)
    elif error := _dead(job):
        job.state, job.error = JobState.FAILED, error
        record_script_failure(script_id=job.subject, error=error)
        book_lost_of_parts(project_id=job.project_id, chunks=chunk_ids(job.pk))
    elif not has_open_chunks(job, job.stage):
        is_next = GeneratedScript.objects.filter(pk=job.subject, state=ScriptState.WRITTEN).exists()
        if job.stage == WRITE and is_next:
            _open(job, TRY)
        else:
            job.state = JobState.DONE


def advance_voter(job: Job) -> None:
    """One part; when it is dead the specialist shows why."""
    if not job.stage:
        _open(job, STORE)
    elif error := _dead(job):
        job.state, job.error = JobState.FAILED, error
        record_voter_failure(script_id=job.subject, error=error)
    elif not has_open_chunks(job, STORE):
        job.state = JobState.DONE


def _open(job: Job, stage: str) -> None:
    job.stage = stage
    add_chunks(job=job, stage=stage, queue=QUEUES[stage], ranges=[(0, 0)])


def _dead(job: Job) -> str:
    """Why a part is dead, empty where none is."""
    dead = job.chunks.filter(state=ChunkState.DEAD).first()
    return dead.error if dead else ""
