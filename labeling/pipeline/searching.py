"""The search job: the hub's list, what it says of each model, who is tried, their files, their answers, the choice."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import wraps

from django.utils import timezone

from annotator_core.errors import AddressRefused, BadModelFolder, ConnectionBroken, PredictionStopped, TryLater
from annotator_core.meta.asking import MAX_TOKENS, LanguageModel
from annotator_core.meta.label_maps import propose_by_words
from annotator_core.meta.listing import search_models
from annotator_core.meta.proof import answer
from annotator_core.meta.reading import read_model
from annotator_core.meta.search import count_to_read, rank_by
from annotator_core.meta.similarity import compare as compare_cards
from annotator_core.meta.words import write_words
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.hub import fetch
from labeling.datasets.models import Sample
from labeling.jobs.actions import Claim, add_chunks, begin_stage, finishing, give_back
from labeling.jobs.models import OPEN_CHUNK_STATES, ChunkState, Job, JobState
from labeling.jobs.queries import chunk_ids
from labeling.llm.actions.calls import BookedLedger, Errand, book_lost, book_lost_of_parts
from labeling.llm.engine import open_asker, price_of
from labeling.llm.models import Purpose
from labeling.llm.pacing import open_pace
from labeling.llm.sharing import shared_singly
from labeling.pipeline.hand import Hand, StopWork
from labeling.projects.queries import active_classes
from labeling.refinement.cold_start.queries import verified_texts
from labeling.specialists.models import Candidate, CandidateState, ModelSearch
from labeling.specialists.search.actions import (
    OUTSIDE_RUNS,
    Compared,
    record_answers,
    record_choice,
    record_comparison,
    record_failure,
    record_fetched,
    record_listed,
    record_reading,
)
from labeling.specialists.search.engine import Judged, folder_of, forget_untaken_files, hub, reading_of, task_of
from labeling.specialists.search.queries import pilot_rows, texts_of

FIND, READ, COMPARE, FILES, PROVE, CHOOSE = "find", "read", "compare", "files", "prove", "choose"
QUEUES = {PROVE: "consensus"}
"""The others are for the light worker: only a trial loads a model."""
RANDOM_ROWS, VERIFIED_ROWS = 200, 200
"""Pilot rows: random ones, and as many that a person answered; chosen: 200 rows tell shares 10 points apart."""
SHOWN_TEXTS = 5
SINGLE = (FIND, COMPARE, CHOOSE)

Handler = Callable[[Claim, Hand], None]


def _patient(handler: Handler) -> Handler:
    """Give the part back where the hub or the language model asks for a pause, and say until when."""

    @wraps(handler)
    def work(claim: Claim, hand: Hand) -> None:
        book_lost(chunk=claim.chunk_id, attempts=claim.attempts)
        try:
            handler(claim, hand)
        except TryLater as error:
            give_back(claim, not_before=timezone.now() + timedelta(seconds=error.after_s), note=error.message)
        except PredictionStopped as error:
            raise StopWork from error

    return work


@contextmanager
def _language_model(search: ModelSearch, claim: Claim) -> Iterator[tuple[LanguageModel | None, str]]:
    """The search's language model and "", or None and why it cannot be asked, "" where none was chosen.

    Raises TryLater while other work has all of the connection's calls, or the endpoint is left alone.
    """
    connection = search.connection
    if connection is None:
        yield None, ""
        return
    try:
        price, pace = price_of(connection, timezone.localdate()), open_pace(connection)
        asker = open_asker(connection)
    except (ConnectionBroken, AddressRefused) as error:
        yield None, error.message
        return
    ledger = BookedLedger(
        project_id=search.project_id,
        run=OUTSIDE_RUNS,
        chunk=claim.chunk_id,
        attempts=claim.attempts,
        connection=connection,
        purpose=Purpose.SEARCH,
        errand=Errand(chunk_ids(claim.job_id), search.cap_nano),
    )
    with closing(asker), shared_singly(connection, asker, owner=f"part {claim.chunk_id}") as seated:
        yield LanguageModel(seated, ledger, price, MAX_TOKENS, pace), ""


@_patient
def find(claim: Claim, hand: Hand) -> None:
    """Write the search words and ask the hub."""
    search = _search(claim)
    texts = [row.sample_id for row in pilot_rows(search.project, SHOWN_TEXTS, search.pk)] if search.connection else []
    shown = list(Sample.objects.filter(pk__in=texts).order_by("position").values_list("text", flat=True))
    with _language_model(search, claim) as (language_model, problem):
        words = write_words(task_of(search, shown), language_model)
    hand.check()
    listed = search_models(hub(), words.queries, count_to_read(search.wanted))
    with finishing(claim) as job:
        record_listed(search=search, words=words, listed=listed)
        if problem:
            ModelSearch.objects.filter(pk=search.pk).update(problem=problem)
        job.progress += 1


@_patient
def read(claim: Claim, hand: Hand) -> None:
    """Read what the hub says of one model."""
    search, candidate = _search(claim), Candidate.objects.get(pk=claim.low, search=claim.subject)
    hand.check()
    reading = read_model(hub(), candidate.model_id, search.max_bytes)
    with finishing(claim) as job:
        record_reading(candidate_id=candidate.pk, reading=reading)
        job.progress += 1


@_patient
def compare(claim: Claim, hand: Hand) -> None:
    """Compare the cards with the task, pick who is tried, and propose what their labels mean."""
    search = _search(claim)
    candidates = list(Candidate.objects.filter(search=search, state=CandidateState.READ))
    readings = [reading_of(one) for one in candidates]
    with _language_model(search, claim) as (language_model, _problem):
        similarity = compare_cards(task_of(search), readings, language_model, hand.check)
        order = rank_by(similarity.scores, [one.downloads for one in readings])[: search.wanted]
        picked = {candidates[at].pk: propose_by_words(readings[at], search.class_names, language_model) for at in order}
    compared = Compared(candidates, similarity, picked, _draw_rows(search))
    with finishing(claim) as job:
        record_comparison(search=search, compared=compared)
        job.progress += 1


def _draw_rows(search: ModelSearch) -> list[tuple[int, int | None]]:
    """(sample id, class id where one is known) of random rows, and of rows that a person answered."""
    names = {one.name.strip().casefold(): one.pk for one in active_classes(search.project)}
    verified = {one.sample_id: one.class_id for one in verified_texts(search.project, VERIFIED_ROWS)}
    drawn = {
        row.sample_id: verified.get(row.sample_id) or names.get(row.gold.strip().casefold())
        for row in pilot_rows(search.project, RANDOM_ROWS, search.pk)
    }
    known = {pk: class_id for pk, class_id in verified.items() if class_id in search.class_ids}
    return list((drawn | known).items())


@_patient
def bring_files(claim: Claim, hand: Hand) -> None:
    """Fetch one candidate's files at the commit that was read."""
    search, candidate = _search(claim), Candidate.objects.get(pk=claim.low, search=claim.subject)
    hand.check()
    folder = folder_of(search.pk) / str(candidate.pk)
    fetch(candidate.model_id, candidate.revision, folder, max_bytes=search.max_bytes, endpoint=hub().endpoint)
    if inspect_folder(folder).labels != tuple(candidate.model_labels):
        raise BadModelFolder("Its files name other labels than the hub said.")
    with finishing(claim) as job:
        record_fetched(candidate_id=candidate.pk)
        job.progress += 1


@_patient
def prove(claim: Claim, hand: Hand) -> None:
    """Load one candidate and let it answer on the pilot rows."""
    search, candidate = _search(claim), Candidate.objects.get(pk=claim.low, search=claim.subject)
    folder = folder_of(search.pk) / str(candidate.pk)
    found = answer(inspect_folder(folder), texts_of(search), hand.should_stop)
    with finishing(claim) as job:
        record_answers(
            candidate_id=candidate.pk,
            answers=found.labels.tolist(),
            truncated=found.truncated,
            seconds=found.seconds,
        )
        job.progress += 1


@_patient
def choose(claim: Claim, hand: Hand) -> None:
    """Hold the candidates against known classes and each other, and recommend."""
    search = _search(claim)
    candidates = list(Candidate.objects.filter(search=search, state=CandidateState.ASKED))
    judged = Judged(search, candidates)
    hand.check()
    with finishing(claim) as job:
        record_choice(search=search, judged=judged)
        job.progress += 1


def _search(claim: Claim) -> ModelSearch:
    return ModelSearch.objects.select_related("project", "connection").get(pk=claim.subject)


def advance(job: Job) -> None:
    """The next step when the one at hand is over; a model that fails never stops the others."""
    if job.state == JobState.CANCELLED:
        shutil.rmtree(folder_of(job.subject), ignore_errors=True)
    if job.is_over:
        book_lost_of_parts(project_id=job.project_id, chunks=chunk_ids(job.pk))
        return
    if not job.stage:
        _forget_older(job)
        _begin(job, FIND)
        return
    chunks = list(job.chunks.filter(stage=job.stage))
    if any(one.state in OPEN_CHUNK_STATES for one in chunks):
        return
    dead = [one for one in chunks if one.state == ChunkState.DEAD]
    if dead and (job.stage in SINGLE or len(dead) == len(chunks)):
        job.state, job.error = JobState.FAILED, dead[0].error
        book_lost_of_parts(project_id=job.project_id, chunks=[one.pk for one in dead])
        return
    for one in dead:
        record_failure(candidate_id=one.low, error=one.error)
    _go_on(job)


def _forget_older(job: Job) -> None:
    """Remove what searches of the project left that failed and were not tried again."""
    for search_id in (
        ModelSearch.objects.filter(project=job.project_id).exclude(pk=job.subject).values_list("pk", flat=True)
    ):
        shutil.rmtree(folder_of(search_id), ignore_errors=True)


def _go_on(job: Job) -> None:
    following = {
        FIND: (READ, CandidateState.LISTED),
        READ: (COMPARE, CandidateState.READ),
        COMPARE: (FILES, CandidateState.PICKED),
        FILES: (PROVE, CandidateState.FETCHED),
        PROVE: (CHOOSE, CandidateState.ASKED),
    }
    stage, needed = following.get(job.stage, ("", None))
    ids = list(Candidate.objects.filter(search=job.subject, state=needed).values_list("pk", flat=True)) if stage else []
    if stage == FILES and not ModelSearch.objects.get(pk=job.subject).rows:
        ids = []  # Without a row to try them on there is nothing to prove.
    if ids:
        _begin(job, stage, ids)
    else:
        job.state = JobState.DONE
        forget_untaken_files(job.subject)


def _begin(job: Job, stage: str, ids: list[int] | None = None) -> None:
    ranges = [(0, 1)] if stage in SINGLE else [(pk, pk + 1) for pk in ids or []]
    begin_stage(job=job, stage=stage, total=len(ranges))
    add_chunks(job=job, stage=stage, queue=QUEUES.get(stage, "io"), ranges=ranges)
