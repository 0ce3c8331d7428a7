"""The round job: challengers train, then meet their champions; better ones take over, and the disk is tidied up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.db.models import Q
from django.utils import timezone

from annotator_core.errors import PredictionStopped
from annotator_core.precision import Precision
from annotator_core.refine.plan import Step
from labeling.jobs.actions import Claim, add_chunks, begin_stage, finishing, give_back, storing
from labeling.jobs.models import OPEN_CHUNK_STATES, Chunk, ChunkState, Job, JobState
from labeling.pipeline.hand import Hand, StopWork
from labeling.refinement.actions.decisions import decide_round
from labeling.refinement.actions.progress import (
    begin_judging,
    begin_training,
    fail_challengers,
    fail_round,
    record_judgement,
    record_steps,
    record_trained,
)
from labeling.refinement.actions.prune import prune_versions
from labeling.refinement.actions.rounds import give_up_round
from labeling.refinement.engine.court import open_court
from labeling.refinement.engine.judging import candidates_of, judge
from labeling.refinement.engine.training import (
    Watch,
    champion_of,
    count_steps,
    find_precision,
    training_request,
    workplace_of,
)
from labeling.refinement.engine.training import train as train_model
from labeling.refinement.models import Challenger, RefinementRound
from labeling.runs.models import RunState
from labeling.web.errors import ActionError

TRAIN, GATE, TIDY = "train", "gate", "tidy"
QUEUE = "refine"
TURN_S = 2.0  # chosen: long enough for any worker to take the votes that wait
log = structlog.get_logger(__name__)


class TurnOver(Exception):
    """A checkpoint is written and votes wait: the part is given back for a moment."""


@dataclass(slots=True)
class Watcher:
    """Reports a training at most twice a second, and gives way at its checkpoints."""

    challenger: Challenger
    claim: Claim
    hand: Hand
    curve: list[tuple[int, float]] = field(default_factory=list)
    noted_at: float = field(default_factory=monotonic)

    def on_step(self, step: Step) -> None:
        """Keep the loss; report it now and then. A worker that leaves takes the checkpoint after this step with it."""
        if not self.curve:
            self.curve = [(at, loss) for at, loss in self.challenger.losses if at < step.number]
        self.curve.append((step.number, step.loss))
        if self.hand.is_lost.is_set():
            raise StopWork
        if self.hand.is_leaving():
            return
        before = self.hand.reported_at
        self.hand.report(step.number)
        if self.hand.reported_at != before:
            self._note()

    def on_checkpoint(self) -> None:
        """Nothing is lost from here: leave when asked to, let waiting votes go first, forget earlier lost leases."""
        self.hand.check()
        with storing(self.claim):
            Chunk.objects.filter(pk=self.claim.chunk_id).update(lost_leases=0)
        self._note()
        if are_votes_waiting(timezone.now()):
            raise TurnOver

    def lap(self) -> float:
        """Seconds since the last time that was stored."""
        before, self.noted_at = self.noted_at, monotonic()
        return self.noted_at - before

    def _note(self) -> None:
        if self.curve and not record_steps(challenger_id=self.challenger.pk, losses=self.curve, seconds=self.lap()):
            raise StopWork
        if is_withdrawn(self.challenger.round):
            give_up_round(round_=self.challenger.round)
            raise StopWork


def train(claim: Claim, hand: Hand) -> None:
    """Train the chunk's challenger; one that was killed or gave way goes on from its last checkpoint."""
    challenger = _challenger(claim)
    champion = champion_of(challenger)
    precision: Precision = "bf16" if challenger.precision == "bf16" else "fp32"
    precision = precision if challenger.precision else find_precision(champion)
    request = training_request(challenger, precision)
    with storing(claim):
        begin_training(challenger=challenger, precision=precision, step_count=count_steps(request))
    watcher = Watcher(challenger, claim, hand)
    watch = Watch(watcher.on_step, watcher.on_checkpoint, hand.is_leaving)
    try:
        trained = train_model(request, workplace_of(challenger), watch)
    except TurnOver:
        give_back(claim, not_before=timezone.now() + timedelta(seconds=TURN_S))
        return
    if trained.discarded:
        log.warning("training began again", round=challenger.round_id, why=trained.discarded)
    with finishing(claim) as job:
        record_trained(challenger_id=challenger.pk, losses=trained.losses, seconds=watcher.lap())
        job.progress += len(trained.losses)


def gate(claim: Claim, hand: Hand) -> None:
    """Judge the chunk's challenger; its version appears with the end of the part, when its weights are in the store."""
    challenger = _challenger(claim)
    try:
        court = open_court(challenger, hand.should_stop)
        found = judge(court, hand.report)
    except PredictionStopped as error:
        raise StopWork from error
    with finishing(claim) as job:
        record_judgement(challenger=challenger, found=found)
        job.progress += len(candidates_of(court))


def tidy(claim: Claim, hand: Hand) -> None:
    """Free the disk of what the round left behind and of versions that nobody needs any more."""
    hand.check()
    prune_versions(project=RefinementRound.objects.select_related("project").get(pk=claim.subject).project)
    with finishing(claim):
        pass


def _challenger(claim: Claim) -> Challenger:
    """The chunk's challenger. A round whose run was cancelled ends here."""
    found = Challenger.objects.select_related("round__run", "round__project", "specialist", "champion__specialist")
    challenger = found.get(round_id=claim.subject, position=claim.low)
    if is_withdrawn(challenger.round):
        give_up_round(round_=challenger.round)
        raise StopWork
    return challenger


def is_withdrawn(round_: RefinementRound) -> bool:
    """Whether the round's run was cancelled meanwhile."""
    if round_.run is None:
        return False
    round_.run.refresh_from_db(fields=["state"])
    return round_.run.state == RunState.CANCELLED


def are_votes_waiting(now: datetime) -> bool:
    """Whether a part of the other heavy queue could be begun."""
    due = Q(not_before=None) | Q(not_before__lte=now)
    waiting = Chunk.objects.filter(due, queue="consensus", state=ChunkState.TODO, job__state=JobState.RUNNING)
    return waiting.exists()


def advance(job: Job) -> None:
    """train, then gate, then the decision, then tidy up. Dead parts wait for a person when nothing else is left.

    The lock on the job keeps the round at work as it is; its own comes after that of its run, where it is decided.
    """
    round_ = RefinementRound.objects.get(pk=job.subject)
    if job.state != JobState.RUNNING:
        return
    if job.stage and _has_stopped(job, round_):
        return
    if job.stage == TIDY:
        job.state = JobState.DONE
    elif round_.is_at_work:
        _next_stage(job, round_)
    else:
        job.state = JobState.CANCELLED


def _next_stage(job: Job, round_: RefinementRound) -> None:
    challengers = list(round_.challengers.order_by("position"))
    if not job.stage and challengers:
        _open_parts(job, TRAIN, challengers, total=_all_steps(round_, len(challengers)))
    elif job.stage == TRAIN:
        begin_judging(round_=round_)
        _open_parts(job, GATE, challengers, total=len(challengers))
    else:
        _decide(job, round_)


def _decide(job: Job, round_: RefinementRound) -> None:
    try:
        decide_round(round_=round_)
    except ActionError as error:
        job.state, job.error = JobState.FAILED, error.message
        fail_round(round_=round_, error=error.message)
        return
    begin_stage(job=job, stage=TIDY, total=0)
    add_chunks(job=job, stage=TIDY, queue="io", ranges=[(0, 0)])


def _open_parts(job: Job, stage: str, challengers: Sequence[Challenger], *, total: int) -> None:
    begin_stage(job=job, stage=stage, total=total)
    ranges = [(one.position, one.position + 1) for one in challengers]
    add_chunks(job=job, stage=stage, queue=QUEUE, ranges=ranges)


def _all_steps(round_: RefinementRound, challengers: int) -> int:
    rows = round_.pool_rows + round_.random_rows + round_.replay_rows
    return challengers * round_.epochs * -(-rows // round_.batch_size)


def _has_stopped(job: Job, round_: RefinementRound) -> bool:
    """Whether parts of the stage are still to be done, or dead; then the round has failed once the others are done."""
    chunks = job.chunks.filter(stage=job.stage)
    dead = list(chunks.filter(state=ChunkState.DEAD).order_by("idx"))
    if dead and job.stage != TIDY:
        fail_challengers(round_=round_, errors={chunk.low: chunk.error for chunk in dead})
    if chunks.filter(state__in=OPEN_CHUNK_STATES).exists():
        return True
    if dead:
        job.state, job.error = JobState.FAILED, dead[0].error
        if job.stage != TIDY:
            fail_round(round_=round_, error=dead[0].error)
    return bool(dead)
