"""The measuring job of a run: when a measurement is due, and one measurement."""

from collections.abc import Collection, Mapping

from labeling.jobs.actions import Claim, finishing
from labeling.jobs.models import OPEN_CHUNK_STATES, Chunk, ChunkState, Job, JobState
from labeling.jobs.queries import job_of
from labeling.labels.actions.rows import store_votes
from labeling.labels.audit_queries import BlindAnswer, blind_answers, waiting_hashes
from labeling.pipeline.auditing import assess
from labeling.pipeline.hand import Hand
from labeling.pipeline.reaggregating import follow_assessment
from labeling.pipeline.reviewed import has_more_to_learn
from labeling.quality.actions import STAGE, begin_measuring, store_assessment
from labeling.quality.figures import from_json
from labeling.quality.models import Assessment
from labeling.quality.queries import drawn_hashes, newest_assessment
from labeling.runs.actions import KIND as RUN_KIND
from labeling.runs.actions import lock_run
from labeling.runs.models import Run, RunState
from labeling.runs.queries import members_of

NEWS = 25
"""New answers that make a measurement worth its time; chosen."""


def measure(claim: Claim, hand: Hand) -> None:
    """Measure the run by its audit; votes that were cast for it and what was found are stored with the chunk's end.

    Nothing but the votes is stored of a run that was cancelled meanwhile, or where no answer can be used.
    """
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    before = newest_assessment(run)
    found = assess(run, hand)
    with finishing(claim) as job:
        locked = lock_run(run.pk)
        store_votes(found.votes)
        job.progress = job.total = len(found.votes)
        if found.measured is None or locked.state == RunState.CANCELLED:
            return
        assessment = store_assessment(run=locked, measured=found.measured)
        if _is_news(locked, before, assessment):
            follow_assessment(run=locked, assessment=assessment)


def _is_news(run: Run, before: Assessment | None, assessment: Assessment) -> bool:
    """Whether other answers, votes or versions stand behind its certificates than behind those of the one before.

    Else nothing follows from it: what follows brings the run to the next one, which so ends the chain. Times would not
    tell: an answer that changes while a measurement is under way is older than what that one stores.
    """
    if before is None or before.digest != assessment.digest:
        return True
    old, new = (members_of(run, one.generation) for one in (before, assessment))
    return [member.version_id for member in old] != [member.version_id for member in new]


def advance(job: Job) -> None:
    """A measurement where one is due; one that died shows why and waits for a person."""
    newest = job.chunks.filter(stage=STAGE).order_by("-idx").first()
    if newest and newest.state in OPEN_CHUNK_STATES:
        return
    if newest and newest.state == ChunkState.DEAD:
        job.state, job.error = JobState.FAILED, newest.error
        return
    run = Run.objects.get(pk=job.subject)
    drawn = drawn_hashes(run.dataset_id)
    answers = blind_answers(run.dataset_id, drawn)
    if run.state != RunState.CANCELLED and answers and _is_due(job, newest, run, answers, drawn):
        begin_measuring(job, answered=len(answers))
    else:
        job.state = JobState.DONE


def _is_due(
    job: Job, newest: Chunk | None, run: Run, answers: Mapping[str, BlindAnswer], drawn: Collection[str]
) -> bool:
    """Many new answers, the last one that was waited for, a run that came to rest, or reviews to learn from.

    All since the last measurement.
    It does not matter what that one found, so nothing here begins again by itself.
    """
    measured = newest.high if newest else 0
    if abs(len(answers) - measured) >= NEWS or (newest and _has_rested(run, job)):
        return True
    if _has_lesson(run, job):
        return True
    has_changed = len(answers) != measured or any(one.created_at > job.counted_from for one in answers.values())
    return has_changed and not waiting_hashes(run.dataset_id, set(drawn) - answers.keys())


def _has_lesson(run: Run, job: Job) -> bool:
    """Whether people have reviewed enough for the race to learn since the last measurement, which stored something."""
    newest = newest_assessment(run) if run.learns_from_reviews else None
    if newest is None or newest.created_at < job.counted_from:
        return False
    return has_more_to_learn(run, from_json(newest.figures))


def _has_rested(run: Run, job: Job) -> bool:
    """Whether the run's own work ended since: its labels may be others now."""
    work = job_of(RUN_KIND, run.pk)
    return work is not None and work.is_over and work.finished_at is not None and work.finished_at > job.counted_from
