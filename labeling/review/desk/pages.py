"""The desk's page in parts: tabs of what lies on it, and the keys that work there."""

from collections.abc import Collection, Mapping
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.labels.models import Escalation
from labeling.projects.models import Project
from labeling.review.desk.queries import Progress
from labeling.review.keymap import Keymap
from labeling.web.parts import Tab

FINDING_KEYS = ".,;-=+"  # chosen: signs that no class has


def kind_tabs(project: Project, progress: Progress, kind: str) -> list[Tab]:
    """All that lies on the desk, and each kind of it; none while there is but one."""
    kinds = [one for one in Escalation if progress.waiting.get(one) or one == kind]
    if len(kinds) < 2 and not kind:  # one kind is all there is
        return []
    address = reverse("desk:screen", kwargs={"slug": project.slug})
    tabs = [Tab(_("All"), address, is_current=not kind, count=progress.total)]
    return tabs + [
        Tab(str(one.label), f"{address}?{urlencode({'kind': one})}", one == kind, progress.waiting.get(one, 0))
        for one in kinds
    ]


def list_tabs(project: Project, counts: Mapping[str, int], name: str) -> list[Tab]:
    """The lists of the queue's page."""
    address = reverse("desk:queue", kwargs={"slug": project.slug})
    labels = {
        "desk": _("On the desk"),
        "flagged": _("Flagged"),
        "skipped": _("Skipped"),
        "assigned": _("For one person"),
    }
    return [
        Tab(label, f"{address}?{urlencode({'show': each})}", is_current=each == name, count=counts[each])
        for each, label in labels.items()
    ]


def finding_key(keymap: Keymap, class_keys: Collection[str]) -> str:
    """The key that goes to the reasons of a disagreement: one that nothing else has."""
    taken = {*class_keys, *(key for keys in keymap.values() for key in keys)}
    return next((key for key in FINDING_KEYS if key not in taken), "")
