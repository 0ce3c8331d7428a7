"""The only door to a connection: through its project."""

from django.http import Http404
from django.utils.translation import gettext as _

from labeling.llm.models import Connection
from labeling.llm.queries import connection_in
from labeling.projects.models import Project


def access_connection(project: Project, connection_id: int) -> Connection:
    """The project's connection of that id. Raises Http404."""
    found = connection_in(project, connection_id)
    if found is None:
        raise Http404(_("There is no such connection in this project."))
    return found
