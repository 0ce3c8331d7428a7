"""The verify job: language models review a run's hard rows, within a budget, as fast as they allow."""

from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator_core.errors import (
    AddressRefused,
    BudgetReached,
    ConnectionBroken,
    EndpointSilent,
    PredictionStopped,
    TryLater,
)
from annotator_core.verifiers.contract import NANO, Verdict
from annotator_core.verifiers.drive import ask_all
from labeling.jobs.actions import Claim, add_chunks, begin_stage, finishing, give_back, set_state, storing
from labeling.jobs.models import OPEN_CHUNK_STATES, Chunk, ChunkState, Job, JobState
from labeling.jobs.publish import publish
from labeling.jobs.queries import job_of, next_index
from labeling.labels.actions.answers import turn_to_people
from labeling.labels.answer_queries import (
    TextToAsk,
    answered_hashes,
    count_to_ask,
    hashes_to_settle,
    texts_to_ask,
    verifier_ids,
)
from labeling.labels.example_queries import newest_label_id
from labeling.llm.actions.calls import BookedLedger, book_lost_of_run
from labeling.llm.actions.connections import forget_error, note_error
from labeling.llm.engine import open_asker, price_of
from labeling.llm.models import Connection
from labeling.llm.pacing import in_turn, open_pace
from labeling.llm.queries import budget_of
from labeling.llm.sharing import shared
from labeling.pipeline.answering import PAUSE_S, Work, open_work, settle_answered, store_verdicts
from labeling.pipeline.hand import Hand, StopWork
from labeling.pipeline.questions import has_examples, questions_for
from labeling.pipeline.ruling import DRAWN
from labeling.runs.actions import KIND as RUN_KIND
from labeling.runs.actions import lock_run
from labeling.runs.models import AnswerUse, Run, RunState

ASK, SETTLE = "ask", "settle"
QUEUE = "verify"
NAME_AGAIN_S = 60.0
"""Seconds until a connection whose name could not be looked up is asked again; chosen."""
COUNTED_ROWS = 5_000
"""Rows that wait for the models, up to which they are counted before each part; chosen: some hundredths of a second."""
PEOPLE_ROWS = 1_000
"""Rows that go over to people in one transaction; chosen: some tenths of a second."""
VERIFY_CHUNK = 500
"""Texts a part; chosen: an endpoint is asked by one part of a run at a time, and its end costs one answer's wait."""


def ask(claim: Claim, hand: Hand) -> None:
    """Ask about the next texts; each answer is stored soon after it came, and none is ever asked for again.

    What stops the asking is told to people: the job is paused where one of them must act, else the part waits.
    """
    work = open_work(claim, hand)
    if not has_examples(work.run, work.class_ids, until=claim.low):
        _pause_without_examples(work)
        return
    cap_nano = budget_of(work.run.project_id, work.run.pk).cap_nano
    try:
        _ask(work)
    except TryLater as error:
        give_back(claim, not_before=timezone.now() + timedelta(seconds=error.after_s), note=error.message)
    except BudgetReached:
        _stop_at_budget(work, cap_nano)
    except (ConnectionBroken, AddressRefused) as error:
        _pause(work, error.message)
    except PredictionStopped as error:
        _leave(work, error)
    else:
        with finishing(claim):
            Chunk.objects.filter(pk=claim.chunk_id).update(progress=work.asked)


def settle(claim: Claim, hand: Hand) -> None:
    """Fuse the answers with the pool's votes, and label the texts or send them to people."""
    settle_answered(open_work(claim, hand))
    with finishing(claim):
        pass


def hand_over(claim: Claim, _hand: Hand) -> None:
    """Send what waits for the models to people, part by part: a million rows keep nobody from the run for long."""
    rows = 1
    while rows:
        with storing(claim) as job:
            if job.state != JobState.RUNNING:
                raise StopWork
            rows = turn_to_people(run=lock_run(claim.subject), count=PEOPLE_ROWS)
            job.progress += rows
            job.save(update_fields=["progress"])
            publish(job)
    with finishing(claim):
        pass


def _ask(work: Work) -> None:
    if not work.is_fused:
        settle_answered(work)  # copies of texts that were answered before
    texts = texts_to_ask(work.run, work.connection_ids, work.claim.high - work.claim.low, DRAWN)
    for connection in work.connections:
        known = answered_hashes(work.run, connection.pk, [one.text_hash for one in texts])
        wanted = [one for one in texts if one.text_hash not in known]
        if not wanted:
            continue
        work.asked += len(wanted)
        try:
            _ask_one(work, connection, wanted)
        except (ConnectionBroken, AddressRefused) as error:
            if error.retryable:
                raise TryLater(error.message, after_s=NAME_AGAIN_S) from error
            note_error(connection=connection, error=error.message)
            told = _("%(name)s cannot be asked: %(why)s Mend it on its page, then go on here.")
            if isinstance(error, EndpointSilent):
                told = _("%(name)s does not answer: %(why)s Go on here once it does; one question tries it first.")
            raise ConnectionBroken(told % {"name": connection, "why": error.message}) from error
        if connection.error:
            forget_error(connection=connection)


def _ask_one(work: Work, connection: Connection, texts: Sequence[TextToAsk]) -> None:
    """Ask one model about the texts. Whatever ends it, the answers that came are stored first."""
    claim, price = work.claim, price_of(connection, timezone.localdate())
    pace, owner = open_pace(connection), f"part {claim.chunk_id}"
    with (
        closing(open_asker(connection)) as own,
        shared(connection, own, pace, owner=owner, should_stop=work.should_stop) as (asker, should_stop),
    ):
        verdicts = ask_all(
            questions_for(work.run, work.plan, in_turn(texts, pace), until=claim.low),
            work.plan,
            asker,
            BookedLedger(work.run.project_id, work.run.pk, claim.chunk_id, claim.attempts, connection),
            pace,
            price=price,
            should_stop=should_stop,
        )
        with closing(cast("Generator[Verdict]", verdicts)):
            store_verdicts(work, connection, {one.sample_id: one for one in texts}, verdicts)


def _leave(work: Work, error: PredictionStopped) -> None:
    """Other light work goes first for a moment; a part that must stop raises StopWork."""
    if not work.is_turn_over:
        raise StopWork from error
    give_back(work.claim, not_before=timezone.now() + timedelta(seconds=PAUSE_S))


def _stop_at_budget(work: Work, cap_nano: int) -> None:
    """Nothing that was paid for waits for more money: what every model has answered is fused first."""
    if work.is_fused:
        settle_answered(work)
    _pause(work, _budget_message(work), cap_nano=cap_nano)


def _pause(work: Work, message: str, *, cap_nano: int | None = None) -> None:
    """Wait for a person, who is told why; not where the cap was raised above `cap_nano` in this moment."""
    with storing(work.claim) as job:
        is_raised = cap_nano is not None and budget_of(work.run.project_id, work.run.pk).cap_nano > cap_nano
        if job.state == JobState.RUNNING and not is_raised:
            set_state(job=job, state=JobState.PAUSED, error=message)
        give_back(work.claim)


def _pause_without_examples(work: Work) -> None:
    """The part is over, so that the next one sees what was labeled since."""
    with finishing(work.claim) as job:
        if job.state == JobState.RUNNING:
            job.state = JobState.PAUSED
            job.error = _(
                "This run shows examples that people have verified, and there is none outside the audit yet."
                " Label some texts, or import verified ones, then go on here."
            )
            job.save(update_fields=["state"])


def _budget_message(work: Work) -> str:
    budget = budget_of(work.run.project_id, work.run.pk)
    left = count_to_ask(work.run, work.connection_ids, DRAWN)
    words = ngettext(
        "The budget is reached: %(spent)s of %(cap)s dollars are spent, and %(left)s text still waits for an answer."
        " Raise the cap to go on.",
        "The budget is reached: %(spent)s of %(cap)s dollars are spent, and %(left)s texts still wait for an answer."
        " Raise the cap to go on.",
        left,
    )
    return words % {"spent": _dollars(budget.spent_nano), "cap": _dollars(budget.cap_nano), "left": f"{left:,}"}


def _dollars(nano: int) -> str:
    """Cents where that is enough; what a call costs may be far less."""
    exact = f"{nano / NANO:.6f}".rstrip("0")
    return max(f"{nano / NANO:.2f}", exact, key=len)


def advance(job: Job) -> None:
    """The next part to ask, then what follows from the answers; done until new rows, an undo or an answer wake it."""
    run = lock_run(job.subject)
    if run.state == RunState.CANCELLED:
        book_lost_of_run(project_id=run.project_id, run=run.pk)
        return
    is_open = run.state != RunState.PAUSED and job.state in {JobState.RUNNING, JobState.DONE}
    if is_open and not job.chunks.exclude(state=ChunkState.DONE).exists():
        _next_stage(job, run)


def _next_stage(job: Job, run: Run) -> None:
    """Fused labels wait until nothing is voted on: so it does not matter how votes and answers followed each other."""
    ids = verifier_ids(run)
    is_fused = run.answer_use == AnswerUse.FUSE
    if _has_more(job, run):
        _open_part(job, ASK, max(1, run.asking * len(ids) - (job.progress if is_fused else 0)))
        return
    left = sum(count_to_ask(run, [one], DRAWN) for one in ids)
    if left:
        _open_part(job, ASK, left)
    elif (not is_fused or _is_at_rest(run)) and hashes_to_settle(run, ids, DRAWN):
        _open_part(job, SETTLE, 0)
    else:
        job.state, job.total = JobState.DONE, job.progress


def _has_more(job: Job, run: Run) -> bool:
    """Whether so many rows wait that they are not counted before each part, and the part before has asked something.

    Counting 250,000 takes 0.7 s of a processor, in which nobody could store an answer. One part too many asks nothing.
    """
    if run.asking <= COUNTED_ROWS or job.stage != ASK:
        return False
    last = job.chunks.filter(stage=ASK).order_by("-idx").first()
    return last is not None and last.progress > 0


def _open_part(job: Job, stage: str, left: int) -> None:
    """One part at a time: a model's answers come in the order of the queue, and its seat (llm.sharing) is one.

    A part to ask begins at the newest label's id: examples are of labels up to it.
    """
    if job.state == JobState.DONE or not job.stage:
        begin_stage(job=job, stage=stage, total=left)
    job.stage, job.total = stage, job.progress + left
    low = newest_label_id()
    size = min(VERIFY_CHUNK, settings.CHUNK_ROWS)
    add_chunks(job=job, stage=stage, queue=QUEUE, ranges=[(low, low + size)], first=next_index(job, stage))


def _is_at_rest(run: Run) -> bool:
    """Whether the run's own job has nothing to do or in hand, so that no votes come."""
    job = job_of(RUN_KIND, run.pk)
    return job is None or not (job.is_dirty or job.chunks.filter(state__in=OPEN_CHUNK_STATES).exists())
