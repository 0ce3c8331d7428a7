"""Prices and calls in words."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext as _

from labeling.llm import wording
from labeling.llm.models import LlmCall
from labeling.web.wording import NANO, NOTHING, word_money, word_number

register = template.Library()


@register.simple_tag
def usd(dollars: Decimal | None) -> str:
    """$0.15 for the decimal 0.1500; a dash for None."""
    return word_money(None if dollars is None else int(dollars * NANO))


@register.inclusion_tag("llm/call_state.html")
def call_state(call: LlmCall) -> dict[str, str]:
    """What became of a call, as a coloured state with its reason."""
    return {"label": call.get_state_display(), "kind": wording.STATE_KINDS[call.state], "why": wording.why(call)}


@register.filter
def ms_words(milliseconds: float | None) -> str:
    """ "0.42 s" for 420; a dash for None."""
    return NOTHING if milliseconds is None else _("%(n)s s") % {"n": word_number(milliseconds / 1000, 2)}


@register.filter
def number_words(number: int) -> str:
    """12,268 for 12268, where a tag takes words."""
    return word_number(number)
