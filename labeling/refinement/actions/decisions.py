"""Who takes over: the gate's verdicts, a manager's click, and the way back."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.jobs.actions import mark_dirty
from labeling.refinement.actions.locks import lock_round, lock_run
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound, RoundState, SourceTest
from labeling.refinement.queries import round_at_work
from labeling.runs.actions import KIND as RUN_KIND
from labeling.runs.actions import open_generation
from labeling.runs.models import GenerationOrigin, Run, RunState, VoteAhead
from labeling.runs.queries import active_run, pool_of
from labeling.specialists.actions import dethrone, make_champion
from labeling.specialists.models import Specialist, SpecialistVersion
from labeling.web.errors import ActionError

BETTER, TOO_FEW = "better", "too_few"


def decide_round(*, round_: RefinementRound) -> None:
    """Promote or keep each judged challenger; a new generation opens when the pool changed or voting waited for it.

    Without a gate every challenger takes over. With too few gate rows the round waits for a manager.
    """
    with transaction.atomic():
        run = lock_run(round_.run_id) if round_.run_id else None
        locked = lock_round(round_.pk)
        judged = list(locked.challengers.filter(state=ChallengerState.JUDGED).select_related("version"))
        promoted = [one for one in judged if one.verdict == BETTER or not locked.is_gated]
        waiting = [one for one in judged if one not in promoted and one.verdict == TOO_FEW]
        kept = [one.pk for one in judged if one not in promoted and one not in waiting]
        for challenger in promoted:
            _crown(challenger, None)
        Challenger.objects.filter(pk__in=kept).update(state=ChallengerState.KEPT)
        locked.state = RoundState.WAITING if waiting else RoundState.DONE
        locked.finished_at = timezone.now()
        locked.save(update_fields=["state", "finished_at"])
        if run:
            follow_round(run=run, round_=locked, versions=_by_specialist(promoted))


def follow_round(*, run: Run, round_: RefinementRound, versions: Mapping[int, SpecialistVersion]) -> None:
    """Go on after a round with the pool it left; `versions` by specialist take over. The run is locked."""
    if versions or (run.vote_ahead == VoteAhead.POOL and run.is_active):
        number = _open(run, round_, versions, GenerationOrigin.ROUND)
        RefinementRound.objects.filter(pk=round_.pk).update(generation_after=number)
    mark_dirty(kind=RUN_KIND, subject=run.pk)


def promote(*, challenger: Challenger, by: User | None) -> None:
    """A manager lets a challenger that waits or was kept take over: a new generation opens.

    Raises ActionError while a round of the run is at work, without weights, or when it cannot take over any more.
    """
    with transaction.atomic():
        run, round_, current = _lock(challenger)
        if current.state not in {ChallengerState.JUDGED, ChallengerState.KEPT} or current.version is None:
            raise ActionError(_("Only a version that waits or was kept can be promoted."))
        if current.version.pruned_at:
            raise ActionError(_("The weights of this version were removed to free the disk. Train again."))
        if current.specialist_id not in {member.version.specialist_id for member in pool_of(run)}:
            raise ActionError(_("This specialist does not vote in the run any more."))
        _crown(current, by)
        _open(run, round_, {current.specialist_id: current.version}, GenerationOrigin.ROUND)
        _close_when_decided(round_)
        mark_dirty(kind=RUN_KIND, subject=run.pk)


def keep(*, challenger: Challenger, by: User | None) -> None:  # noqa: ARG001 (who keeps is asked for like who promotes)
    """A manager leaves the champion of a waiting challenger in its place. Raises ActionError when it does not wait."""
    with transaction.atomic():
        round_ = lock_round(challenger.round_id)
        waiting = round_.challengers.filter(pk=challenger.pk, state=ChallengerState.JUDGED)
        if round_.state != RoundState.WAITING or not waiting.update(state=ChallengerState.KEPT):
            raise ActionError(_("Only a version that waits for a manager can be kept back."))
        _close_when_decided(round_)


def roll_back(*, round_: RefinementRound, by: User | None) -> None:
    """The champions from before the round take over again in a new generation; what it promoted may not vote any more.

    Raises ActionError when nothing of the round votes now, or while a round of the run is at work.
    """
    with transaction.atomic():
        promoted = list(round_.challengers.filter(state=ChallengerState.PROMOTED).select_related("version", "champion"))
        if not promoted or round_.run_id is None:
            raise ActionError(_("This round has promoted nothing that could be rolled back."))
        run = lock_run(round_.run_id)
        locked = lock_round(round_.pk)
        _check_idle(run)
        champions = {one.specialist_id: _checked_champion(run, one) for one in promoted}
        for challenger in promoted:
            if challenger.version:
                dethrone(version=challenger.version)
            make_champion(version=champions[challenger.specialist_id], by=by)
            Challenger.objects.filter(pk=challenger.pk).update(state=ChallengerState.ROLLED_BACK)
        _open(run, locked, champions, GenerationOrigin.ROLLBACK)
        mark_dirty(kind=RUN_KIND, subject=run.pk)


def set_source_test(*, specialist: Specialist, dataset: Dataset | None) -> None:
    """Measure the specialist's forgetting on this data set with gold labels, too; None for no longer.

    Raises ActionError for a data set without gold labels.
    """
    if dataset is None:
        SourceTest.objects.filter(specialist=specialist).delete()
        return
    if dataset.project_id != specialist.project_id or not dataset.samples.exclude(gold="").exists():
        raise ActionError(_("This data set has no gold labels to measure with."), field="dataset")
    SourceTest.objects.update_or_create(specialist=specialist, defaults={"dataset": dataset})


def _lock(challenger: Challenger) -> tuple[Run, RefinementRound, Challenger]:
    """The run, the round and the challenger as they are now. Raises ActionError while a round is at work."""
    run_id = challenger.round.run_id
    if run_id is None:
        raise ActionError(_("The first specialists of a project are confirmed on the models page."))
    run = lock_run(run_id)
    round_ = lock_round(challenger.round_id)
    _check_idle(run)
    current = Challenger.objects.select_related("version", "champion").get(pk=challenger.pk)
    return run, round_, current


def _check_idle(run: Run) -> None:
    at_work = round_at_work(run)
    if at_work:
        raise ActionError(_("Round %(number)d is at work. Wait until it has ended.") % {"number": at_work.number})


def _checked_champion(run: Run, challenger: Challenger) -> SpecialistVersion:
    """The version to go back to. Raises ActionError when a later one took over, or its weights are gone."""
    if challenger.version_id not in {member.version_id for member in pool_of(run)}:
        raise ActionError(
            _("A later version of %(name)s has taken over. Roll that round back first.")
            % {"name": challenger.specialist}
        )
    if challenger.champion is None or challenger.champion.pruned_at:
        raise ActionError(_("The weights of the version before were removed to free the disk."))
    return challenger.champion


def _crown(challenger: Challenger, by: User | None) -> None:
    if challenger.version:
        make_champion(version=challenger.version, by=by)
    Challenger.objects.filter(pk=challenger.pk).update(state=ChallengerState.PROMOTED)


def _by_specialist(challengers: list[Challenger]) -> dict[int, SpecialistVersion]:
    return {one.specialist_id: one.version for one in challengers if one.version}


def _open(
    run: Run, round_: RefinementRound, versions: Mapping[int, SpecialistVersion], origin: GenerationOrigin
) -> int | None:
    """The number of the new generation. None where the run is over: its successor takes the champions by itself."""
    is_followed = run.state == RunState.DONE and active_run(run.dataset) is not None
    if run.state == RunState.CANCELLED or is_followed:
        return None
    pool = [versions.get(member.version.specialist_id, member.version) for member in pool_of(run)]
    generation = open_generation(run_id=run.pk, versions=pool, origin=origin, round_number=round_.number)
    return generation.number


def _close_when_decided(round_: RefinementRound) -> None:
    """A round that waited is done when no challenger waits any more."""
    if round_.state == RoundState.WAITING and not round_.challengers.filter(state=ChallengerState.JUDGED).exists():
        RefinementRound.objects.filter(pk=round_.pk).update(state=RoundState.DONE)
