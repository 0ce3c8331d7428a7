"""Bars: what a measure must not exceed, and a table that says plainly which are reached and which are missed."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.client import percentile
from benchmarks.report import table


@dataclass(frozen=True, slots=True)
class Bar:
    """A measure: seconds, or with `unit` "" a count. `most` None: measured for comparison, no bar."""

    name: str
    value: float
    most: float | None = None
    unit: str = "ms"
    note: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether it exceeds its bar."""
        return self.most is not None and self.value > self.most

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """A line of the table."""
        verdict = "-" if self.most is None else "missed" if self.is_missed else "reached"
        return self.name, self._shown(self.value), self._shown(self.most), verdict, self.note

    def _shown(self, value: float | None) -> str:
        if value is None:
            return "-"
        return f"{1_000 * value:,.0f} ms" if self.unit == "ms" else f"{value:,.0f}"


def p95(name: str, seconds: Sequence[float], most: float | None = None) -> Bar:
    """The 95th percentile, with the median, the maximum and the number of measurements beside it. Raises ValueError."""
    if not seconds:
        raise ValueError(f"nothing was measured: {name}")
    middle, end = (1_000 * percentile(list(seconds), share) for share in (0.5, 1.0))
    note = f"p50 {middle:,.0f} ms, max {end:,.0f} ms, n {len(seconds):,}"
    return Bar(f"{name}, p95", percentile(list(seconds), 0.95), most, note=note)


def none_of(name: str, count: float, note: str = "") -> Bar:
    """Something of which there must be none."""
    return Bar(name, count, 0, unit="", note=note)


def bar_table(bars: Sequence[Bar]) -> str:
    """A sentence that names what is missed, and the table."""
    missed = [bar.name for bar in bars if bar.is_missed]
    said = f"**Missed: {'; '.join(missed)}.**" if missed else "Every bar is reached."
    header = ("measure", "value", "at most", "bar", "detail")
    return "\n\n".join([said, table(header, [bar.cells for bar in bars])])
