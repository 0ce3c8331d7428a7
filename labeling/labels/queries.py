"""Reads about the facts of samples: what is left to review, who said what about one sample."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Left
from django.utils import timezone

from labeling.datasets.models import Sample
from labeling.labels.models import Consensus, Label, Lease, ReviewItem, Verdict, Vote
from labeling.labels.seed_queries import rows_without_run
from labeling.projects.models import LabelClass, Project
from labeling.runs.models import ACTIVE_STATES, PoolMember, Run
from labeling.specialists.models import SpecialistVersion

EXCERPT = 90
PACE_DECISIONS = 20  # chosen: enough to be steady, few enough to follow the person's pace of today
PACE_GUESS_S = 5.0  # chosen: what a short text takes before anybody decided one
PACE_KNOWN_FROM = 5  # chosen: one quick decision says nothing about hours
PACE_LONGEST_S = 120.0  # chosen: beyond it somebody was away


@dataclass(frozen=True, slots=True)
class Pace:
    """A person's work in a project: decisions since midnight, median seconds for one, rows left for all people."""

    today: int
    seconds: float
    left: int

    @property
    def remaining_s(self) -> float:
        """Seconds until nothing is left at this pace."""
        return self.left * self.seconds


@dataclass(frozen=True, slots=True)
class ClassShare:
    """A class with a probability (0..1) or a number of votes."""

    label_class: LabelClass
    value: float


@dataclass(frozen=True, slots=True)
class ShownVote:
    """One version's vote with each class's probability, highest first; no class where it abstained."""

    version: SpecialistVersion
    label_class: LabelClass | None
    probability: float | None
    shares: tuple[ClassShare, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class SampleHistory:
    """All that is known about one sample, newest first within each list."""

    label: Label | None
    votes: list[ShownVote]
    consensus: list[Consensus]
    items: list[ReviewItem]
    verdicts: list[Verdict]
    labels: list[Label]


def rows_to_review(project: Project) -> int:
    """Rows that wait for a person: of the project's active runs, from their counters, and the seed texts."""
    runs = Run.objects.filter(project=project, state__in=ACTIVE_STATES)
    asked = runs.aggregate(n=Sum(F("hard") - F("decided")))["n"] or 0
    return asked + rows_without_run([project.pk]).get(project.pk, 0)


def pace_of(project: Project, user_id: int) -> Pace:
    """The person's pace in the project."""
    mine = Verdict.objects.filter(user_id=user_id, item__project=project, is_current=True, is_undo=False)
    today = mine.filter(created_at__gte=start_of_day()).count()
    spent = mine.exclude(elapsed_ms=None).order_by("-created_at").values_list("elapsed_ms", flat=True)
    seconds = [min(ms / 1000, PACE_LONGEST_S) for ms in spent[:PACE_DECISIONS] if ms]
    is_known = len(seconds) >= PACE_KNOWN_FROM
    return Pace(today, median(seconds) if is_known else PACE_GUESS_S, rows_to_review(project))


def start_of_day() -> datetime:
    """Midnight in the site's time zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def latest_verdict(project: Project, user_id: int) -> Verdict | None:
    """The person's newest answer in the project that is not undone, stale ones too, with item, class and `excerpt`."""
    stands = Q(is_current=True) | Q(is_stale=True)
    mine = Verdict.objects.filter(stands, user_id=user_id, item__project=project, is_undo=False)
    shown = mine.select_related("item", "label_class").annotate(excerpt=Left("item__sample__text", EXCERPT))
    return shown.order_by("-created_at", "-id").first()


def standing_verdict(item: ReviewItem) -> Verdict | None:
    """The answer that decides the item now, with its person and class."""
    current = Verdict.objects.filter(item=item, is_current=True, is_undo=False, is_stale=False)
    return current.select_related("user", "label_class").order_by("-id").first()


def vote_tally(item: ReviewItem) -> list[tuple[str, int]]:
    """(class name, votes) of the run's pool on the item's text, most votes first."""
    versions = PoolMember.objects.filter(generation__run=item.run_id).values("version_id")
    votes = Vote.objects.filter(sample_id=item.sample_id, version_id__in=versions).exclude(label_class=None)
    return list(votes.values_list("label_class__name").annotate(n=Count("id")).order_by("-n", "label_class__position"))


def others_leases(project: Project, user_id: int) -> list[Lease]:
    """Open items that stand on other people's screens, the first to come free first."""
    live = Lease.objects.filter(item__project=project, item__state="open", expires_at__gt=timezone.now())
    return list(live.exclude(user_id=user_id).select_related("user").order_by("expires_at")[:20])


def history_of(sample: Sample) -> SampleHistory:
    """Votes, consensus, review items, verdicts and labels of the sample."""
    labels = list(sample.labels.select_related("label_class", "verdict__user", "run").order_by("-id"))
    items = ReviewItem.objects.filter(dataset_id=sample.dataset_id, text_hash=sample.text_hash)
    verdicts = Verdict.objects.filter(item__in=items).select_related("user", "label_class", "item")
    consensus = Consensus.objects.filter(sample=sample).select_related("run", "label_class")
    return SampleHistory(
        label=next((label for label in labels if label.is_current), None),
        votes=_votes_on(sample),
        consensus=list(consensus.order_by("-run_id", "-generation")),
        items=list(items.select_related("run").order_by("-id")),
        verdicts=list(verdicts.order_by("-id")),
        labels=labels,
    )


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
