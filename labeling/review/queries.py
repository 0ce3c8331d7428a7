"""What the review screen shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from labeling.accounts.models import User
from labeling.datasets.queries import cells_of
from labeling.labels.models import ItemState, Lease, ReviewItem, Verdict
from labeling.labels.queries import Pace, latest_verdict, others_leases, pace_of, standing_verdict, vote_tally
from labeling.labels.seed_queries import seed_counts
from labeling.projects.models import LabelClass, Project
from labeling.projects.queries import active_classes, guideline_text
from labeling.review.models import Skip
from labeling.runs.models import Run, RunState


@dataclass(frozen=True, slots=True)
class Last:
    """The person's last answer: what it was, what became of it, and (not for blind items) what the pool had said."""

    verdict: Verdict
    tally: list[tuple[str, int]]
    standing: Verdict | None
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Why nothing is on the screen."""

    leases: list[Lease]
    people: list[str]
    voting: Run | None
    has_run: bool
    has_seeds: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything the screen shows. `client_id` marks the answer that it will send."""

    item: ReviewItem | None
    until: str
    columns: list[tuple[str, str]]
    was_skipped: bool
    classes: list[LabelClass]
    guideline: str
    pace: Pace
    last: Last | None
    emptiness: Emptiness | None
    client_id: UUID
    undo_id: UUID

    @property
    def can_undo(self) -> bool:
        """Whether the person has decided anything yet."""
        return self.last is not None


def screen_of(project: Project, user: User, item: ReviewItem | None, until: datetime | None) -> Screen:
    """The screen with the item that the person holds until then; without one it says why."""
    return Screen(
        item=item,
        until=until.isoformat() if until else "",
        columns=original_columns(item) if item else [],
        was_skipped=item is not None and Skip.objects.filter(item=item, user=user, ended_at=None).exists(),
        classes=active_classes(project),
        guideline=guideline_text(project),
        pace=pace_of(project, user.pk),
        last=_last(project, user),
        emptiness=None if item else _emptiness(project, user),
        client_id=uuid4(),
        undo_id=uuid4(),
    )


def original_columns(item: ReviewItem) -> list[tuple[str, str]]:
    """(name, cell) of the upload's other columns that hold anything, in their order."""
    cells = cells_of(item.dataset, item.sample.text, item.sample.cells)
    pairs = zip(item.dataset.columns, cells, strict=True)
    return [(name, cell) for name, cell in pairs if cell and name != item.dataset.text_column]


def _last(project: Project, user: User) -> Last | None:
    verdict = latest_verdict(project, user.pk)
    if verdict is None:
        return None
    item = verdict.item
    is_beaten = verdict.is_stale and not item.is_blind
    return Last(
        verdict=verdict,
        tally=[] if item.is_blind or item.state == ItemState.OPEN else vote_tally(item),
        standing=standing_verdict(item) if is_beaten else None,
        is_withdrawn=item.state == ItemState.WITHDRAWN,
    )


def _emptiness(project: Project, user: User) -> Emptiness:
    leases = others_leases(project, user.pk)
    runs = list(Run.objects.filter(project=project)[:20])
    voting = next((run for run in runs if run.state in {RunState.RUNNING, RunState.PAUSED}), None)
    people = list(dict.fromkeys(lease.user.get_username() for lease in leases))
    has_seeds = not runs and seed_counts(project).decided > 0
    return Emptiness(leases, people, voting, has_run=bool(runs), has_seeds=has_seeds)
