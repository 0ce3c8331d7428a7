"""What the figures of the quality page draw: shares are 0 to 1, None where nothing was measured."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labeling.quality.figures import CalibrationBin, Confusion, Share

STEPS = 10
LEAST_SCALE = 0.2  # chosen: never so close that noise looks like a cliff
Z95 = 1.959964
Scale = tuple[float, float]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Audited rows of a class that a specialist called another: `share` of the row's texts, `step` 0 to 9 of shade."""

    count: int
    share: float
    step: int
    is_right: bool


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A class of the audit: what a specialist called its texts; `right` is the share that it called right."""

    name: str
    cells: tuple[HeatCell, ...]
    rows: int
    right: float | None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A specialist's confusion as a table: `heads` name its columns, the last one abstentions where there are any."""

    confusion: Confusion
    heads: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    has_abstained: bool


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """What a confidence is worth: of `rows` texts the `accuracy` share is right, with its 95% interval."""

    confidence: float
    accuracy: float
    low: float
    high: float
    rows: int


def scale_of(shares: Iterable[Share]) -> Scale:
    """The two ends, in tenths, of a scale on which all intervals have room; (0, 1) where nothing was measured."""
    known = [share for share in shares if share.value is not None]
    if not known:
        return 0.0, 1.0
    low = math.floor(10 * min(share.low for share in known)) / 10
    high = math.ceil(10 * max(share.high for share in known)) / 10
    return max(0.0, min(low, high - LEAST_SCALE)), min(1.0, high)


def heat_maps(confusions: Sequence[Confusion], class_ids: Sequence[int], names: Mapping[int, str]) -> list[HeatMap]:
    """One a specialist, in pool order. A class that is gone is called by its number."""
    heads = tuple(names.get(class_id, f"#{class_id}") for class_id in class_ids)
    return [_heat_map(confusion, heads) for confusion in confusions]


def _heat_map(confusion: Confusion, heads: tuple[str, ...]) -> HeatMap:
    has_abstained = any(row[-1] for row in confusion.counts)
    width = len(heads) + has_abstained
    named = enumerate(zip(heads, confusion.counts, strict=True))
    rows = tuple(_heat_row(name, place, counts, width) for place, (name, counts) in named)
    return HeatMap(confusion, heads, rows, has_abstained)


def _heat_row(name: str, place: int, counts: Sequence[int], width: int) -> HeatRow:
    total = sum(counts)
    cells = tuple(
        HeatCell(count, count / total if total else 0.0, step_of(count, total), column == place)
        for column, count in enumerate(counts[:width])
    )
    return HeatRow(name, cells, total, counts[place] / total if total else None)


def step_of(count: int, total: int) -> int:
    """The shade of a cell: 0 for nothing, then the row's share in nine equal steps."""
    return min(STEPS - 1, math.ceil((STEPS - 1) * count / total)) if total else 0


def calibration_points(bins: Iterable[CalibrationBin]) -> list[CalibrationPoint]:
    """The bins that hold rows, by rising confidence."""
    return [
        CalibrationPoint(one.confidence, one.accuracy, *_wilson(one.accuracy, one.rows), one.rows)
        for one in sorted(bins, key=lambda one: one.confidence)
        if one.rows
    ]


def _wilson(share: float, rows: int) -> tuple[float, float]:
    """The 95% interval of a share of so many rows. Source: Wilson 1927."""
    z2 = Z95 * Z95
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = Z95 / (1 + z2 / rows) * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows))
    return max(0.0, centre - half), min(1.0, centre + half)
