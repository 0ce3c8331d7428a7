"""The only door to samples: always through a project that the person may see (S19)."""

from django.http import Http404
from django.utils.translation import gettext as _

from labeling.datasets.models import Sample
from labeling.projects.models import Project


def access_sample(project: Project, sample_id: int) -> Sample:
    """The project's sample with its data set and upload. Raises Http404."""
    sample = Sample.objects.select_related("dataset", "upload").filter(dataset__project=project, pk=sample_id).first()
    if sample is None:
        raise Http404(_("There is no such sample in this project."))
    return sample
