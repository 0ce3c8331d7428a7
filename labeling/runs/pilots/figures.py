"""What a pilot found, as values: stored as JSON by `to_json`, read back by `from_json`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

ALWAYS = -1.0
"""Sureness of a row that goes to a person whatever confidence a run asks for."""


@dataclass(frozen=True, slots=True)
class Counted:
    """So many right ones among so many rows."""

    hits: int
    rows: int

    @property
    def share(self) -> float | None:
        """0 to 1, None of no rows."""
        return self.hits / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class Measured:
    """Tokens of a mean answered call of one connection, its seconds, and how many calls say so."""

    connection_id: int
    calls: int
    tokens_in: float
    tokens_cached: float
    tokens_out: float
    seconds: float


@dataclass(frozen=True, slots=True)
class PilotFigures:
    """What a pilot found on `rows` rows that every one of its models was asked about.

    abstained: rows on which they name no class. right: where their class is the known one, of rows with both. fused:
    the same of their answer fused with the votes. pool: of the pool's class, on the rows that `right` is of. agreed:
    where their class is the pool's. sureness: by row, how sure a run may be of the answer, 0 to 1, and ALWAYS where it
    goes to a person; fused_sureness: of the fused class. Empty and 0 rows where there were no votes.
    """

    rows: int
    abstained: int
    right: Counted
    fused: Counted
    pool: Counted
    agreed: Counted
    sureness: tuple[float, ...]
    fused_sureness: tuple[float, ...]
    measured: tuple[Measured, ...]
    cost_nano: int

    def count_unsure(self, sure_from: float, *, is_fused: bool) -> Counted | None:
        """Rows that would go to people, of all; None where nothing of the kind was measured."""
        values = self.fused_sureness if is_fused else self.sureness
        return Counted(sum(one < sure_from for one in values), len(values)) if values else None

    def measured_of(self, connection_id: int) -> Measured | None:
        """The calls of that connection, None where it answered none."""
        return next((one for one in self.measured if one.connection_id == connection_id and one.calls), None)


def to_json(figures: PilotFigures) -> dict[str, Any]:
    """As it is stored."""
    return asdict(figures)


def from_json(state: Mapping[str, Any]) -> PilotFigures:
    """As `to_json` stored it."""
    counted = {name: Counted(**state[name]) for name in ("right", "fused", "pool", "agreed")}
    sureness: dict[str, Sequence[float]] = {name: tuple(state[name]) for name in ("sureness", "fused_sureness")}
    measured = tuple(Measured(**one) for one in state["measured"])
    plain = {name: state[name] for name in ("rows", "abstained", "cost_nano")}
    return PilotFigures(**plain, **counted, **sureness, measured=measured)  # type: ignore[arg-type] # of three kinds
