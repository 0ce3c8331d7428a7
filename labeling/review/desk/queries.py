"""What the desk shows: one escalated text with all that people, and perhaps models, said about it; what else waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, FloatField, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, Left
from django.utils import timezone

from labeling.accounts.models import User
from labeling.labels.actions.screens import DESK_SLOT
from labeling.labels.models import (
    Consensus,
    ItemState,
    Lease,
    ReviewItem,
    Verdict,
    VerdictMode,
    VerifierAnswer,
    Vote,
)
from labeling.labels.queries import EXCERPT, audit_waits, standing_verdict, start_of_day
from labeling.projects.models import Project, VotesShown
from labeling.review.models import Comment, Flag, Return, Skip
from labeling.review.queries import original_columns
from labeling.runs.models import PoolMember


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody did about the text beside answering it. `kind`: flag, skip, comment or return."""

    kind: str
    at: datetime
    by: User
    text: str = ""
    to: User | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Opinions:
    """What models said: the pool's votes, surest first, and the answers of language models."""

    votes: list[Vote]
    answers: list[VerifierAnswer]


@dataclass(frozen=True, slots=True)
class Case:
    """A text on the desk. `answers` stand, or came too late; `earlier` were replaced. Each in order of time.

    `has_votes` says whether the reviewer may see what models said, `opinions` holds it once they do.
    """

    item: ReviewItem
    columns: list[tuple[str, str]]
    answers: Sequence[Verdict]
    earlier: Sequence[Verdict]
    sayings: list[Saying]
    people: list[User]
    has_reason: bool
    has_votes: bool
    opinions: Opinions | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Texts on the desk by why they are there, and how many the person adjudicated since midnight."""

    today: int
    waiting: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All texts on the desk."""
        return sum(self.waiting.values())


@dataclass(frozen=True, slots=True)
class Adjudicated:
    """The person's last adjudication; `standing` is the answer that holds where this one came too late."""

    verdict: Verdict
    standing: Verdict | None


def escalated(project: Project) -> QuerySet[ReviewItem]:
    """The project's texts that wait for a reviewer."""
    return ReviewItem.objects.filter(project=project, state=ItemState.OPEN).exclude(escalation="")


def is_audit_waiting(project: Project) -> bool:
    """Whether a text of the project waits for an audit: then no open text shows why it is there, nor any vote."""
    return Project.objects.filter(audit_waits(OuterRef("pk")), pk=project.pk).exists()


def is_framed(item: ReviewItem) -> bool:
    """Whether an audit may measure by this text: whoever answers it sees no votes. Overlap alone hides none here."""
    return item.text_hash <= item.dataset.frame_until


def has_others_words(item: ReviewItem, user_id: int) -> bool:
    """Whether anybody else has answered, flagged, skipped, returned or remarked on the text, if only once."""
    others = [one.objects.filter(item=item).exclude(user=user_id) for one in (Verdict, Flag, Skip, Comment)]
    return any(found.exists() for found in (*others, Return.objects.filter(item=item).exclude(by=user_id)))


def case_of(project: Project, item: ReviewItem, *, with_votes: bool) -> Case:
    """The text with everything a reviewer needs; models' opinions where they are asked for and may be shown."""
    seconds = Cast("elapsed_ms", FloatField()) / 1000
    verdicts = Verdict.objects.filter(item=item, is_undo=False).annotate(seconds=seconds)
    given = list(verdicts.select_related("user", "label_class"))
    here = [one for one in given if _is_answer(one)]
    is_secret = is_audit_waiting(project)
    has_votes = project.votes_shown != VotesShown.NEVER and not is_secret and not is_framed(item)
    is_shown = has_votes and (with_votes or project.votes_shown == VotesShown.SHOWN)
    return Case(
        item=item,
        columns=original_columns(item, item.sample.upload.gold_column),
        answers=here,
        earlier=[one for one in given if one not in here],
        sayings=_sayings(item),
        people=_people(project, [one.user_id for one in here]),
        has_reason=not is_secret,
        has_votes=has_votes,
        opinions=_opinions(item) if is_shown else None,
    )


def progress_of(project: Project, user_id: int) -> Progress:
    """How much is on the desk, and what the person did there today."""
    counts = escalated(project).values_list("escalation").annotate(n=Count("id")).order_by()
    done = _adjudications(project, user_id).filter(is_current=True, created_at__gte=start_of_day())
    return Progress(today=done.count(), waiting=dict(counts))


def last_adjudicated(project: Project, user_id: int) -> Adjudicated | None:
    """The person's newest adjudication in the project that was not taken back, too late ones also."""
    stands = Q(is_current=True) | Q(is_stale=True)
    mine = _adjudications(project, user_id).filter(stands).select_related("item", "label_class")
    verdict = mine.annotate(excerpt=Left("item__sample__text", EXCERPT)).order_by("-created_at", "-id").first()
    if verdict is None:
        return None
    is_beaten = verdict.is_stale and verdict.item.state == ItemState.DECIDED
    return Adjudicated(verdict, standing_verdict(verdict.item) if is_beaten else None)


def undoable_adjudication(project: Project, user_id: int) -> Verdict | None:
    """The person's newest adjudication in the project that holds."""
    return _adjudications(project, user_id).filter(is_current=True).order_by("-created_at", "-id").first()


def undoable_return(project: Project, user_id: int) -> Return | None:
    """The last text that the person sent back from the desk, if nothing has happened to it since."""
    mine = Return.objects.filter(by=user_id, item__project=project, undo_id=None, before__isnull=False)
    sent = mine.select_related("item").order_by("-id").first()
    if sent is None or sent.before is None:
        return None
    is_untouched = sent.item.state == ItemState.OPEN and sent.before["version"] == sent.item.version
    return sent if is_untouched else None


def lease_end(item_id: int, user_id: int) -> datetime | None:
    """Until when the text lies before this reviewer."""
    mine = Lease.objects.filter(item=item_id, user_id=user_id, slot=DESK_SLOT)
    return mine.values_list("expires_at", flat=True).first()


def desk_leases(project: Project, user_id: int) -> list[Lease]:
    """Texts that lie before other reviewers, the first to come free first."""
    live = Lease.objects.filter(item__in=escalated(project), slot=DESK_SLOT, expires_at__gt=timezone.now())
    return list(live.exclude(user_id=user_id).select_related("user").order_by("expires_at")[:20])


def _adjudications(project: Project, user_id: int) -> QuerySet[Verdict]:
    mine = Verdict.objects.filter(user_id=user_id, item__project=project, is_undo=False)
    return mine.filter(mode=VerdictMode.ADJUDICATED)


def _is_answer(verdict: Verdict) -> bool:
    return verdict.mode != VerdictMode.ADJUDICATED and (verdict.is_current or verdict.is_stale)


def _people(project: Project, answered: list[int]) -> list[User]:
    """Whom the text may be sent to: those who answered it first, then the other members by name."""
    members = User.objects.filter(memberships__project=project, is_active=True).order_by("username")
    return sorted(members, key=lambda user: user.pk not in answered)


def _sayings(item: ReviewItem) -> list[Saying]:
    """Flags, skips, comments and returns, in the order of time. Four queries."""
    found = [
        Saying("flag", one.created_at, one.user, one.note, is_over=one.ended_at is not None)
        for one in _of(Flag, item, "user").filter(undo_id=None)
    ]
    found += [
        Saying("skip", one.created_at, one.user, is_over=one.ended_at is not None)
        for one in _of(Skip, item, "user").filter(undo_id=None)
    ]
    found += [Saying("comment", one.created_at, one.user, one.text) for one in _of(Comment, item, "user")]
    found += [
        Saying("return", one.created_at, one.by, one.reason, one.to)
        for one in _of(Return, item, "by", "to").filter(undo_id=None)
    ]
    return sorted(found, key=lambda saying: saying.at)


def _of(model: Any, item: ReviewItem, *people: str) -> Any:
    return model.objects.filter(item=item).select_related(*people)


def _opinions(item: ReviewItem) -> Opinions:
    """What the pool of the item's run voted last, and what language models answered in that run."""
    current = Consensus.objects.filter(run=item.run_id, sample=item.sample_id, is_current=True).values("generation")
    pool = PoolMember.objects.filter(generation__run=item.run_id, generation__number__in=current).values("version_id")
    votes = Vote.objects.filter(sample_id=item.sample_id, version_id__in=pool)
    answers = VerifierAnswer.objects.filter(run=item.run_id, text_hash=item.text_hash)
    return Opinions(
        votes=list(votes.select_related("version__specialist", "label_class").order_by("-top_probability", "id")),
        answers=list(answers.select_related("connection", "label_class")),
    )
