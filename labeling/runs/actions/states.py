"""Where a run stands: voting, in review, done."""

from django.utils import timezone

from labeling.runs.actions.counts import lock_run
from labeling.runs.models import Run, RunState
from labeling.runs.queries import is_followed


def end_voting(*, run_id: int) -> None:
    """Every row has a route: people decide the rest, or the run is done when nothing is left for them."""
    run = lock_run(run_id)
    if run.state in {RunState.RUNNING, RunState.PAUSED}:
        run.state = RunState.REVIEWING
        _close_when_decided(run, is_idle=False)


def set_voting(*, run_id: int, is_voting: bool) -> None:
    """RUNNING while rows are voted on, REVIEWING while a full pool waits for people or its round; others stay."""
    wanted, other = (RunState.RUNNING, RunState.REVIEWING)[:: 1 if is_voting else -1]
    Run.objects.filter(pk=run_id, state=other).update(state=wanted)


def close_when_decided(*, run_id: int, is_idle: bool = False) -> None:
    """REVIEWING becomes DONE when nothing is left to do, and back when a decision was undone.

    Only the caller can know that no refinement round is at work: `is_idle` says so; without it a run that has ever
    had a round stays open. A run stays DONE when another one works on its data set: a data set has one active run.
    """
    run = lock_run(run_id)
    if run.state in {RunState.REVIEWING, RunState.DONE} and not is_followed(run):
        _close_when_decided(run, is_idle=is_idle)


def _close_when_decided(run: Run, *, is_idle: bool) -> None:
    is_learning = not is_idle and (run.is_pool_full or run.learned > 0)
    is_open = run.unreviewed or run.accepted + run.hard < run.row_count or run.is_renewal_due
    run.state = RunState.REVIEWING if is_open or is_learning else RunState.DONE
    run.finished_at = timezone.now() if run.state == RunState.DONE else None
    run.save(update_fields=["state", "finished_at"])
