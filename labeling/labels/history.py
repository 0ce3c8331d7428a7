"""Everything that is known about one sample: the chain from its votes to its label."""

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from labeling.datasets.models import Sample
from labeling.labels.models import Consensus, Label, ReviewItem, Verdict, Vote
from labeling.projects.models import LabelClass
from labeling.runs.models import PoolMember
from labeling.specialists.models import SpecialistVersion


@dataclass(frozen=True, slots=True)
class ClassShare:
    """A class with a probability (0..1) or a number of votes."""

    label_class: LabelClass
    value: float


@dataclass(frozen=True, slots=True)
class ShownVote:
    """One version's vote with each class's probability, highest first; no class where it abstained.

    `is_missing` for a version of the pool whose vote never came; `reason` then says so.
    """

    version: SpecialistVersion
    label_class: LabelClass | None
    probability: float | None
    shares: tuple[ClassShare, ...]
    reason: str
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class PoolAnswer:
    """What one generation of a run's pool said: its consensus and the votes behind it, in the order of the pool.

    Nobody notes when a row was voted on: it was after `opened_at`, when the generation began.
    """

    consensus: Consensus
    opened_at: datetime
    votes: list[ShownVote]

    @property
    def tally(self) -> list[ClassShare]:
        """How many votes each class got, most first; abstentions are none."""
        classes = [vote.label_class for vote in self.votes if vote.label_class]
        counts = Counter(one.pk for one in classes)
        named = {one.pk: one for one in classes}
        return [ClassShare(named[pk], count) for pk, count in counts.most_common()]

    @property
    def silent(self) -> int:
        """How many of the pool abstained or never voted."""
        return sum(vote.label_class is None for vote in self.votes)


@dataclass(frozen=True, slots=True)
class SampleHistory:
    """All that is known about one sample, newest first within each list. `other_votes` stood behind no consensus."""

    label: Label | None
    answers: list[PoolAnswer]
    other_votes: list[ShownVote]
    items: list[ReviewItem]
    verdicts: list[Verdict]
    labels: list[Label]


def history_of(sample: Sample) -> SampleHistory:
    """Votes by the pool they belong to, review items, verdicts and labels of the sample."""
    labels = list(sample.labels.select_related("label_class", "verdict__user", "run").order_by("-id"))
    items = ReviewItem.objects.filter(dataset_id=sample.dataset_id, text_hash=sample.text_hash)
    verdicts = Verdict.objects.filter(item__in=items).select_related("user", "item", "supersedes__label_class")
    votes = _votes_on(sample)
    answers = _answers_on(sample, votes)
    used = {vote.version.pk for answer in answers for vote in answer.votes}
    return SampleHistory(
        label=next((label for label in labels if label.is_current), None),
        answers=answers,
        other_votes=[vote for vote in votes if vote.version.pk not in used],
        items=list(items.select_related("run").order_by("-id")),
        verdicts=list(verdicts.select_related("label_class").order_by("-id")),
        labels=labels,
    )


def _answers_on(sample: Sample, votes: Iterable[ShownVote]) -> list[PoolAnswer]:
    """One a consensus: the newest run first, within a run the current one."""
    found = Consensus.objects.filter(sample=sample).select_related("run", "label_class")
    rows = list(found.order_by("-run_id", "-is_current", "-generation"))
    members = PoolMember.objects.filter(generation__run__in={row.run_id for row in rows})
    pools: dict[tuple[int, int], list[PoolMember]] = {}
    for member in members.select_related("generation", "version__specialist").order_by("position"):
        pools.setdefault((member.generation.run_id, member.generation.number), []).append(member)
    given = {vote.version.pk: vote for vote in votes}
    return [
        PoolAnswer(
            consensus=row,
            opened_at=next((one.generation.created_at for one in pools.get(_pool_of(row), ())), row.run.created_at),
            votes=[given.get(one.version_id) or _missing(one) for one in pools.get(_pool_of(row), ())],
        )
        for row in rows
    ]


def _pool_of(row: Consensus) -> tuple[int, int]:
    return row.run_id, row.generation


def _missing(member: PoolMember) -> ShownVote:
    """C51: a specialist of the pool that said nothing is shown as such."""
    return ShownVote(member.version, None, None, (), _("Its vote never came."), is_missing=True)


def _votes_on(sample: Sample) -> list[ShownVote]:
    classes = {one.pk: one for one in LabelClass.objects.filter(project_id=sample.dataset.project_id)}
    votes = Vote.objects.filter(sample=sample).select_related("version__specialist", "label_class")
    return [
        ShownVote(vote.version, vote.label_class, vote.top_probability, _shares(vote, classes), vote.reason)
        for vote in votes.order_by("version__specialist_id", "-version__number")
    ]


def _shares(vote: Vote, classes: dict[int, LabelClass]) -> tuple[ClassShare, ...]:
    if vote.probs is None:
        return ()
    class_ids: Sequence[int] = vote.version.class_ids
    values = struct.unpack(f"<{len(class_ids)}e", bytes(vote.probs))
    shares = [ClassShare(classes[one], value) for one, value in zip(class_ids, values, strict=True) if one in classes]
    return tuple(sorted(shares, key=lambda share: -share.value))
