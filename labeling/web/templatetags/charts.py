"""Figures: a table that stands by itself and is drawn where scripts run. docs/components.md shows one."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.template.loader import render_to_string

register = template.Library()


@register.simple_block_tag
def chart(content: str, kind: str, title: str, id: str, hint: str = "", **looks: Any) -> str:
    """A figure of kind "line" or "dots"; the body is its table's head and body, `unit` "number", "percent" or "money".

    `zero=True` lets the values' axis begin at zero; `x_unit` is "number", "percent" for shares, or "time" (seconds).
    """
    values = {"content": content, "kind": kind, "title": title, "id": id, "hint": hint}
    defaults = {"unit": "number", "x_unit": "number", "zero": False}
    return render_to_string("components/chart.html", values | defaults | looks)


@register.inclusion_tag("components/chart_files.html")
def chart_files() -> dict[str, Any]:
    """What a page with figures loads, in its block `styles`."""
    return {}


@register.inclusion_tag("components/interval.html")
def interval(value: float | None, low: float, high: float, scale: Sequence[float], kind: str = "") -> dict[str, Any]:
    """A share (0 to 1) as a dot on a line, from `low` to `high`; `scale` are the shares at the line's two ends.

    `kind` is "good", "quiet" or "". The figures themselves stand beside it: it says nothing to a screen reader.
    """
    start, end = scale
    width = end - start or 1.0

    def place(share: float) -> str:
        return f"{100 * min(1.0, max(0.0, (share - start) / width)):.2f}%"

    known = {} if value is None else {"at": place(value), "low": place(low), "high": place(high)}
    return known | {"kind": kind}


@register.inclusion_tag("components/interval_axis.html")
def interval_axis(scale: Sequence[float]) -> dict[str, Any]:
    """What stands over a column of intervals: the shares at both ends and in the middle."""
    start, end = scale
    return {"start": start, "middle": (start + end) / 2, "end": end}


@register.simple_tag
def value(number: float | None) -> str:
    """What a figure reads from a cell: `data-value="{% value share %}"`; empty for None."""
    return "" if number is None else f"{number:.6g}"
