"""The only doors to rounds and challengers: always through a project the person may see."""

from django.http import Http404
from django.utils.translation import gettext as _

from labeling.projects.models import Project
from labeling.refinement.models import Challenger, RefinementRound
from labeling.refinement.queries import challenger_in, round_numbered


def access_round(project: Project, number: int) -> RefinementRound:
    """The project's round by its number. Raises Http404."""
    round_ = round_numbered(project, number)
    if round_ is None:
        raise Http404(_("There is no such round in this project."))
    return round_


def access_challenger(project: Project, challenger_id: int) -> Challenger:
    """The project's challenger by its id. Raises Http404."""
    challenger = challenger_in(project, challenger_id)
    if challenger is None:
        raise Http404(_("There is no such specialist in a round of this project."))
    return challenger
