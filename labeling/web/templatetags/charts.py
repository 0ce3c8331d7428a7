"""Figures: a table that stands by itself and is drawn where scripts run. docs/components.md shows one."""

from typing import Any

from django import template
from django.template.loader import render_to_string

register = template.Library()


@register.simple_block_tag
def chart(content: str, kind: str, title: str, id: str, hint: str = "", **looks: Any) -> str:
    """A figure of kind "line" or "dots"; the body is its table's head and body, `unit` "number" or "percent".

    `zero=True` lets the values' axis begin at zero.
    """
    unit, zero = looks.get("unit", "number"), looks.get("zero", False)
    values = {"content": content, "kind": kind, "title": title, "id": id, "hint": hint, "unit": unit, "zero": zero}
    return render_to_string("components/chart.html", values)


@register.inclusion_tag("components/chart_files.html")
def chart_files() -> dict[str, Any]:
    """What a page with figures loads, in its block `styles`."""
    return {}


@register.simple_tag
def value(number: float | None) -> str:
    """What a figure reads from a cell: `data-value="{% value share %}"`; empty for None."""
    return "" if number is None else f"{number:.6g}"
