"""The pages about a project's people, as tabs."""

from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.projects.models import Project
from labeling.web.parts import Tab


def people_sections(project: Project, current: str) -> list[Tab]:
    """Members, and what they have done; `current` is the open one's route."""
    pages = {"projects:members": _("Members"), "quality:people": _("Work and agreement")}
    return [
        Tab(label, reverse(name, kwargs={"slug": project.slug}), is_current=name == current)
        for name, label in pages.items()
    ]
