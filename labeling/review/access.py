"""The only door to review items: always through a project that the person may see."""

from django.http import Http404
from django.utils.translation import gettext as _

from labeling.labels.models import ReviewItem
from labeling.projects.models import Project


def access_item(project: Project, item_id: int) -> ReviewItem:
    """The project's review item. Raises Http404."""
    item = ReviewItem.objects.filter(project=project, pk=item_id).first()
    if item is None:
        raise Http404(_("There is no such text in this project's queue."))
    return item
