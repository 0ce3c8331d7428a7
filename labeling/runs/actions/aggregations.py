"""How a run's votes are combined from here on: the race's winner, applied by hand."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.runs.actions.counts import lock_run
from labeling.runs.actions.generations import Scale, open_generation
from labeling.runs.models import GenerationOrigin, PolicyName, PoolGeneration, Run
from labeling.runs.queries import current_generation, is_followed, pool_of
from labeling.web.errors import ActionError


def use_aggregation(*, run: Run, aggregation: dict[str, Any], cut_score: float | None = None) -> PoolGeneration:
    """A generation of the same versions whose votes are combined by this fitted aggregator's state; its job routes.

    `cut_score` is a certificate's threshold: rows with at least that score are accepted. Raises ActionError for the
    paper's policy, a run that is over, and an aggregation that is in use already.
    """
    with transaction.atomic():
        locked = lock_run(run.pk)
        if locked.policy == PolicyName.PAPER:
            raise ActionError(_("The paper's policy stays as it was published. Start a run with another policy."))
        if not locked.is_active and (is_followed(locked) or not locked.renews_accepted):
            raise ActionError(_("This run is over: nothing in it can be routed again."))
        before = current_generation(locked)
        if before.aggregation == aggregation and (locked.target_error is None or before.cut_score == cut_score):
            raise ActionError(_("This run's votes are combined in just that way already."))
        versions = [member.version for member in pool_of(locked)]
        scale = Scale(aggregation, cut_score)
        return open_generation(run_id=run.pk, versions=versions, origin=GenerationOrigin.AUDIT, scale=scale)
