"""What the figures of the refinement pages draw: shares are 0 to 1, None where nothing was measured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from labeling.refinement.figures import Part, read_losses
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound, RoundState
from labeling.runs.models import PoolGeneration, Run, VoteAhead

DRAWN_POINTS = 80  # chosen: a curve that a person reads, and a table that one can scroll
Tone = Literal["", "good", "bad"]


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """The mean accuracy of a round's specialists on its gate rows, before and after the gate had decided."""

    number: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class HardShare:
    """The share of rows that people see under the pool that a round left; 0 is the pool that the run began with."""

    number: int
    share: float


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a specialist still knows after a round: accuracy on its first verified rows and on its source test."""

    number: int
    first_rows: float | None
    source: float | None


@dataclass(frozen=True, slots=True)
class LossRow:
    """The loss of each challenger at a step: the mean in nats since the row before, None where it has none."""

    step: int
    losses: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class or slice on the deciding rows before and after."""

    name: str
    part: Part
    is_fallen: bool

    @property
    def change(self) -> float | None:
        """The difference of the shares."""
        before, after = self.part.before, self.part.after
        return None if before is None or after is None else after - before

    @property
    def tone(self) -> Tone:
        """Red where the gate calls it fallen, green where more rows are right, grey where nothing changed."""
        if self.is_fallen:
            return "bad"
        return "good" if self.part.right_after > self.part.right_before else ""


def stands_after(challenger: Challenger) -> float | None:
    """Accuracy of what the round left: the challenger's where it was promoted, else its champion's."""
    is_new = challenger.state == ChallengerState.PROMOTED
    return challenger.accuracy_after if is_new else challenger.accuracy_before


def accuracies(rounds: Iterable[RefinementRound], challengers: Mapping[int, Sequence[Challenger]]) -> list[BeforeAfter]:
    """One point a round that is decided, oldest first."""
    found: list[BeforeAfter] = []
    for round_ in sorted((one for one in rounds if one.state == RoundState.DONE), key=lambda one: one.number):
        pairs = [(one.accuracy_before, stands_after(one)) for one in challengers.get(round_.pk, ())]
        known = [(before, after) for before, after in pairs if before is not None and after is not None]
        if known:
            before = sum(one for one, _after in known) / len(known)
            found.append(BeforeAfter(round_.number, before, sum(one for _before, one in known) / len(known)))
    return found


def hard_shares(run: Run, generations: Sequence[PoolGeneration]) -> list[HardShare]:
    """The hard share by round, from counters. Where votes stop at a full pool: of the rows that each pool voted on."""
    if run.vote_ahead == VoteAhead.POOL:
        return _shares_of_stretches(run, generations)
    hard = run.hard + sum(one.taken_off for one in generations)
    found: list[HardShare] = []
    for generation in generations:
        hard -= generation.taken_off
        if run.row_count and (not found or generation.round_number):
            found.append(HardShare(generation.round_number or 0, hard / run.row_count))
    return found


def _shares_of_stretches(run: Run, generations: Sequence[PoolGeneration]) -> list[HardShare]:
    """Beta hard rows over the rows that it took to find them."""
    found: list[HardShare] = []
    begin = 0
    for generation in generations:
        if generation.until is None or run.beta is None:
            continue
        rows, begin = generation.until - begin, generation.until
        if rows > 0:
            found.append(HardShare(generation.round_number or 0, min(1.0, run.beta / rows)))
    return found


def remembered(challengers: Sequence[Challenger]) -> list[Remembered]:
    """A specialist's forgetting over its rounds, oldest first; begins with what it knew before the first one."""
    measured = [one for one in challengers if one.first_rows_before is not None or one.source_before is not None]
    if not measured:
        return []
    first = measured[0]
    found = [Remembered(first.round.number - 1, first.first_rows_before, first.source_before)]
    for one in measured:
        is_new = one.state == ChallengerState.PROMOTED
        first_rows = one.first_rows_after if is_new else one.first_rows_before
        found.append(Remembered(one.round.number, first_rows, one.source_after if is_new else one.source_before))
    return found


def loss_rows(challengers: Sequence[Challenger]) -> list[LossRow]:
    """The loss curves side by side, thinned to what a plot shows."""
    curves = [read_losses(one.losses) for one in challengers]
    last = max((curve[-1].step for curve in curves if curve), default=0)
    width = max(1, -(-last // DRAWN_POINTS))
    buckets: dict[int, list[list[float]]] = {}
    for place, curve in enumerate(curves):
        for point in curve:
            step = min(last, -(-point.step // width) * width)
            buckets.setdefault(step, [[] for _curve in curves])[place].append(point.loss)
    return [LossRow(step, tuple(_mean(values) for values in buckets[step])) for step in sorted(buckets)]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
