"""The pilot job: language models are asked about some rows before a run, within a cap, and measured by them."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import cast

from django.utils import timezone
from django.utils.translation import gettext as _

from annotator_core.errors import (
    AddressRefused,
    BudgetReached,
    ConnectionBroken,
    EndpointSilent,
    PredictionStopped,
    TryLater,
)
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Plan, Question, Verdict
from annotator_core.verifiers.drive import ask_all
from labeling.jobs.actions import Claim, add_chunks, begin_stage, finishing, give_back, report, storing
from labeling.jobs.models import ChunkState, Job, JobState
from labeling.jobs.publish import publish
from labeling.jobs.queries import chunk_ids, has_open_chunks
from labeling.labels.answer_queries import TextToAsk
from labeling.labels.example_queries import newest_label_id
from labeling.labels.pilot_queries import draw_rows
from labeling.llm.actions.booking import storable
from labeling.llm.actions.calls import BookedLedger, Errand, book_lost, book_lost_of_parts
from labeling.llm.actions.connections import forget_error, note_error
from labeling.llm.engine import open_asker, plan_of, price_of
from labeling.llm.models import Connection, Purpose
from labeling.llm.pacing import in_turn, open_pace
from labeling.llm.sharing import shared
from labeling.pipeline.answering import STORE_AFTER_S, STORE_EVERY
from labeling.pipeline.hand import REPORT_EVERY_S, Hand, StopWork
from labeling.pipeline.measuring import figures_of
from labeling.pipeline.questions import can_show, class_ids_of, class_names, similar_examples, write_questions
from labeling.projects.queries import active_classes, guideline_text
from labeling.runs.models import AskStrategy, LlmPilot, PilotAnswer, PilotRow
from labeling.runs.pilots.actions import OUTSIDE_RUNS, record_answers, record_figures, record_rows
from labeling.runs.pilots.queries import unanswered
from labeling.web.errors import ActionError

ASK, QUEUE = "ask", "verify"
NAME_AGAIN_S = 60.0
"""Seconds until a connection whose name could not be looked up is asked again; chosen."""


@dataclass(slots=True)
class Work:
    """A pilot in hand: what it asks with, and whether to go on."""

    claim: Claim
    hand: Hand
    pilot: LlmPilot
    class_ids: Sequence[int]
    looked_at: float = field(default_factory=monotonic)
    is_over: bool = False

    def should_stop(self) -> bool:
        """Whether the worker leaves, the lease is lost, or the pilot was stopped; the last is read twice a second."""
        if monotonic() - self.looked_at >= REPORT_EVERY_S:
            self.looked_at = monotonic()
            self.is_over = not report(self.claim, 0)
        return self.is_over or self.hand.should_stop()


def ask(claim: Claim, hand: Hand) -> None:
    """Draw the rows once, ask each model about those that it has not answered, and measure what came.

    A cap that is reached ends it with what it has; a broken connection fails it and says what to mend.
    """
    book_lost(chunk=claim.chunk_id, attempts=claim.attempts)
    pilot = LlmPilot.objects.select_related("project", "dataset", "run").get(pk=claim.subject)
    work = Work(claim, hand, pilot, _class_ids(pilot))
    _check_examples(work)
    _draw(work)
    note = ""
    try:
        for connection in pilot.connections.order_by("id"):
            _ask_one(work, connection)
    except TryLater as error:
        give_back(claim, not_before=timezone.now() + timedelta(seconds=error.after_s), note=error.message)
        return
    except BudgetReached:
        note = _("The cap was reached: the figures are of what was answered until then.")
    except PredictionStopped as error:
        raise StopWork from error
    figures = figures_of(pilot)
    with finishing(claim):
        record_figures(pilot_id=pilot.pk, figures=figures, note=note)


def _class_ids(pilot: LlmPilot) -> list[int]:
    """As a run asks: the classes that its pool knows, else those of the project."""
    return class_ids_of(pilot.run) if pilot.run else [one.pk for one in active_classes(pilot.project)]


def _check_examples(work: Work) -> None:
    pilot = work.pilot
    if not can_show(pilot.project, AskStrategy(pilot.ask_strategy), work.class_ids, until=work.claim.low):
        raise ActionError(
            _(
                "This way of asking shows examples that people have verified, and there is none outside the audit yet."
                " Label some texts first, or ask without examples."
            )
        )


def _draw(work: Work) -> None:
    if PilotRow.objects.filter(pilot=work.pilot).exists():
        return
    rows = [
        PilotRow(
            pilot=work.pilot,
            sample_id=one.sample_id,
            generation=one.generation,
            pool_class_id=one.pool_class_id,
            pool_confidence=one.pool_confidence,
            known_class_id=one.known_class_id,
        )
        for one in draw_rows(work.pilot, work.class_ids)
    ]
    with storing(work.claim) as job:
        record_rows(pilot=work.pilot, rows=rows)
        job.total = len(rows) * work.pilot.connections.count()
        job.save(update_fields=["total"])


def _ask_one(work: Work, connection: Connection) -> None:
    """Ask one model about the rows that it has not answered. Whatever ends it, the answers that came are stored."""
    rows = {row.sample_id: row for row in unanswered(work.pilot, connection)}
    if not rows:
        return
    try:
        price = price_of(connection, timezone.localdate())
        pace, owner = open_pace(connection), f"part {work.claim.chunk_id}"
        with (
            closing(open_asker(connection)) as own,
            shared(connection, own, pace, owner=owner, should_stop=work.should_stop) as (asker, should_stop),
        ):
            verdicts = ask_all(
                _questions(work, in_turn(list(rows.values()), pace)),
                plan_of_pilot(work.pilot, work.class_ids),
                asker,
                _ledger(work, connection),
                pace,
                price=price,
                should_stop=should_stop,
            )
            with closing(cast("Generator[Verdict]", verdicts)):
                _store_all(work, connection, rows, verdicts)
    except (ConnectionBroken, AddressRefused) as error:
        if error.retryable:
            raise TryLater(error.message, after_s=NAME_AGAIN_S) from error
        note_error(connection=connection, error=error.message)
        told = _("%(name)s cannot be asked: %(why)s Mend it on its page, then try again here.")
        if isinstance(error, EndpointSilent):
            told = _("%(name)s does not answer: %(why)s Try again here once it does; one question tries it first.")
        raise ConnectionBroken(told % {"name": connection, "why": error.message}) from error
    if connection.error:
        forget_error(connection=connection)


def plan_of_pilot(pilot: LlmPilot, class_ids: Sequence[int]) -> Plan:
    """How the pilot asks: in the words of a run with the same settings, so that such a run asks nothing again."""
    return plan_of(
        classes=class_names(class_ids),
        strategy=pilot.ask_strategy,
        shows_votes=pilot.shows_votes,
        draws=pilot.draws,
        guideline=guideline_text(pilot.project),
    )


def _questions(work: Work, rows: Sequence[PilotRow]) -> list[Question]:
    pilot = work.pilot
    texts = [TextToAsk(row.sample_id, row.sample.text, row.sample.text_hash, row.generation) for row in rows]
    strategy = AskStrategy(pilot.ask_strategy)
    examples = similar_examples(pilot.project, strategy, work.class_ids, texts, until=work.claim.low)
    return write_questions(pilot.run if pilot.shows_votes else None, texts, examples)


def _ledger(work: Work, connection: Connection) -> BookedLedger:
    return BookedLedger(
        project_id=work.pilot.project_id,
        run=OUTSIDE_RUNS,
        chunk=work.claim.chunk_id,
        attempts=work.claim.attempts,
        connection=connection,
        purpose=Purpose.PILOT,
        errand=Errand(chunk_ids(work.claim.job_id), work.pilot.cap_nano),
    )


def _store_all(work: Work, connection: Connection, rows: Mapping[int, PilotRow], verdicts: Iterator[Verdict]) -> None:
    """Store verdicts in small batches; whatever ends them is raised once the last ones are stored."""
    batch: list[Verdict] = []
    stored_at = monotonic()
    try:
        for verdict in verdicts:
            batch.append(verdict)
            if len(batch) >= STORE_EVERY or monotonic() - stored_at >= STORE_AFTER_S:
                done, batch = batch, []
                _store(work, connection, rows, done)
                stored_at = monotonic()
    finally:
        _store(work, connection, rows, batch)


def _store(work: Work, connection: Connection, rows: Mapping[int, PilotRow], verdicts: Sequence[Verdict]) -> None:
    if not verdicts:
        return
    answers = [
        PilotAnswer(
            row=rows[one.question_id],
            connection=connection,
            label_class_id=None if one.class_index == ABSTAIN else work.class_ids[one.class_index],
            confidence=one.confidence,
            outcome=one.outcome.value,
            reason=storable(one.reason),
            keys=list(one.keys),
        )
        for one in verdicts
    ]
    with storing(work.claim) as job:
        record_answers(answers=answers)
        job.progress += len(answers)
        job.save(update_fields=["progress"])
        publish(job)


def advance(job: Job) -> None:
    """One part; what was answered before it was stopped or failed is measured, too."""
    if not job.stage and not job.is_over:
        begin_stage(job=job, stage=ASK, total=job.total)
        low = newest_label_id()
        add_chunks(job=job, stage=ASK, queue=QUEUE, ranges=[(low, low + 1)])
        return
    dead = job.chunks.filter(state=ChunkState.DEAD).first()
    if job.state == JobState.RUNNING and dead:
        job.state, job.error = JobState.FAILED, dead.error
    elif job.state == JobState.RUNNING and not has_open_chunks(job, ASK):
        job.state = JobState.DONE
    if job.state in {JobState.FAILED, JobState.CANCELLED}:
        book_lost_of_parts(project_id=job.project_id, chunks=chunk_ids(job.pk))
        pilot = LlmPilot.objects.select_related("project", "dataset", "run").get(pk=job.subject)
        record_figures(pilot_id=pilot.pk, figures=figures_of(pilot))
