"""What a worker stores while a challenger trains and when the gate has judged it."""

from collections.abc import Sequence

from django.db.models import F

from labeling.refinement.engine.judging import Judgement
from labeling.refinement.figures import thin_losses
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound, RoundState
from labeling.specialists.actions import add_version
from labeling.specialists.models import VersionOrigin


def begin_training(*, challenger: Challenger, precision: str, step_count: int) -> None:
    """The challenger trains, in this precision from now on: a training that goes on must keep what it began with."""
    challenger.precision, challenger.state = precision, ChallengerState.TRAINING
    challenger.step_count, challenger.error = step_count, ""
    challenger.save(update_fields=["precision", "state", "step_count", "error"])


def record_steps(*, challenger_id: int, losses: Sequence[tuple[int, float]], seconds: float) -> bool:
    """Store the curve so far and the seconds since the last time; False when the round trains no more."""
    training = Challenger.objects.filter(pk=challenger_id, round__state=RoundState.TRAINING)
    return bool(
        training.update(step=losses[-1][0], losses=thin_losses(losses), seconds=F("seconds") + round(seconds, 3))
    )


def record_trained(*, challenger_id: int, losses: Sequence[float], seconds: float) -> None:
    """The challenger is trained; its curve is the whole training's. Inside the transaction that ends the part."""
    Challenger.objects.filter(pk=challenger_id).update(
        state=ChallengerState.TRAINED,
        step=len(losses),
        step_count=len(losses),
        losses=thin_losses(list(enumerate(losses, start=1))),
        seconds=F("seconds") + round(seconds, 3),
    )


def record_judgement(*, challenger: Challenger, found: Judgement) -> None:
    """The chosen candidate's version and the gate's figures. Inside the transaction that ends the part."""
    version = add_version(
        specialist_id=challenger.specialist_id,
        made=found.made,
        origin=VersionOrigin.ROUND,
        parent=challenger.champion,
    )
    Challenger.objects.filter(pk=challenger.pk).update(
        state=ChallengerState.JUDGED,
        version=version,
        epoch=found.epoch,
        share=found.share,
        verdict=found.verdict,
        p_better=found.p_better,
        accuracy_before=found.accuracy.before,
        accuracy_after=found.accuracy.after,
        figures=found.figures.as_json() if found.figures else {},
        first_rows_before=found.first_rows.before,
        first_rows_after=found.first_rows.after,
        source_before=found.source.before,
        source_after=found.source.after,
    )


def fail_challengers(*, round_: RefinementRound, errors: dict[int, str]) -> None:
    """Show at each challenger, by position, why its part is dead."""
    for position, error in errors.items():
        round_.challengers.filter(position=position).update(state=ChallengerState.FAILED, error=error)


def fail_round(*, round_: RefinementRound, error: str) -> None:
    """A part is dead and nothing else is left to do: the round waits for a retry or is given up."""
    RefinementRound.objects.filter(pk=round_.pk).update(state=RoundState.FAILED, error=error)


def begin_judging(*, round_: RefinementRound) -> None:
    """All challengers are trained: the gate's turn."""
    RefinementRound.objects.filter(pk=round_.pk).update(state=RoundState.JUDGING)
