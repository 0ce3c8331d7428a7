"""A run follows its audit: when the race's winner or the certificate changes, its rows are scored and routed again.

No model is asked for that: the versions stay, and their votes are stored.
"""

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.engine import Combined, combine
from labeling.pipeline.ballots import stored_ballots
from labeling.quality.models import Assessment, AuditRow
from labeling.runs.actions import Scale, lock_run, open_generation
from labeling.runs.models import Aggregator, GenerationOrigin, PoolGeneration, Run, RunState
from labeling.runs.queries import current_generation, is_followed, pool_of

MATERIAL = 0.01
"""The share of audited rows whose label or route a refit must change before every row is routed again; chosen: less
than an audit of 300 rows can tell from nothing."""
REVIEWED = -2


def follow_assessment(*, run: Run, assessment: Assessment) -> bool:
    """Route the run by what its newest assessment says; True when a generation was opened for that.

    Only where the race's winner is the run's policy. A generation is opened when the winner is another one, when a
    certificate at the run's target error is gained or lost, and when a refit of the same winner, or another threshold,
    would change the label or the route of more than `MATERIAL` of the audited rows. Called in the transaction that
    stores the assessment, with its job locked; the run's lock follows, and nothing else is locked before it.
    """
    locked = lock_run(run.pk)
    if not _may_follow(locked, assessment):
        return False
    generation = current_generation(locked)
    before = Scale(generation.aggregation, generation.cut_score, generation.cut_hash)
    wanted = _wanted_scale(locked, generation, before, assessment)
    if not _is_material(locked, before, wanted):
        return False
    versions = [member.version for member in pool_of(locked)]
    open_generation(run_id=run.pk, versions=versions, origin=GenerationOrigin.AUDIT, scale=wanted)
    return True


def _may_follow(run: Run, assessment: Assessment) -> bool:
    """Whether the run takes the winner, the assessment is of its pool of now, and anything could be routed again."""
    if run.aggregator != Aggregator.RACE or assessment.generation != run.generation:
        return False
    if run.state == RunState.DONE:
        return run.renews_accepted and not is_followed(run)
    return run.is_active


def _wanted_scale(run: Run, generation: PoolGeneration, before: Scale, assessment: Assessment) -> Scale:
    """The winner with the certificate's threshold. Too few rows for a race leave the aggregation as it is.

    A budget's cut belongs to its scale: for another one it is found when every row has its new score. Where nothing
    could be certified, as while an answer is taken back, a certificate that was given to just this generation stays.
    """
    aggregation = before.aggregation if assessment.aggregation is None else assessment.aggregation
    if run.target_error is None:
        return before if aggregation == before.aggregation else Scale(aggregation)
    certificate = assessment.certificates.filter(target_error=run.target_error).first()
    if certificate is None and generation.origin == GenerationOrigin.AUDIT and before.cut_score is not None:
        return before
    return Scale(aggregation, certificate.threshold if certificate else None)


def _is_material(run: Run, before: Scale, wanted: Scale) -> bool:
    if before == wanted:
        return False
    is_certified = [scale.cut_score is not None for scale in (before, wanted)]
    if _name(before) != _name(wanted) or (run.target_error is not None and is_certified[0] != is_certified[1]):
        return True
    ballots = stored_ballots(run, run.generation, _audited(run))
    changed = _fates(run, before, ballots) != _fates(run, wanted, ballots)
    return bool(changed.sum() > MATERIAL * len(changed))


def _name(scale: Scale) -> str:
    return "" if scale.aggregation is None else str(scale.aggregation["name"])


def _audited(run: Run) -> list[SampleText]:
    rows = AuditRow.objects.filter(dataset=run.dataset_id).order_by("text_hash")
    return [SampleText(*row) for row in rows.values_list("sample_id", "sample__text", "text_hash")]


def _fates(run: Run, scale: Scale, ballots: Ballots) -> IntArray:
    """What would become of each audited row: its label's class index, or REVIEWED where a person would see it."""
    found = combine(
        ballots.votes,
        ballots.probs,
        min_agree=run.min_agree,
        is_average=run.aggregator != Aggregator.MAJORITY,
        aggregation=scale.aggregation,
    )
    fates: IntArray = np.where(_is_hard(run, scale, found), REVIEWED, found.classes)
    return fates


def _is_hard(run: Run, scale: Scale, found: Combined) -> BoolArray:
    """Audited rows are drawn at random: the budget's share of them stands for that of all rows."""
    if run.review_budget is not None:
        least_certain = np.argsort(found.score, kind="stable")[: run.budget_rows * len(found.score) // run.row_count]
        is_hard = np.zeros(len(found.score), dtype=np.bool_)
        is_hard[least_certain] = True
        return is_hard
    if run.target_error is not None and scale.cut_score is not None:
        return np.asarray(found.score < scale.cut_score)
    return found.is_hard
