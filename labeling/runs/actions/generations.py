"""Generations of a run's pool: open one, stop one at a full pool, and vote again on accepted rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.jobs.actions import mark_dirty
from labeling.runs.actions.counts import lock_run
from labeling.runs.actions.runs import KIND
from labeling.runs.models import GenerationOrigin, PoolGeneration, PoolMember, Run, RunState, VoteAhead
from labeling.runs.queries import current_generation, is_followed, members_of
from labeling.specialists.models import SpecialistVersion
from labeling.web.errors import ActionError


@dataclass(frozen=True, slots=True)
class Scale:
    """What gives a generation's rows their scores, and up to where rows go to review.

    `aggregation` is a fitted aggregator's state (engine: consensus.table), None for the run's own aggregator. Rows at
    or below (`cut_score`, `cut_hash`) go to review: an empty hash lets all rows of just that score be accepted, as a
    certificate's threshold does. A `cut_score` of None means that there is no cut on this scale (yet).
    """

    aggregation: dict[str, Any] | None = None
    cut_score: float | None = None
    cut_hash: str = ""


def open_generation(
    *,
    run_id: int,
    versions: Sequence[SpecialistVersion],
    origin: GenerationOrigin,
    round_number: int | None = None,
    scale: Scale | None = None,
) -> PoolGeneration:
    """The run's next generation, in the caller's transaction; its job finds out what is to be voted on again.

    Without a `scale` it keeps the one before, as far as the versions allow (`_kept_scale`). Where a new scale needs no
    vote that is not stored yet, accepted rows are scored again at once, not when the queue is empty. Raises ActionError
    when a version may not vote or the run was cancelled. Members of the pool may stay also when another run has rolled
    them back: a round must be able to end.
    """
    run = lock_run(run_id)
    before = current_generation(run)
    members = members_of(run, before.number)
    _check_versions(run, versions, {member.version_id for member in members})
    scale = scale or _kept_scale(run, before, [member.version for member in members], versions)
    run.generation = before.number + 1
    generation = PoolGeneration.objects.create(
        run=run,
        number=run.generation,
        origin=origin,
        round_number=round_number,
        aggregation=scale.aggregation,
        cut_score=scale.cut_score,
        cut_hash=scale.cut_hash,
    )
    for position, version in enumerate(versions):
        PoolMember.objects.create(generation=generation, version=version, position=position)
    run.is_renewal_asked = run.is_renewal_asked or (origin == GenerationOrigin.AUDIT and _costs_no_inference(run))
    _take_up(run)
    run.save(update_fields=["generation", "state", "finished_at", "is_renewal_asked"])
    mark_dirty(kind=KIND, subject=run.pk)
    return generation


def _kept_scale(
    run: Run, before: PoolGeneration, old: Sequence[SpecialistVersion], new: Sequence[SpecialistVersion]
) -> Scale:
    """The scale of the generation before, under which newer versions of the same specialists go on.

    What was fitted on the old versions' probabilities stays in use with the new ones in the same places, and so does a
    certificate's threshold, until the assessment that follows a promotion fits and certifies anew. Under another pool
    neither means anything: the averaged probability and disagreement route until then.
    """
    is_fitted = before.aggregation is not None or run.target_error is not None
    if is_fitted and _places(old) != _places(new):
        return Scale()
    return Scale(before.aggregation, before.cut_score, before.cut_hash)


def _places(versions: Sequence[SpecialistVersion]) -> tuple[list[int], list[int]]:
    """What an aggregation counts by: the specialists in their order, and the classes in the first one's order."""
    return [version.specialist_id for version in versions], list(versions[0].class_ids)


def _costs_no_inference(run: Run) -> bool:
    """Whether accepted rows, which the generation `renewed` voted on, have stored votes of the newest members."""
    pools = [{member.version_id for member in members_of(run, number)} for number in (run.renewed, run.generation)]
    return run.is_renewal_due and pools[0] >= pools[1]


def _check_versions(run: Run, versions: Sequence[SpecialistVersion], members: Collection[int]) -> None:
    if run.state == RunState.CANCELLED:
        raise ActionError(_("This run was cancelled: its specialists cannot be changed any more."))
    if not versions:
        raise ActionError(_("Choose at least one specialist."), field="versions")
    for version in versions:
        may_stay = version.pk in members and version.pruned_at is None
        if not (version.may_vote or may_stay) or version.specialist.project_id != run.project_id:
            raise ActionError(
                _("%(name)s may not vote: it is not confirmed, or its files were removed to free the disk.")
                % {"name": version}
            )


def _take_up(run: Run) -> None:
    """Votes that stopped at a full pool go on; a run that was done has rows to vote on again."""
    is_stopped = run.vote_ahead == VoteAhead.POOL and run.voted < run.row_count
    if run.state == RunState.REVIEWING and is_stopped:
        run.state = RunState.RUNNING
    elif run.state == RunState.DONE and run.is_renewal_due and not is_followed(run):
        run.state, run.finished_at = RunState.REVIEWING, None


def take_pool(*, run_id: int) -> int:
    """A round takes the hard pool: `learned` is what is reviewed now. Returns how many rows the pool held."""
    run = lock_run(run_id)
    taken, run.learned = run.pool_size, run.reviewed
    run.save(update_fields=["learned"])
    return taken


def stop_at_full_pool(*, run_id: int, number: int, until: int) -> None:
    """The generation ends before this position: the row before it filled the hard pool. People decide now."""
    PoolGeneration.objects.filter(run_id=run_id, number=number).update(until=until)
    Run.objects.filter(pk=run_id, state=RunState.RUNNING).update(state=RunState.REVIEWING)


def set_cut(*, generation_id: int, score: float, text_hash: str) -> None:
    """The budget's cut: rows at or below (score, hash) go to review."""
    PoolGeneration.objects.filter(pk=generation_id).update(cut_score=score, cut_hash=text_hash)


def ask_renewal(*, run: Run) -> None:
    """Vote again on the accepted rows now, not when the queue is empty. Raises ActionError when there is no need."""
    asked = Run.objects.filter(pk=run.pk, generation__gt=run.renewed, renewed=run.renewed)
    if not (run.is_active and run.is_renewal_due and asked.update(is_renewal_asked=True)):
        raise ActionError(_("No newer specialists could vote again on this run's accepted rows."))
    mark_dirty(kind=KIND, subject=run.pk)


def begin_renewal(*, run_id: int) -> None:
    """From here on it goes on to its end, also when the queue fills meanwhile."""
    Run.objects.filter(pk=run_id).update(is_renewal_asked=True)


def end_renewal(*, run: Run) -> None:
    """Every accepted row has votes of the newest generation of the run, which the caller has locked."""
    run.renewed, run.is_renewal_asked = run.generation, False
    run.save(update_fields=["renewed", "is_renewal_asked"])
