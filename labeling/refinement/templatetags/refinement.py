"""Parts of other pages that tell of rounds."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from labeling.refinement.versions import version_lines
from labeling.specialists.models import Specialist
from labeling.web.wording import NOTHING, word_number

register = template.Library()
MINUS = "−"


@register.inclusion_tag("refinement/versions.html", takes_context=True)
def specialist_versions(context: template.Context, specialist: Specialist) -> dict[str, Any]:
    """All versions of a specialist with what became of them."""
    return {"project": context["project"], "specialist": specialist, "lines": version_lines(specialist)}


@register.simple_tag
def points(difference: float | None, digits: int = 1) -> str:
    """ "+2.1 points" for the difference 0.021 of two shares; a dash for None."""
    return NOTHING if difference is None else _("%(n)s points") % {"n": _signed(difference, digits)}


@register.simple_tag
def signed(difference: float | None, digits: int = 1) -> str:
    """The same without its unit."""
    return NOTHING if difference is None else _signed(difference, digits)


def _signed(difference: float, digits: int) -> str:
    value = round(100 * difference, digits)
    sign = MINUS if value < 0 else "+" if value > 0 else ""
    return f"{sign}{word_number(abs(value), digits)}"
