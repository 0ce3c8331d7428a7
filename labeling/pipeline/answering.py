"""A part of a verification in hand: whom it asks, and how what was answered is stored while it goes on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from django.db.models import Q
from django.utils import timezone

from annotator_core.errors import BudgetReached, ConnectionBroken, PredictionStopped, TryLater
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Plan, Verdict
from annotator_core.verifiers.prompts import version
from labeling.jobs.actions import Claim, report, storing
from labeling.jobs.models import Chunk, ChunkState, Job, JobState
from labeling.jobs.publish import publish
from labeling.labels.actions.answers import AnswerRow, record_answers, settle_texts
from labeling.labels.answer_queries import TextToAsk, answered_by_all, hashes_to_settle, verifier_ids
from labeling.llm.actions.booking import storable
from labeling.llm.actions.calls import book_lost
from labeling.llm.models import Connection
from labeling.pipeline.hand import REPORT_EVERY_S, Hand
from labeling.pipeline.questions import class_ids_of, plan_for
from labeling.pipeline.ruling import DRAWN, rule, source_of
from labeling.runs.actions import lock_run
from labeling.runs.models import AnswerUse, Run

STORE_EVERY, STORE_AFTER_S = 16, 1.0
"""Answers, or seconds, after which answers are stored; chosen. What was paid for is in the ledger before that."""
TURN_S, PAUSE_S = 60.0, 1.0
"""How long a part may keep a hand from other work that waits, and for how long it then stands back; chosen."""
SETTLE_EVERY = 200
"""Texts that are labeled in one transaction; chosen."""


def is_light_work_waiting() -> bool:
    """Whether an import, an export or a step of a job waits for a hand."""
    due = Q(not_before=None) | Q(not_before__lte=timezone.now())
    parts = Chunk.objects.filter(due, queue="io", state=ChunkState.TODO, job__state=JobState.RUNNING)
    return parts.exists() or Job.objects.filter(is_dirty=True).exists()


@dataclass(slots=True)
class Work:
    """A part in hand: the run, the models that it asks, and how. `asked` counts its questions to all of them."""

    claim: Claim
    hand: Hand
    run: Run
    connections: Sequence[Connection]
    class_ids: Sequence[int]
    plan: Plan
    began_at: float = field(default_factory=monotonic)
    looked_at: float = field(default_factory=monotonic)
    is_over: bool = False
    is_turn_over: bool = False
    asked: int = 0

    @property
    def connection_ids(self) -> list[int]:
        """The models in the order in which they were chosen."""
        return [one.pk for one in self.connections]

    @property
    def is_fused(self) -> bool:
        """Whether answers wait until the votes are in, to be fused with them."""
        return self.run.answer_use == AnswerUse.FUSE

    def should_stop(self) -> bool:
        """Whether the worker leaves, the lease is lost, or the job is paused or cancelled; read twice a second.

        After a minute also where other light work waits: all hands of a worker may be asking.
        """
        now = monotonic()
        if now - self.looked_at >= REPORT_EVERY_S:
            self.looked_at = now
            self.is_over = not report(self.claim, 0)
            self.is_turn_over = now - self.began_at >= TURN_S and is_light_work_waiting()
        return self.is_over or self.is_turn_over or self.hand.should_stop()


def open_work(claim: Claim, hand: Hand) -> Work:
    """What an older claim of the part left under way is booked as lost first."""
    book_lost(chunk=claim.chunk_id, attempts=claim.attempts)
    run = Run.objects.select_related("dataset", "project").get(pk=claim.subject)
    by_id = Connection.objects.in_bulk(verifier_ids(run))
    class_ids = class_ids_of(run)
    connections = [by_id[one] for one in verifier_ids(run)]
    return Work(claim, hand, run, connections, class_ids, plan_for(run, class_ids))


def store_verdicts(
    work: Work, connection: Connection, texts: Mapping[int, TextToAsk], verdicts: Iterator[Verdict]
) -> None:
    """Store verdicts as they come, in small batches; whatever ends them is raised once the last ones are stored."""
    batch: list[Verdict] = []
    stored_at, ending = monotonic(), None
    try:
        for verdict in verdicts:
            batch.append(verdict)
            if len(batch) >= STORE_EVERY or monotonic() - stored_at >= STORE_AFTER_S:
                done, batch = batch, []
                _store(work, connection, texts, done)
                stored_at = monotonic()
    except (BudgetReached, TryLater, ConnectionBroken, PredictionStopped) as error:
        ending = error
    _store(work, connection, texts, batch)
    if ending:
        raise ending


def _store(work: Work, connection: Connection, texts: Mapping[int, TextToAsk], verdicts: Sequence[Verdict]) -> None:
    """Store the answers, and where they are not fused what follows from them; the part goes on."""
    if not verdicts:
        return
    rows = [_answer_row(texts[one.question_id], one, work.class_ids) for one in verdicts]
    with storing(work.claim) as job:
        run = lock_run(work.run.pk)
        record_answers(run=run, connection=connection, prompt_version=version(work.plan), rows=rows)
        if not work.is_fused:
            hashes = answered_by_all(run, work.connection_ids, [row.text_hash for row in rows])
            settle_texts(run=run, rulings=rule(run, hashes), source=source_of(run), also=DRAWN)
        Chunk.objects.filter(pk=work.claim.chunk_id).update(lost_leases=0)
        job.progress += len(rows)
        job.save(update_fields=["progress"])
        publish(job)


def _answer_row(text: TextToAsk, verdict: Verdict, class_ids: Sequence[int]) -> AnswerRow:
    return AnswerRow(
        sample_id=text.sample_id,
        text_hash=text.text_hash,
        class_id=None if verdict.class_index == ABSTAIN else class_ids[verdict.class_index],
        confidence=verdict.confidence,
        outcome=verdict.outcome.value,
        reason=storable(verdict.reason),
        call_key=verdict.keys[-1] if verdict.keys else "",
    )


def settle_answered(work: Work) -> None:
    """Rule what every model has answered; the rulings are the same in whatever parts they are stored."""
    rulings = rule(work.run, hashes_to_settle(work.run, work.connection_ids, DRAWN))
    for low in range(0, len(rulings), SETTLE_EVERY):
        work.hand.check()
        with storing(work.claim) as job:
            part = rulings[low : low + SETTLE_EVERY]
            settle_texts(run=lock_run(work.run.pk), rulings=part, source=source_of(work.run), also=DRAWN)
            publish(job)
