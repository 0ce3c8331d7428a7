"""Runs, rounds and challengers as lines of the refinement pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labeling.projects.models import Project
from labeling.refinement import page_queries
from labeling.refinement.figures import GateFigures, read_figures
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound, RoundState
from labeling.refinement.plots import ClassRow
from labeling.refinement.story import (
    CHALLENGER_KINDS,
    KINDS,
    due_sentence,
    part_name,
    plan_sentence,
    state_sentence,
    state_word,
    tally_of,
    verdict_sentence,
    verdicts_sentence,
)
from labeling.runs.models import Run, VoteAhead


@dataclass(frozen=True, slots=True)
class ChallengerLine:
    """A challenger with what its page part says; `loss` in nats of its last steps, `remaining_s` of its training."""

    challenger: Challenger
    state: str
    kind: str
    sentence: str
    loss: float | None
    remaining_s: float | None
    figures: GateFigures | None
    classes: tuple[ClassRow, ...]

    @property
    def is_training(self) -> bool:
        """Whether it is at work right now."""
        return self.challenger.state == ChallengerState.TRAINING

    @property
    def may_promote(self) -> bool:
        """Whether a manager may let its version take over."""
        challenger, version = self.challenger, self.challenger.version
        is_open = challenger.state in {ChallengerState.JUDGED, ChallengerState.KEPT}
        is_there = version is not None and version.pruned_at is None
        return is_open and is_there and challenger.round.run_id is not None and not challenger.round.is_at_work

    @property
    def may_keep(self) -> bool:
        """Whether it waits for a manager."""
        return self.challenger.state == ChallengerState.JUDGED and self.challenger.round.state == RoundState.WAITING

    @property
    def difference(self) -> float | None:
        """What the challenger gained, in shares."""
        before, after = self.challenger.accuracy_before, self.challenger.accuracy_after
        return None if before is None or after is None else after - before


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A round with what became of it; `taken_off` rows left the queue because of it, None where none could."""

    round: RefinementRound
    kind: str
    sentence: str
    verdicts: str
    taken_off: int | None
    saved_s: float | None
    lines: tuple[ChallengerLine, ...]

    @property
    def rows(self) -> int:
        """Rows that it trains on."""
        return self.round.pool_rows + self.round.random_rows + self.round.replay_rows

    @property
    def error(self) -> str:
        """Why it failed, where no challenger says so itself."""
        return "" if any(one.challenger.error for one in self.lines) else self.round.error

    @property
    def may_roll_back(self) -> bool:
        """Whether it has promoted something."""
        is_over = not self.round.is_at_work and self.round.run_id is not None
        return is_over and any(one.challenger.state == ChallengerState.PROMOTED for one in self.lines)


@dataclass(frozen=True, slots=True)
class PoolLine:
    """An active run's hard pool on its way to a round."""

    run: Run
    at_work: RoundLine | None
    due: str
    plan: str


def round_line(
    round_: RefinementRound, challengers: Sequence[Challenger], *, taken_off: int | None, seconds: float
) -> RoundLine:
    """The round as a line. `taken_off` is None where it opened no pool; `seconds` are those of a person's decision."""
    for one in challengers:
        one.round = round_  # the same row, not one more query each
    is_queue_kept = round_.run is None or round_.run.vote_ahead == VoteAhead.POOL
    rows = None if is_queue_kept else taken_off
    return RoundLine(
        round_,
        KINDS[RoundState(round_.state)],
        state_sentence(round_, challengers, is_followed=taken_off is not None),
        verdicts_sentence(tally_of(challengers)),
        rows,
        rows * seconds if rows else None,
        tuple(challenger_line(one) for one in challengers),
    )


def challenger_line(challenger: Challenger) -> ChallengerLine:
    """The challenger as a line; its figures and losses are read where they were loaded."""
    loaded = challenger.get_deferred_fields()
    figures = None if "figures" in loaded else read_figures(challenger.figures)
    losses = [] if "losses" in loaded else challenger.losses
    return ChallengerLine(
        challenger,
        state_word(challenger),
        CHALLENGER_KINDS.get(ChallengerState(challenger.state), "quiet"),
        "" if "figures" in loaded else verdict_sentence(challenger),
        losses[-1][1] if losses else None,
        _remaining(challenger),
        figures,
        _class_rows(figures),
    )


def _remaining(challenger: Challenger) -> float | None:
    if not challenger.step or challenger.state != ChallengerState.TRAINING:
        return None
    return challenger.seconds / challenger.step * max(0, challenger.step_count - challenger.step)


def _class_rows(figures: GateFigures | None) -> tuple[ClassRow, ...]:
    """The classes and then the slices that had deciding rows."""
    if figures is None:
        return ()
    parts = [part for part in (*figures.classes, *figures.slices) if part.rows]
    return tuple(ClassRow(part_name(part.name), part, part.name in figures.fallen) for part in parts)


def pool_lines(project: Project, at_work: Mapping[int | None, RoundLine]) -> list[PoolLine]:
    """The hard pools of the project's active runs; `at_work` are rounds by the id of their run."""
    runs = page_queries.active_runs(project)
    members = page_queries.pool_counts(runs)
    pace = page_queries.seconds_per_row(project) if runs else None
    return [
        PoolLine(run, at_work.get(run.pk), due_sentence(run), plan_sentence(run, members.get(run.pk, 0), pace))
        for run in runs
    ]
