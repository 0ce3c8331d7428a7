"""The run job: rows are voted on, routed, and voted on again when a round brought better specialists."""

from django.conf import settings
from django.db import transaction

from labeling.datasets.chunk_queries import samples_between
from labeling.jobs.actions import Claim, add_chunks, begin_stage, finishing
from labeling.jobs.models import Job, JobState
from labeling.jobs.queries import has_open_chunks, next_index
from labeling.labels.actions.items import withdraw_items
from labeling.labels.actions.mix import mix_in
from labeling.labels.actions.votes import count_until_full, record_votes
from labeling.labels.chunk_queries import has_older_items, has_rows_to_renew, has_unrouted
from labeling.pipeline.ballots import ask_pool, count_answers
from labeling.pipeline.hand import Hand
from labeling.quality.actions import wake_assessment
from labeling.refinement.actions import start_round
from labeling.refinement.models import ROUND_OPEN_STATES, RefinementRound, Trigger
from labeling.refinement.queries import round_at_work
from labeling.runs.actions import (
    begin_renewal,
    close_when_decided,
    end_renewal,
    end_voting,
    lock_run,
    set_voting,
    stop_at_full_pool,
    wake_verification,
)
from labeling.runs.models import Run, RunState, VoteAhead
from labeling.runs.queries import current_generation
from labeling.web.errors import ActionError

VOTE, CUT, ROUTE, REVOTE, RENEW = "vote", "cut", "route", "revote", "renew"
RECUT, LEAVE = "recut", "leave"
ROUTING = {CUT: (ROUTE, 4), RECUT: (LEAVE, 4), LEAVE: (ROUTE, 4)}
"""What follows a cut, and how many times the rows of a vote's part one of its parts holds; chosen: it only writes."""


def vote(claim: Claim, hand: Hand) -> None:
    """The newest pool votes on the chunk's rows; votes, consensus, routes and counters are stored with its end.

    Where votes stop at a full pool, the rows after the one that fills it keep their votes and get no consensus yet.
    """
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    answers = ask_pool(run, run.generation, samples_between(run.dataset, claim.low, claim.high), hand)
    votes = answers.votes()
    with finishing(claim) as job:
        locked = lock_run(run.pk)
        count = count_until_full(locked, answers.rows)
        rows = answers.rows[:count]
        record_votes(run=locked, generation=run.generation, votes=votes, rows=rows, truncated=answers.truncated)
        count_answers(answers, {row.sample_id for row in rows})
        if count is not None:
            stop_at_full_pool(run_id=run.pk, number=run.generation, until=claim.low + count)
        job.progress += len(rows)


def advance(job: Job) -> None:
    """A round when the hard pool is full, then the run's next stage. A cancelled run's open items are withdrawn."""
    run = lock_run(job.subject)
    if run.state == RunState.CANCELLED:
        withdraw_items(run=run)
    elif run.state != RunState.PAUSED and job.state in {JobState.RUNNING, JobState.DONE}:
        is_learning = run.is_active and _start_due_round(job, run)
        if job.state == JobState.DONE or not has_open_chunks(job, job.stage):
            _next_stage(job, run, is_learning)
        if job.state == JobState.DONE:
            wake_assessment(run=run)
        if run.asking:
            wake_verification(run=run)  # what it waits for may be that nothing is left to vote on


def _start_due_round(job: Job, run: Run) -> bool:
    """Whether a round is at work; one is started when the hard pool is full. Where none can be, the job says why."""
    if round_at_work(run):
        return True
    if not run.is_pool_full:
        return False
    try:
        with transaction.atomic():
            start_round(run=run, trigger=Trigger.BETA, by=None)
    except ActionError as error:
        job.error = error.message
        return False
    job.error = ""
    run.refresh_from_db(fields=["learned"])
    return True


def _next_stage(job: Job, run: Run, is_learning: bool) -> None:
    is_budget = run.review_budget is not None
    if not run.is_active:
        job.state = JobState.DONE  # people decided the last rows while a part of it was voted on again
    elif run.vote_ahead == VoteAhead.POOL and run.voted < run.row_count:
        _vote_on(job, run, is_learning)
    elif not job.stage:
        _open_stage(job, run, VOTE, "consensus", settings.CHUNK_ROWS)
    elif is_budget and run.state == RunState.RUNNING and job.stage in {VOTE, RENEW}:
        _first_cut(job, run, is_learning)
    elif job.stage in ROUTING:
        stage, rows = ROUTING[job.stage]
        _open_stage(job, run, stage, "io", rows * settings.CHUNK_ROWS)
    else:
        _settle(job, run, is_learning)


def _first_cut(job: Job, run: Run, is_learning: bool) -> None:
    """When an audit changed the scores while votes came in, the rows of before are scored anew first."""
    if run.is_renewal_due and run.is_renewal_asked:
        _renew(job, run, is_learning)
    else:
        _open_stage(job, run, CUT, "io", run.row_count)


def _open_stage(job: Job, run: Run, stage: str, queue: str, size: int) -> None:
    """All chunks of the stage at once."""
    job.stage, job.state, job.finished_at = stage, JobState.RUNNING, None
    ranges = [(low, min(low + size, run.row_count)) for low in range(0, run.row_count, size)]
    add_chunks(
        job=job, stage=stage, queue=queue, ranges=ranges, generation=run.generation, first=next_index(job, stage)
    )


def _open_chunk(job: Job, run: Run, stage: str, low: int, high: int) -> None:
    """One more chunk of a stage whose chunks follow each other."""
    job.stage, first = stage, next_index(job, stage)
    add_chunks(job=job, stage=stage, queue="consensus", ranges=[(low, high)], generation=run.generation, first=first)


def _vote_on(job: Job, run: Run, is_learning: bool) -> None:
    """One chunk after the other until the pool is full; then people decide, a round learns, and it goes on."""
    is_full = run.beta is not None and run.hard - run.learned >= run.beta
    set_voting(run_id=run.pk, is_voting=not (is_full or is_learning))
    if not (is_full or is_learning):
        _open_chunk(job, run, VOTE, run.voted, min(run.voted + settings.CHUNK_ROWS, run.row_count))


def _settle(job: Job, run: Run, is_learning: bool) -> None:
    """Every row has a route: people decide, and the newest pool votes again on what older ones voted on."""
    if run.random_share and not has_older_items(run):
        ended = RefinementRound.objects.filter(run=run).exclude(state__in=ROUND_OPEN_STATES).count()
        mix_in(run=run, draws=ended + 1)
    end_voting(run_id=run.pk)  # after the random rows: a run without hard ones waits for them
    run.refresh_from_db()
    if has_older_items(run):
        _vote_again(job, run, REVOTE, run.to_review)
    elif _is_renewal_wanted(run, is_learning):
        _renew(job, run, is_learning)
    else:
        _rest(job, run, is_learning)


def _is_renewal_wanted(run: Run, is_learning: bool) -> bool:
    """When a manager asked or it has begun, else when nothing waits for review and no round may bring newer ones."""
    is_free = run.unreviewed == 0 and not is_learning
    return run.is_renewal_due and (run.is_renewal_asked or is_free)


def _renew(job: Job, run: Run, is_learning: bool) -> None:
    if has_rows_to_renew(run):
        begin_renewal(run_id=run.pk)
        _vote_again(job, run, RENEW, run.row_count - run.hard)
        return
    end_renewal(run=run)
    if run.review_budget is not None and current_generation(run).cut_score is None:
        _open_stage(job, run, RECUT, "io", run.row_count)
    elif has_unrouted(run):
        _open_stage(job, run, CUT, "io", run.row_count)
    else:
        _rest(job, run, is_learning)


def _vote_again(job: Job, run: Run, stage: str, total: int) -> None:
    if job.stage != stage or job.state == JobState.DONE:
        begin_stage(job=job, stage=stage, total=total)
    _open_chunk(job, run, stage, 0, settings.CHUNK_ROWS)


def _rest(job: Job, run: Run, is_learning: bool) -> None:
    """Nothing is left to vote on: the job is done until a decision or a round wakes it."""
    if job.stage in {REVOTE, RENEW}:
        job.progress = job.total
    job.state = JobState.DONE
    close_when_decided(run_id=run.pk, is_idle=not is_learning)
