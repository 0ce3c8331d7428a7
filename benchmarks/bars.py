"""Bars: what a measure must not exceed or must reach, and a table that says plainly which are reached and missed."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.client import percentile
from benchmarks.report import table


@dataclass(frozen=True, slots=True)
class Bar:
    """A measure: seconds, or with `unit` "" a plain number. Without `most` and `least` it has no bar."""

    name: str
    value: float
    most: float | None = None
    unit: str = "ms"
    note: str = ""
    least: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether it exceeds its bar, or stays below it."""
        is_above = self.most is not None and self.value > self.most
        return is_above or (self.least is not None and self.value < self.least)

    @property
    def verdict(self) -> str:
        """Whether it is reached, as a cell of a table."""
        if self.most is None and self.least is None:
            return "-"
        return "missed" if self.is_missed else "reached"

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """A line of the table."""
        return self.name, self._shown(self.value), self._shown(self.most), self.verdict, self.note

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


def tell_missed(bars: Sequence[Bar]) -> str:
    """A sentence that names what is missed."""
    missed = [bar.name for bar in bars if bar.is_missed]
    return f"**Missed: {'; '.join(missed)}.**" if missed else "Every bar is reached."


def bar_table(bars: Sequence[Bar]) -> str:
    """A sentence that names what is missed, and the table."""
    header = ("measure", "value", "at most", "bar", "detail")
    return "\n\n".join([tell_missed(bars), table(header, [bar.cells for bar in bars])])
