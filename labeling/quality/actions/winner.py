"""The race's winner as a manager lets a run use it."""

from django.utils.translation import gettext as _

from labeling.quality.queries import newest_assessment
from labeling.runs.actions import use_aggregation
from labeling.runs.models import PoolGeneration, Run
from labeling.web.errors import ActionError


def use_winner(*, run: Run) -> PoolGeneration:
    """Combine the run's votes by what won the race of its newest assessment, cut by the certificate at its target.

    Raises ActionError without a winner, for one that was fitted to another pool, and where `use_aggregation` does.
    """
    assessment = newest_assessment(run)
    if assessment is None or assessment.aggregation is None:
        raise ActionError(_("There is no winner yet: too few texts of the audit are answered."))
    if assessment.generation != run.generation:
        raise ActionError(_("The pool has changed since it was measured. Measure again first."))
    certificate = assessment.certificates.filter(target_error=run.target_error).first() if run.target_error else None
    threshold = certificate.threshold if certificate else None
    return use_aggregation(run=run, aggregation=assessment.aggregation, cut_score=threshold)
