"""The run job: chunks of rows are voted on; a review budget finds its cut when all votes are in, then routes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.conf import settings

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.errors import PredictionStopped
from annotator_core.types import ABSTAIN
from labeling.datasets.chunk_queries import SampleText, samples_between
from labeling.jobs.actions import Claim, add_chunks, finishing
from labeling.jobs.models import Job, JobState
from labeling.jobs.queries import has_open_chunks
from labeling.labels.actions.verdicts import withdraw_items
from labeling.labels.actions.votes import ConsensusRow, VoteRow, record_routes, record_votes
from labeling.labels.chunk_queries import consensus_between, find_cut, known_votes
from labeling.labels.engine import combine, pack, unpack
from labeling.labels.models import ItemReason
from labeling.pipeline.hand import Hand, StopWork
from labeling.runs.actions import add_member_counts, end_voting, note_members, set_cut
from labeling.runs.models import Aggregator, PoolMember, Run, RunState
from labeling.runs.queries import current_generation, pool_of
from labeling.specialists.engine import predict
from labeling.specialists.models import SpecialistVersion

VOTE, CUT, ROUTE = "vote", "cut", "route"


@dataclass(frozen=True, slots=True)
class MemberVotes:
    """One member's votes on a chunk: class indices (n,) with ABSTAIN, probs (n, k), reasons, cost of inference."""

    member: PoolMember
    votes: IntArray
    probs: FloatArray
    reasons: tuple[str, ...]
    truncated: int
    seconds: float


def vote(claim: Claim, hand: Hand) -> None:
    """Every pool member votes on the chunk's rows; votes, consensus, routes and counters are stored with its end."""
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    members = pool_of(run)
    samples = samples_between(run.dataset, claim.low, claim.high)
    ballots = [_ballot(run, member, samples, hand, index, len(members)) for index, member in enumerate(members)]
    rows = _consensus(run, samples, ballots) if samples else []
    with finishing(claim) as job:
        votes = [row for ballot in ballots for row in _vote_rows(ballot, samples)]
        record_votes(
            run=run,
            generation=claim.generation,
            votes=votes,
            rows=rows,
            truncated=max((b.truncated for b in ballots), default=0),
        )
        for ballot in ballots:
            _count_ballot(ballot, rows)
        job.progress += len(samples)


def _ballot(run: Run, member: PoolMember, samples: Sequence[SampleText], hand: Hand, index: int, m: int) -> MemberVotes:
    """Stored votes on the same texts are taken as they are; the other distinct texts are inferred once each."""
    version = member.version
    known = known_votes(version, samples, run.dataset_id)
    missing = list({s.text_hash: s.text for s in samples if s.text_hash not in known}.items())

    def on_progress(done: int, _total: int) -> None:
        share = (index + done / max(1, len(missing))) / m
        hand.report(int(share * len(samples)))

    truncated, seconds = 0, 0.0
    if missing:
        try:
            found = predict(
                version, [text for _hash, text in missing], on_progress=on_progress, should_stop=hand.should_stop
            )
        except PredictionStopped as error:
            raise StopWork from error
        truncated, seconds = found.truncated, found.seconds
        for (text_hash, _text), blob, reason, row in zip(
            missing, pack(found.probs), found.reasons, found.probs, strict=True
        ):
            known[text_hash] = (ABSTAIN if blob is None else int(row.argmax()), blob, reason or "")
    return _spread(member, samples, known, truncated, seconds)


def _spread(
    member: PoolMember,
    samples: Sequence[SampleText],
    known: dict[str, tuple[int, bytes | None, str]],
    truncated: int,
    seconds: float,
) -> MemberVotes:
    """From votes by text to votes by sample."""
    answers = [known[sample.text_hash] for sample in samples]
    votes = np.array([answer[0] for answer in answers], dtype=np.int64)
    probs = unpack([answer[1] for answer in answers], len(member.version.class_ids))
    return MemberVotes(member, votes, probs, tuple(answer[2] for answer in answers), truncated, seconds)


def _consensus(run: Run, samples: Sequence[SampleText], ballots: Sequence[MemberVotes]) -> list[ConsensusRow]:
    class_ids = ballots[0].member.version.class_ids
    votes = np.stack([ballot.votes for ballot in ballots], axis=1)
    probs = np.stack([ballot.probs for ballot in ballots], axis=1)
    is_average = run.aggregator == Aggregator.AVERAGE
    found = combine(votes, probs, n_classes=len(class_ids), min_agree=run.min_agree, is_average=is_average)
    is_cut_later = run.review_budget is not None
    return [
        ConsensusRow(
            sample_id=sample.pk,
            text_hash=sample.text_hash,
            class_id=None if index == ABSTAIN else class_ids[index],
            uncertainty=round(float(uncertainty), 6),
            score=round(float(score), 6),
            confidence=round(float(confidence), 6),
            is_hard=None if is_cut_later else bool(is_hard),
        )
        for sample, index, uncertainty, score, confidence, is_hard in zip(
            samples,
            found.classes.tolist(),
            found.uncertainty,
            found.score,
            found.confidence,
            found.is_hard,
            strict=True,
        )
    ]


def _vote_rows(ballot: MemberVotes, samples: Sequence[SampleText]) -> list[VoteRow]:
    version: SpecialistVersion = ballot.member.version
    blobs = pack(ballot.probs)
    tops = np.nan_to_num(ballot.probs).max(axis=1).tolist()
    return [
        VoteRow(sample.pk, version.pk, *_answer(version, index, top, blob), reason)
        for sample, index, top, blob, reason in zip(
            samples, ballot.votes.tolist(), tops, blobs, ballot.reasons, strict=True
        )
    ]


def _answer(
    version: SpecialistVersion, index: int, top: float, blob: bytes | None
) -> tuple[int | None, float | None, bytes | None]:
    if index == ABSTAIN:
        return None, None, None
    return version.class_ids[index], round(top, 6), blob


def _count_ballot(ballot: MemberVotes, rows: Sequence[ConsensusRow]) -> None:
    """The member's counters: votes, abstentions, votes for the consensus class; and why it abstained, for the page."""
    class_ids = ballot.member.version.class_ids
    chosen = [None if index == ABSTAIN else class_ids[index] for index in ballot.votes.tolist()]
    agreed = sum(mine is not None and mine == row.class_id for mine, row in zip(chosen, rows, strict=True))
    abstained = chosen.count(None)
    add_member_counts(
        member_id=ballot.member.pk,
        voted=len(chosen) - abstained,
        abstained=abstained,
        agreed=agreed,
        seconds=ballot.seconds,
    )
    reason = next((reason for reason in ballot.reasons if reason), "")
    if reason:
        note_members(notes={ballot.member.pk: reason})


def cut(claim: Claim, hand: Hand) -> None:
    """Find the score up to which the budget reaches, when every row has its votes."""
    run = Run.objects.get(pk=claim.subject)
    generation = current_generation(run)
    found = find_cut(run, generation.number, hand.check)
    with finishing(claim):
        set_cut(generation_id=generation.pk, score=found.score, text_hash=found.text_hash)


def route(claim: Claim, hand: Hand) -> None:
    """Give the chunk's rows the route that the cut says."""
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    generation = current_generation(run)
    border = (generation.cut_score if generation.cut_score is not None else -1.0, generation.cut_hash)
    hand.check()
    rows = [
        ConsensusRow(
            sample_id=row.sample_id,
            text_hash=row.text_hash,
            class_id=row.class_id,
            uncertainty=row.uncertainty,
            score=row.score,
            confidence=row.confidence,
            is_hard=row.class_id is None or (row.score, row.text_hash) <= border,
            reason=ItemReason.HARD if row.uncertainty > 0 else ItemReason.UNCERTAIN,
        )
        for row in consensus_between(run, generation.number, claim.low, claim.high)
    ]
    with finishing(claim):
        record_routes(run=run, generation=claim.generation, rows=rows)


def advance(job: Job) -> None:
    """vote, then (with a budget) cut and route, then the people's turn. A cancelled run's open items are withdrawn."""
    run = Run.objects.get(pk=job.subject)
    if run.state == RunState.CANCELLED:
        withdraw_items(run=run)
    elif job.state == JobState.RUNNING:
        _next_stage(job, run)


def _next_stage(job: Job, run: Run) -> None:
    if not job.stage:
        _open_stage(job, run, VOTE, "consensus", settings.CHUNK_ROWS)
    elif has_open_chunks(job, job.stage):
        return
    elif job.stage == VOTE and run.review_budget is not None:
        job.stage = CUT
        add_chunks(job=job, stage=CUT, queue="io", ranges=[(0, run.row_count)])
    elif job.stage == CUT:
        _open_stage(job, run, ROUTE, "io", 4 * settings.CHUNK_ROWS)
    else:
        end_voting(run_id=run.pk)
        job.state = JobState.DONE


def _open_stage(job: Job, run: Run, stage: str, queue: str, size: int) -> None:
    job.stage = stage
    ranges = [(low, min(low + size, run.row_count)) for low in range(0, run.row_count, size)]
    add_chunks(job=job, stage=stage, queue=queue, ranges=ranges)
