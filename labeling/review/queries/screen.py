"""What the review screen shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from uuid import UUID, uuid4

from labeling.accounts.models import User
from labeling.labels.models import ItemState, ReviewItem, Verdict
from labeling.labels.queries import Pace, latest_verdict, pace_of, standing_verdict, vote_tally
from labeling.projects.models import LabelClass, Project
from labeling.projects.queries import active_classes, guideline_text
from labeling.review.models import Flag, Skip
from labeling.review.queries.cards import Card, cards_of
from labeling.review.queries.emptiness import Emptiness, emptiness_of
from labeling.review.queries.stale import is_blind


@dataclass(frozen=True, slots=True)
class Last:
    """The person's last answer: what it was, what became of it, and what the pool had said.

    The `tally` is empty for a blind item, and for all while a text waits for an audit or of its frame.
    """

    verdict: Verdict
    tally: list[tuple[str, int]]
    standing: Verdict | None
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything the page shows. The ids mark what its forms send without JavaScript; `client_id` the answer."""

    card: Card | None
    until: str
    classes: list[LabelClass]
    classes_mark: str
    guideline: str
    pace: Pace
    last: Last | None
    emptiness: Emptiness | None
    can_undo: bool
    client_id: UUID = field(default_factory=uuid4)
    skip_id: UUID = field(default_factory=uuid4)
    flag_id: UUID = field(default_factory=uuid4)
    comment_id: UUID = field(default_factory=uuid4)
    undo_id: UUID = field(default_factory=uuid4)

    @property
    def item(self) -> ReviewItem | None:
        """The item of the card."""
        return self.card.item if self.card else None


def screen_of(project: Project, user: User, item_id: int | None, until: datetime | None) -> Screen:
    """The screen with the item that the person holds until then; without one it says why."""
    cards = cards_of(project, user.pk, [item_id] if item_id else [], until)
    classes = active_classes(project)
    last = last_of(project, user)
    return Screen(
        card=cards[0] if cards else None,
        until=until.isoformat() if until else "",
        classes=classes,
        classes_mark=mark_of(classes),
        guideline=guideline_text(project),
        pace=pace_of(project, user.pk),
        last=last,
        emptiness=None if cards else emptiness_of(project, user.pk),
        can_undo=last is not None or _has_passed(project, user),
    )


def mark_of(classes: Sequence[LabelClass]) -> str:
    """Changes whenever the class buttons would look or answer differently."""
    shown = [(one.pk, one.name, one.key, one.slot, one.description) for one in classes]
    return blake2b(repr(shown).encode(), digest_size=8).hexdigest()


def last_of(project: Project, user: User) -> Last | None:
    """The person's last answer in the project, if any."""
    latest = latest_verdict(project, user.pk)
    if latest is None:
        return None
    verdict, is_silent = latest
    item = verdict.item
    # While the others tell theirs, a line without votes would name a text of the frame, which an undo brings back.
    is_silent = is_silent or is_blind(item) or item.state == ItemState.OPEN
    is_beaten = verdict.is_stale and not is_blind(item)
    return Last(
        verdict=verdict,
        tally=[] if is_silent else vote_tally(item),
        standing=standing_verdict(item) if is_beaten else None,
        is_withdrawn=item.state == ItemState.WITHDRAWN,
    )


def _has_passed(project: Project, user: User) -> bool:
    """Whether the person skipped or flagged anything that still counts."""
    mine = {"user": user, "item__project": project, "ended_at": None}
    return Skip.objects.filter(**mine).exists() or Flag.objects.filter(**mine).exists()
