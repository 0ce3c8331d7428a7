"""Sources and routes in words."""

from django import template
from django.utils.translation import gettext as _

from annotator_core.types import LabelSource, Route

register = template.Library()


@register.filter
def source_word(source: str) -> str:
    """Who decided a label, for people."""
    words = {
        LabelSource.CONSENSUS: _("Specialists"),
        LabelSource.VERIFIER: _("Verifier"),
        LabelSource.FUSED: _("Specialists and verifier"),
        LabelSource.IMPORTED: _("Imported"),
        LabelSource.HUMAN: _("A person"),
        LabelSource.ADJUDICATED: _("A reviewer"),
    }
    return words[LabelSource(source)]


@register.filter
def route_word(route: str) -> str:
    """Where a sample went after the vote, for people."""
    words = {Route.ACCEPT: _("Accepted"), Route.VERIFY: _("To the verifier"), Route.REVIEW: _("To people")}
    return words[Route(route)]


@register.filter
def in_seconds(ms: int) -> float:
    """Milliseconds as seconds."""
    return ms / 1000
