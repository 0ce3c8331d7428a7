"""The only door to exports: always through a project the person may see."""

from django.http import Http404
from django.utils.translation import gettext as _

from labeling.exports.models import Export
from labeling.projects.models import Project


def access_export(project: Project, number: int) -> Export:
    """The project's export by its number. Raises Http404."""
    export = Export.objects.select_related("dataset").filter(project=project, number=number).first()
    if export is None:
        raise Http404(_("There is no such export in this project."))
    return export
