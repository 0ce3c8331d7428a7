"""The guideline as HTML: Markdown without raw HTML, cleaned again by a sanitiser (S14)."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


class CleanHtml(str):
    """HTML that nh3 has cleaned: templates print it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@lru_cache(maxsize=64)
def render_guideline(text: str) -> CleanHtml:
    """The Markdown as HTML with plain tags, links to http, https and mailto only, and no images."""
    html = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(text)
    return CleanHtml(
        nh3.clean(html, tags=TAGS, attributes={"a": {"href", "title"}}, url_schemes={"http", "https", "mailto"})
    )
