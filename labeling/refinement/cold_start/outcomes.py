"""What becomes of a cold start: what was trained is recorded, tried, let vote; what failed is retried or given up."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.jobs.actions import retry_dead, set_state
from labeling.jobs.models import Job, JobState
from labeling.jobs.queries import job_of
from labeling.projects.queries import active_classes
from labeling.refinement.cold_start.actions import KIND, STEPS
from labeling.refinement.cold_start.queries import Entrant, entrants_of
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound, RoundState
from labeling.specialists.actions import (
    Made,
    StoredFiles,
    add_version,
    archive_specialist,
    confirm_version,
    record_files,
    start_trial,
)
from labeling.specialists.models import Specialist, SpecialistState, VersionOrigin
from labeling.web.errors import ActionError


def record_begin(*, challenger: Challenger) -> None:
    """Somebody trains it now."""
    Challenger.objects.filter(pk=challenger.pk).update(state=ChallengerState.TRAINING, error="")


def record_trained(
    *, challenger: Challenger, files: StoredFiles, class_ids: list[int], manifest: Mapping[str, Any], seconds: float
) -> None:
    """The specialist's files, its first version and that version's trial. Inside the transaction that ends the part.

    `class_ids` says which class each of its labels is. Raises ActionError when the classes have changed meanwhile.
    """
    specialist = challenger.specialist
    of_today = sorted(one.pk for one in active_classes(specialist.project))
    if not set(class_ids) <= set(of_today):
        raise ActionError(_("A class was retired while this was trained. Give the training up and train anew."))
    record_files(specialist_id=specialist.pk, files=files)
    made = Made(
        weights_hash=files.weights_hash,
        size_bytes=files.size_bytes,
        backend=files.backend,
        model_labels=files.model_labels,
        targets=tuple(class_ids),
        class_ids=tuple(of_today),
        max_length=files.max_length,
        manifest=dict(manifest),
    )
    version = add_version(specialist_id=specialist.pk, made=made, origin=VersionOrigin.COLD_START)
    Specialist.objects.filter(pk=specialist.pk).update(state=SpecialistState.READY)
    start_trial(version=version)
    Challenger.objects.filter(pk=challenger.pk).update(
        state=ChallengerState.TRAINED,
        version=version,
        step=STEPS,
        seconds=seconds,
        figures=manifest["test"],
    )


def record_failure(*, challenger: Challenger, error: str) -> None:
    """Its training ended in an error that the page shows."""
    Challenger.objects.filter(pk=challenger.pk).update(state=ChallengerState.FAILED, error=error)
    Specialist.objects.filter(pk=challenger.specialist_id).update(state=SpecialistState.FAILED, error=error)


def close_round(*, round_id: int, error: str = "") -> None:
    """Nothing is left to train; with an error it waits for a retry."""
    state, now = (RoundState.FAILED, None) if error else (RoundState.DONE, timezone.now())
    rounds = RefinementRound.objects.filter(pk=round_id).exclude(state=RoundState.CANCELLED)
    rounds.update(state=state, error=error, finished_at=now)


def retry_cold_start(*, round_: RefinementRound) -> int:
    """Give the specialists that failed another chance; returns how many."""
    with transaction.atomic():
        job = _lock_job(round_)
        failed = round_.challengers.filter(state=ChallengerState.FAILED)
        if job is None or not failed.exists():
            raise ActionError(_("There is nothing to try again."))
        waiting = Specialist.objects.filter(challengers__in=failed)
        waiting.update(state=SpecialistState.TRAINING, error="")
        failed.update(state=ChallengerState.WAITING, error="")
        RefinementRound.objects.filter(pk=round_.pk).update(state=RoundState.TRAINING, error="", finished_at=None)
        return retry_dead(job=job)


def give_up_cold_start(*, round_: RefinementRound) -> None:
    """End it: what is trained stays, what is not leaves the list. Without anything trained the round is cancelled."""
    if not round_.is_at_work:
        raise ActionError(_("This training is over already."))
    with transaction.atomic():
        job = _lock_job(round_)
        if job is not None and not job.is_over:
            set_state(job=job, state=JobState.CANCELLED)
        untrained = list(round_.challengers.filter(version=None).select_related("specialist"))
        for challenger in untrained:
            archive_specialist(specialist=challenger.specialist)
        round_.challengers.filter(version=None).update(state=ChallengerState.FAILED)
        is_anything = round_.challengers.exclude(version=None).exists()
        state = RoundState.DONE if is_anything else RoundState.CANCELLED
        RefinementRound.objects.filter(pk=round_.pk).update(state=state, error="", finished_at=timezone.now())


def confirm_all(*, round_: RefinementRound, by: User | None) -> list[Entrant]:
    """Let every specialist of the cold start vote whose trial found nothing against it; returns them.

    Raises ActionError when there is none.
    """
    sound = [one for one in entrants_of(round_) if one.can_be_confirmed]
    if not sound:
        raise ActionError(_("No specialist of this training waits for you. Wait for the trials, or look at them."))
    with transaction.atomic():
        for one in sound:
            if one.version:
                confirm_version(version=one.version, by=by)
        ids = [one.challenger.pk for one in sound]
        Challenger.objects.filter(pk__in=ids).update(state=ChallengerState.PROMOTED)
    return sound


def _lock_job(round_: RefinementRound) -> Job | None:
    """The round's job, locked: before anything else, as a worker that ends a part does."""
    job = job_of(KIND, round_.pk)
    return Job.objects.select_for_update().get(pk=job.pk) if job else None
