"""The tabs of a project: which a person sees, and which one is open."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from labeling.web.parts import Tab


@dataclass(frozen=True, slots=True)
class NavItem:
    """One page of a project and who sees its tab."""

    view_name: str
    label: str
    seen_by: str = "managers"


def project_pages() -> list[NavItem]:
    """All pages of a project, in the order of the tabs."""
    return [
        NavItem("overview:project", _("Overview"), seen_by="members"),
        NavItem("datasets:list", _("Data")),
        NavItem("specialists:list", _("Models")),
        NavItem("runs:list", _("Runs")),
        NavItem("review:screen", _("Review"), seen_by="members"),
        NavItem("refinement:list", _("Refinement")),
        NavItem("overview:samples", _("Samples"), seen_by="reviewers"),
        NavItem("exports:list", _("Export")),
        NavItem("projects:members", _("Members")),
        NavItem("projects:settings", _("Settings")),
    ]


def project_tabs(slug: str, path: str, *, can_manage: bool, can_review: bool = False) -> list[Tab]:
    """Tabs of the project's pages that exist and that the person may open; the longest matching address is current."""
    pages = project_pages()
    seen = (
        {"members"} | ({"reviewers"} if can_review or can_manage else set()) | ({"managers"} if can_manage else set())
    )
    links = [(item, _address(item, slug)) for item in pages if item.seen_by in seen]
    home = _address(pages[0], slug)
    inside = [url for _item, url in links if url and (path == url or (url != home and path.startswith(url)))]
    current = max(inside, key=len, default="")
    return [Tab(item.label, url, is_current=url == current) for item, url in links if url]


def _address(item: NavItem, slug: str) -> str:
    """The page's address, or "" while its room is not built."""
    try:
        return reverse(item.view_name, kwargs={"slug": slug})
    except NoReverseMatch:
        return ""
