"""The only door to data sets and uploads: always through a project the person may see."""

from django.http import Http404
from django.utils.translation import gettext as _

from labeling.datasets.models import Dataset, Upload
from labeling.projects.models import Project


def access_dataset(project: Project, number: int) -> Dataset:
    """The project's data set by its number. Raises Http404."""
    dataset = Dataset.objects.filter(project=project, number=number).first()
    if dataset is None:
        raise Http404(_("There is no such data set in this project."))
    return dataset


def access_upload(project: Project, upload_id: int) -> Upload:
    """The project's upload by its id. Raises Http404."""
    upload = Upload.objects.select_related("dataset", "target").filter(project=project, pk=upload_id).first()
    if upload is None:
        raise Http404(_("There is no such upload in this project."))
    return upload
