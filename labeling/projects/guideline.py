"""A guideline's Markdown as HTML that is safe to show: no HTML of its own, no scripts, no images from elsewhere."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "hr"}
_TAGS |= {"br", "a", "table", "thead", "tbody", "tr", "th", "td", "s"}
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


class CleanHtml(str):
    """HTML that nh3 has cleaned: templates print it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@lru_cache(maxsize=256)
def render_guideline(text: str) -> CleanHtml:
    """The guideline as HTML; links go to http, https and mailto addresses only."""
    clean = nh3.clean(
        _PARSER.render(text),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return CleanHtml(clean)
