"""The two pages about language models, as tabs."""

from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.projects.models import Project
from labeling.web.parts import Tab


def sections(project: Project, current: str) -> list[Tab]:
    """Connections and costs; `current` is the open one's route."""
    pages = {"llm:connections": _("Connections"), "llm:costs": _("Costs")}
    return [
        Tab(label, reverse(name, kwargs={"slug": project.slug}), is_current=name == current)
        for name, label in pages.items()
    ]
