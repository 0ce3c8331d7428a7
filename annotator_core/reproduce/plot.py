"""A dot plot as SVG, without any library; it is readable on a light and on a dark page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isnan
from typing import Final

from annotator_core.reproduce.intervals import Mean

_ROW: Final = 26
_LEFT: Final = 270
_WIDTH: Final = 820
_TOP: Final = 58
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.grid{stroke:#d1d9e0}.mark{stroke:#59636e;stroke-dasharray:4 3}"
    ".s0{fill:#59636e;stroke:#59636e}.s1{fill:#0969da;stroke:#0969da}.s2{fill:#bc4c00;stroke:#bc4c00}"
    ".s3{fill:#1a7f37;stroke:#1a7f37}.s4{fill:#8250df;stroke:#8250df}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#3d444d}.mark{stroke:#9198a1}"
    ".s0{fill:#9198a1;stroke:#9198a1}.s1{fill:#4493f8;stroke:#4493f8}.s2{fill:#f0883e;stroke:#f0883e}"
    ".s3{fill:#3fb950;stroke:#3fb950}.s4{fill:#ab7df8;stroke:#ab7df8}}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the plot: its name and one value for each series, NaN for none."""

    name: str
    values: tuple[Mean, ...]


def draw_dots(
    title: str, series: Sequence[str], rows: Sequence[Row], *, low: float, high: float, marks: Sequence[float] = ()
) -> str:
    """Return the SVG: one line a row, one dot a series with its interval, as percentages from low to high (shares).

    marks: where a dashed line stands. Values outside are drawn at the edge. At most five series.
    """
    height = _TOP + _ROW * len(rows) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<text x="8" y="20" font-weight="600">{escape(title)}</text>',
        *_draw_legend(series),
        *_draw_scale(low, high, marks, height),
    ]
    for place, row in enumerate(rows):
        y = _TOP + _ROW * place + _ROW / 2
        parts.append(f'<text x="8" y="{y + 4:.0f}">{escape(row.name)}</text>')
        parts += [_draw_dot(mean, index, y, low, high) for index, mean in enumerate(row.values)]
    return "\n".join([*(part for part in parts if part), "</svg>"]) + "\n"


def _place(value: float, low: float, high: float) -> float:
    inside = min(max(value, low), high)
    return _LEFT + (inside - low) / (high - low) * (_WIDTH - _LEFT - 24)


def _draw_legend(series: Sequence[str]) -> list[str]:
    parts, x = [], float(_LEFT)
    for index, name in enumerate(series):
        parts.append(f'<circle class="s{index}" cx="{x:.0f}" cy="38" r="5"/><text x="{x + 9:.0f}" y="42">{name}</text>')
        x += 30 + 7.2 * len(name)
    return parts


def _draw_scale(low: float, high: float, marks: Sequence[float], height: int) -> list[str]:
    parts = []
    bottom = height - 28
    for step in range(6):
        value = low + (high - low) * step / 5
        x = _place(value, low, high)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{100 * value:.0f}%</text>')
    for value in marks:
        x = _place(value, low, high)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
    return parts


def _draw_dot(mean: Mean, index: int, y: float, low: float, high: float) -> str:
    if isnan(mean.value):
        return ""
    x = _place(mean.value, low, high)
    dot = f'<circle class="s{index}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    if isnan(mean.low):
        return dot
    ends = f'x1="{_place(mean.low, low, high):.1f}" x2="{_place(mean.high, low, high):.1f}"'
    return f'<line class="s{index}" {ends} y1="{y:.1f}" y2="{y:.1f}"/>{dot}'
