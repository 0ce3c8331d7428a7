"""What a pool answers on some samples: the votes of every member, and their consensus. Nothing is stored here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.errors import PredictionStopped
from annotator_core.types import ABSTAIN
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.actions.rows import ConsensusRow, VoteRow
from labeling.labels.chunk_queries import known_votes
from labeling.labels.engine import combine, pack, unpack
from labeling.pipeline.hand import Hand, StopWork
from labeling.pipeline.routing import is_below
from labeling.runs.actions import add_member_counts, note_members
from labeling.runs.models import Aggregator, PoolGeneration, PoolMember, Run
from labeling.runs.queries import generation_numbered, members_of
from labeling.specialists.engine import predict
from labeling.specialists.models import SpecialistVersion


@dataclass(frozen=True, slots=True)
class MemberVotes:
    """One member's votes on a chunk: class indices (n,) with ABSTAIN, probs (n, k), reasons, cost of inference."""

    member: PoolMember
    votes: IntArray
    probs: FloatArray
    reasons: tuple[str, ...]
    truncated: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answers:
    """A pool's answers on n samples: one list of votes a member, n consensus rows in the order of the samples.

    `is_hard` of the rows is what agreement makes hard, or a certificate's cut; None under a review budget.
    """

    samples: Sequence[SampleText]
    ballots: Sequence[MemberVotes]
    rows: Sequence[ConsensusRow]

    @property
    def truncated(self) -> int:
        """Texts that were cut to a member's length, the most of any member."""
        return max((ballot.truncated for ballot in self.ballots), default=0)

    def votes(self) -> list[VoteRow]:
        """Every member's vote on every sample, as it is stored."""
        return [row for ballot in self.ballots for row in _vote_rows(ballot, self.samples)]


def ask_pool(run: Run, generation: int, samples: Sequence[SampleText], hand: Hand) -> Answers:
    """The answers of that generation's members. Raises StopWork, and AnnotatorError's children."""
    members = members_of(run, generation) if samples else []
    ballots = [_ballot(run, member, samples, hand, index, len(members)) for index, member in enumerate(members)]
    rows = _consensus(run, generation_numbered(run, generation), samples, ballots) if samples else []
    return Answers(samples, ballots, rows)


def align_ballots(ballots: Sequence[MemberVotes]) -> Ballots:
    """The engine's ballots of members in the order of the pool, classes in the order of the first member's version.

    An aggregation is fitted and used in these orders, and in no others.
    """
    class_ids = ballots[0].member.version.class_ids
    aligned = [_align(ballot, class_ids) for ballot in ballots]
    votes = np.stack([found[0] for found in aligned], axis=1)
    return Ballots(votes, np.stack([found[1] for found in aligned], axis=1))


def stored_ballots(run: Run, generation: int, samples: Sequence[SampleText]) -> Ballots:
    """What the generation's members have answered on those of the samples that all of them have stored votes on."""
    return stored_answers(run, generation, samples)[1]


def stored_answers(run: Run, generation: int, samples: Sequence[SampleText]) -> tuple[list[SampleText], Ballots]:
    """Those of the samples that all of the generation's members have stored votes on, and what they have answered."""
    members = members_of(run, generation)
    known = [known_votes(member.version, samples, run.dataset_id) for member in members]
    asked = [sample for sample in samples if all(sample.text_hash in votes for votes in known)]
    pairs = zip(members, known, strict=True)
    return asked, align_ballots([_spread(member, asked, votes, 0, 0.0) for member, votes in pairs])


def count_answers(answers: Answers, stored: Collection[int]) -> None:
    """Add the answers on the stored samples (ids) to the members' counters; why they abstained is kept for the page."""
    for ballot in answers.ballots:
        _count_ballot(ballot, answers.rows, stored)


def _ballot(run: Run, member: PoolMember, samples: Sequence[SampleText], hand: Hand, index: int, m: int) -> MemberVotes:
    """Stored votes on the same texts are taken as they are; the other distinct texts are inferred once each."""
    hand.check()
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


def _consensus(
    run: Run, generation: PoolGeneration, samples: Sequence[SampleText], ballots: Sequence[MemberVotes]
) -> list[ConsensusRow]:
    """The pool's answers under the generation's aggregation; the averaged probability until a race has a winner."""
    class_ids = ballots[0].member.version.class_ids
    aligned = align_ballots(ballots)
    found = combine(
        aligned.votes,
        aligned.probs,
        min_agree=run.min_agree,
        is_average=run.aggregator != Aggregator.MAJORITY,
        aggregation=generation.aggregation,
    )
    rows = [
        ConsensusRow(
            sample_id=sample.pk,
            text_hash=sample.text_hash,
            class_id=None if index == ABSTAIN else class_ids[index],
            uncertainty=round(float(uncertainty), 6),
            score=round(float(score), 6),
            confidence=round(float(confidence), 6),
            is_hard=bool(is_hard),
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
    return _judge(run, generation, rows)


def _judge(run: Run, generation: PoolGeneration, rows: list[ConsensusRow]) -> list[ConsensusRow]:
    """Under a budget the cut comes later; a certificate's threshold decides at once; else agreement has decided."""
    if run.review_budget is not None:
        return [replace(row, is_hard=None) for row in rows]
    if run.target_error is None or generation.cut_score is None:
        return rows
    border = (generation.cut_score, generation.cut_hash)
    return [replace(row, is_hard=is_below(row, border)) for row in rows]


def _align(ballot: MemberVotes, class_ids: Sequence[int]) -> tuple[IntArray, FloatArray]:
    """The member's votes and probs in the order of `class_ids`: versions may hold the same classes in another one."""
    own = list(ballot.member.version.class_ids)
    if own == list(class_ids):
        return ballot.votes, ballot.probs
    places = np.array([class_ids.index(one) for one in own], dtype=np.int64)
    votes = np.where(ballot.votes == ABSTAIN, ABSTAIN, places[np.maximum(ballot.votes, 0)])
    return votes, ballot.probs[:, np.argsort(places)]


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


def _count_ballot(ballot: MemberVotes, rows: Sequence[ConsensusRow], stored: Collection[int]) -> None:
    class_ids = ballot.member.version.class_ids
    chosen = [
        (None if index == ABSTAIN else class_ids[index], row.class_id)
        for index, row in zip(ballot.votes.tolist(), rows, strict=True)
        if row.sample_id in stored
    ]
    agreed = sum(mine is not None and mine == class_id for mine, class_id in chosen)
    abstained = sum(mine is None for mine, _class_id in chosen)
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
