"""What an audit says of a run, for pages of rooms that know no audits."""

from django import template
from django.utils.translation import gettext as _

from labeling.labels.actions.people import needed_people
from labeling.labels.queries import known_seconds
from labeling.projects.models import Project
from labeling.quality.avoided import Avoided, avoided_of
from labeling.quality.figures import from_json
from labeling.quality.models import Certificate
from labeling.quality.planner import texts_left
from labeling.quality.views import GUESS_S
from labeling.quality.wording import is_within, price_sentence
from labeling.runs.models import Run

register = template.Library()


@register.simple_tag
def certificate_price(project: Project, run: Run) -> str:
    """The price of the run's target error by its newest assessment: answers and hours, or that there are not so many.

    The hours are those of the audit's own answers: the quality page counts the queue before them, too.
    """
    newest = (
        Certificate.objects.filter(assessment__run=run).select_related("assessment").order_by("-assessment__number")
    )
    certificate = None if run.target_error is None else newest.filter(target_error=run.target_error).first()
    if certificate is None:
        return _("Draw an audit to find out what a certificate takes.")
    left = texts_left(from_json(certificate.assessment.figures), certificate)
    seconds, people = known_seconds(project) or GUESS_S, needed_people(project.pk).audit
    price = price_sentence(certificate, seconds=seconds, people=people, left=left)
    text = _("A certificate takes %(price)s, and what waits in the queue: an audit's texts wait among all others.")
    return text % {"price": price} if is_within(certificate, left) else price


@register.simple_tag
def avoided_errors(run: Run) -> Avoided | None:
    """Errors that a language model's labels avoided, by the run's audit; None before one has measured it."""
    return avoided_of(run)


@register.filter
def price_of_one(avoided: Avoided, cost_nano: int) -> int | None:
    """What an avoided error cost, in nano-dollars; None where none was avoided."""
    return avoided.price(cost_nano)
