"""Writes about searches of the hub: start, what each step found, stop, try again, add."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from annotator_core.meta.label_maps import ProposedMap
from annotator_core.meta.listing import Listing
from annotator_core.meta.reading import Reading
from annotator_core.meta.similarity import Similarity
from annotator_core.meta.words import Words
from labeling.accounts.models import User
from labeling.jobs.actions import open_job, retry_dead, set_state
from labeling.jobs.models import JobState
from labeling.jobs.queries import job_of
from labeling.llm.actions.budgets import add_room
from labeling.llm.models import Connection
from labeling.projects.models import Project
from labeling.projects.queries import active_classes
from labeling.specialists.actions import add_specialist
from labeling.specialists.models import Candidate, CandidateState, ModelSearch, Source, Specialist
from labeling.specialists.search.engine import Judged, targets_of
from labeling.web.errors import ActionError

KIND = "search"
OUTSIDE_RUNS = 0
"""The budget that a search is paid from: that of all that is asked outside runs."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to search for. `connection`: None for keywords only; `cap_nano` is the most that it may cost."""

    description: str
    count: int
    max_bytes: int
    connection: Connection | None = None
    cap_nano: int = 0


def start_search(*, project: Project, wanted: Wanted, by: User | None) -> ModelSearch:
    """A search that a job does. Raises ActionError for a project without classes, or while another search runs."""
    classes = active_classes(project)
    if len(classes) < 2:
        raise ActionError(_("The project needs two classes first: models are searched for what they tell apart."))
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        if newest := ModelSearch.objects.filter(project=project).first():
            job = job_of(KIND, newest.pk)
            if job is not None and not job.is_over:
                raise ActionError(_("A search is at work already. Wait for it, or stop it first."))
        search = ModelSearch.objects.create(
            project=project,
            description=wanted.description,
            class_ids=[one.pk for one in classes],
            class_names=[one.name for one in classes],
            wanted=wanted.count,
            max_bytes=wanted.max_bytes,
            connection=wanted.connection,
            cap_nano=wanted.cap_nano if wanted.connection else 0,
            created_by=by,
        )
        if wanted.connection:
            add_room(project_id=project.pk, run=OUTSIDE_RUNS, room_nano=wanted.cap_nano)
        open_job(project_id=project.pk, kind=KIND, subject=search.pk)
    return search


def record_listed(*, search: ModelSearch, words: Words, listed: tuple[Listing, ...]) -> None:
    """The hub's list: one candidate each. Call inside the part's transaction."""
    search.queries, search.is_by_llm, search.problem = list(words.queries), words.is_by_llm, words.problem
    search.save(update_fields=["queries", "is_by_llm", "problem"])
    Candidate.objects.bulk_create(
        [
            Candidate(
                search=search,
                position=position,
                model_id=one.model_id,
                found_by=list(one.found_by),
                downloads=one.downloads,
                likes=one.likes,
            )
            for position, one in enumerate(listed)
        ],
        ignore_conflicts=True,
    )


def record_reading(*, candidate_id: int, reading: Reading) -> None:
    """What the hub says of a candidate, or why it is not taken. Call inside the part's transaction."""
    Candidate.objects.filter(pk=candidate_id).update(
        state=CandidateState.REFUSED if reading.refusals else CandidateState.READ,
        error="",
        refusals=[why.value for why in reading.refusals],
        revision=reading.revision,
        downloads=reading.downloads,
        likes=reading.likes,
        size_bytes=reading.size_bytes,
        license=reading.license,
        architecture=reading.architecture,
        model_labels=list(reading.labels),
        card=reading.card,
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """Candidates that were compared with the task: their scores, and for those that are tried a map by words."""

    candidates: list[Candidate]
    similarity: Similarity
    maps: dict[int, ProposedMap]
    rows: list[tuple[int, int | None]]


def record_comparison(*, search: ModelSearch, compared: Compared) -> None:
    """Who is tried on which rows. Call inside the part's transaction."""
    search.rows = [list(row) for row in compared.rows]
    search.compared_by = compared.similarity.method.value
    search.problem = search.problem or compared.similarity.problem
    search.save(update_fields=["rows", "compared_by", "problem"])
    for candidate, score in zip(compared.candidates, compared.similarity.scores, strict=True):
        proposed = compared.maps.get(candidate.pk)
        candidate.similarity = score
        candidate.state = CandidateState.PICKED if proposed else CandidateState.PASSED
        if proposed:
            candidate.targets = targets_of(proposed, search.class_ids)
            candidate.origins = [origin.value for origin in proposed.origins]
        candidate.save(update_fields=["similarity", "state", "targets", "origins"])


def record_fetched(*, candidate_id: int) -> None:
    """Its files are there. Call inside the part's transaction."""
    Candidate.objects.filter(pk=candidate_id).update(state=CandidateState.FETCHED, error="")


def record_answers(*, candidate_id: int, answers: list[int], truncated: int, seconds: float) -> None:
    """Its own label for each pilot row. Call inside the part's transaction."""
    Candidate.objects.filter(pk=candidate_id).update(
        state=CandidateState.ASKED, error="", answers=answers, truncated=truncated, seconds=seconds
    )


def record_failure(*, candidate_id: int, error: str) -> None:
    """It could not be read, fetched or tried; the page shows why."""
    Candidate.objects.filter(pk=candidate_id).update(state=CandidateState.FAILED, error=error)


def record_choice(*, search: ModelSearch, judged: Judged) -> None:
    """Maps after their trial, figures and places. Call inside the part's transaction."""
    for index, candidate in enumerate(judged.candidates):
        proposed, proof, choice = judged.maps[index], judged.proofs[index], judged.choices[index]
        candidate.targets = targets_of(proposed, search.class_ids)
        candidate.origins = [origin.value for origin in proposed.origins]
        candidate.gold_rows = proof.n_gold
        candidate.accuracy = proof.accuracy.value
        has_accuracy = proof.accuracy.value is not None
        candidate.accuracy_low = proof.accuracy.low if has_accuracy else None
        candidate.accuracy_high = proof.accuracy.high if has_accuracy else None
        candidate.abstained, candidate.information = proof.abstained, proof.information
        candidate.agreement = proof.agreement
        candidate.rank, candidate.why_not = choice.rank, choice.why_not.value if choice.why_not else ""
        candidate.save()


def stop_search(*, search: ModelSearch) -> None:
    """Stop the search; what it found so far stays. Raises ActionError when it is over."""
    job = job_of(KIND, search.pk)
    if job is None or job.is_over:
        raise ActionError(_("This search is over already."))
    set_state(job=job, state=JobState.CANCELLED)


def retry_search(*, search: ModelSearch) -> None:
    """Go on with a search that failed where it stood. Raises ActionError when it did not fail."""
    job = job_of(KIND, search.pk)
    if job is None or job.state != JobState.FAILED:
        raise ActionError(_("There is nothing to try again."))
    retry_dead(job=job)


def add_candidate(*, candidate: Candidate, by: User | None) -> Specialist:
    """A specialist from the hub at the commit that was tried; its proposed map awaits a person's word.

    Raises ActionError for a candidate that was refused, and for one that was added before.
    """
    if candidate.specialist_id is not None:
        raise ActionError(_("This model was added already."))
    if not candidate.revision or candidate.state in (CandidateState.LISTED, CandidateState.REFUSED):
        raise ActionError(_("This model cannot be added: it was not found safe to load."))
    with transaction.atomic():
        specialist = add_specialist(
            project=candidate.search.project,
            source=Source.HUB,
            location=candidate.model_id,
            revision=candidate.revision,
            name=_free_name(candidate),
            by=by,
        )
        Candidate.objects.filter(pk=candidate.pk).update(specialist=specialist)
    return specialist


def _free_name(candidate: Candidate) -> str:
    """The model's own name, with its owner's where another specialist has it."""
    name = candidate.model_id.rpartition("/")[2][:120]
    taken = Specialist.objects.filter(project=candidate.search.project_id, name=name).exists()
    return candidate.model_id[:120] if taken else name
