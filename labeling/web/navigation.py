"""The tabs of a project: which a person sees, and which one is open."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from labeling.web.parts import Tab


@dataclass(frozen=True, slots=True)
class NavItem:
    """One page of a project and who sees its tab. `also` are other pages that belong to it."""

    view_name: str
    label: str
    seen_by: str = "managers"
    also: tuple[str, ...] = ()


def project_pages() -> list[NavItem]:
    """All pages of a project, in the order of the tabs."""
    return [
        NavItem("overview:project", _("Overview"), seen_by="members"),
        NavItem("datasets:list", _("Data")),
        NavItem("specialists:list", _("Models")),
        NavItem("llm:connections", _("Language models"), also=("llm:costs",)),
        NavItem("runs:list", _("Runs")),
        NavItem("review:screen", _("Review"), seen_by="members", also=("quality:own-work",)),
        NavItem("desk:screen", _("Desk"), seen_by="reviewers", also=("desk:queue",)),
        NavItem("quality:page", _("Quality")),
        NavItem("refinement:list", _("Refinement")),
        NavItem("overview:samples", _("Samples"), seen_by="reviewers"),
        NavItem("exports:list", _("Export")),
        NavItem("projects:members", _("Members"), also=("quality:people",)),
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
    shown = [(url, inner) for item, url in links if url for inner in (url, *_others(item, slug))]
    inside = [(inner, url) for url, inner in shown if path == inner or (inner != home and path.startswith(inner))]
    current = max(inside, key=lambda found: len(found[0]), default=("", ""))[1]
    return [Tab(item.label, url, is_current=url == current) for item, url in links if url]


def _others(item: NavItem, slug: str) -> list[str]:
    """Addresses of the pages that have no tab of their own."""
    return [url for url in (_address(NavItem(name, ""), slug) for name in item.also) if url]


def _address(item: NavItem, slug: str) -> str:
    """The page's address, or "" while its room is not built."""
    try:
        return reverse(item.view_name, kwargs={"slug": slug})
    except NoReverseMatch:
        return ""
