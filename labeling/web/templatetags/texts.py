"""Texts of pages: a megabyte in one piece would keep a browser busy for half a minute."""

from django import template
from django.utils.html import format_html_join

register = template.Library()
PART = 8_000  # chosen: two screens; what lies outside of the window is not laid out


@register.simple_tag
def whole_text(text: str) -> str:
    """The text, escaped; a very long one in pieces, of which a browser lays out those that are seen."""
    parts = text_parts(text)
    if len(parts) == 1:
        return text
    return format_html_join("", '<span class="text-part">{}</span>', ((part,) for part in parts))


def text_parts(text: str) -> list[str]:
    """The text in pieces of at most 8,000 characters that together are the text.

    They end where a line ends, or at a space where a line is longer than that. A short text is one piece.
    """
    parts = []
    start = 0
    while len(text) - start > PART:
        end = _cut(text, start)
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]


def _cut(text: str, start: int) -> int:
    """Where a piece that begins at `start` ends."""
    for mark in ("\n", " "):
        at = text.rfind(mark, start, start + PART)
        if at >= 0:
            return at + 1
    return start + PART
