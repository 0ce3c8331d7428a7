"""Shares of the quality page in words."""

from django import template

from labeling.quality import wording
from labeling.quality.figures import Share

register = template.Library()


@register.filter
def interval_words(share: Share) -> str:
    """ "84.3% to 92.6%"; empty where nothing was measured."""
    return wording.interval_words(share)
