"""What the project list and a project's home show, from counters: no sample, vote or label is touched (C42, C43)."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, F, Q, Sum

from labeling.accounts.models import User
from labeling.datasets.models import Dataset, Upload, UploadState
from labeling.exports.models import Export
from labeling.jobs.models import Chunk, ChunkState, Job
from labeling.labels.models import ItemState, Verdict
from labeling.labels.queries import Pace, start_of_day
from labeling.labels.seed_queries import rows_without_run
from labeling.projects.models import Membership, Project, Role
from labeling.quality.page_queries import RunQuality, drawn_texts, qualities_of
from labeling.refinement.models import RefinementRound, RoundKind, RoundState
from labeling.runs.models import ACTIVE_STATES, PoolMember, Run, RunState
from labeling.runs.queries import votable_versions
from labeling.specialists.models import GeneratedScript, Specialist, SpecialistState, Trial

MOST_PROJECTS = 200
MOST_JOBS = 8
MOST_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Card:
    """A project in the list: the person's role, rows in its data sets, rows that wait for people, rows decided.

    An annotator's card tells of the own answers of today instead of the rows that all have decided.
    """

    project: Project
    role: Role
    rows: int
    left: int
    accepted: int
    decided: int
    is_voting: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a project stands. Runs are the newest one of each data set in use, cancelled ones left out.

    `qualities` holds by run, and `drawn` by data set, what an audit said and how many texts it drew. `pace` is there
    for an annotator, who is told of the own answers instead of what all have decided.
    """

    rows: int
    datasets: int
    importing: int
    previews: list[Upload]
    models: int
    unmapped: int
    is_model_ready: bool
    runs: list[Run]
    pool_size: int
    dead: list[tuple[Job, int]]
    exports: int
    last_export: Export | None
    seeds: int
    rounds: list[RefinementRound]
    qualities: dict[int, RunQuality]
    drawn: dict[int, int]
    pace: Pace | None = None

    @property
    def voted(self) -> int:
        """Rows with votes."""
        return sum(run.voted for run in self.runs)

    @property
    def accepted(self) -> int:
        """Rows on which the specialists agree."""
        return sum(run.accepted for run in self.runs)

    @property
    def hard(self) -> int:
        """Rows sent to review."""
        return sum(run.hard for run in self.runs)

    @property
    def decided(self) -> int:
        """Rows that people decided."""
        return sum(run.decided for run in self.runs)

    @property
    def verified(self) -> int:
        """Rows that a language model labeled."""
        return sum(run.verified for run in self.runs)

    @property
    def asking(self) -> int:
        """Rows that wait for a language model."""
        return sum(run.asking for run in self.runs if run.is_active)

    @property
    def left(self) -> int:
        """Rows that wait for people: hard ones of runs, and seed texts."""
        if self.pace is not None:
            return self.pace.left
        return sum(run.to_review for run in self.runs if run.is_active) + self.seeds

    @property
    def round_at_work(self) -> RefinementRound | None:
        """The newest round that trains or judges."""
        return next((one for one in self.rounds if one.state in {RoundState.TRAINING, RoundState.JUDGING}), None)

    @property
    def stuck_rounds(self) -> list[RefinementRound]:
        """Rounds that wait for a manager: to promote by hand, or to try again."""
        return [one for one in self.rounds if one.state in {RoundState.WAITING, RoundState.FAILED}]

    @property
    def quality(self) -> RunQuality | None:
        """That of the newest run that was measured."""
        return next((self.qualities[run.pk] for run in self.runs if run.pk in self.qualities), None)

    @property
    def voting(self) -> Run | None:
        """A run that votes or is paused."""
        return next((run for run in self.runs if run.state in {RunState.RUNNING, RunState.PAUSED}), None)


def as_annotators_see(standing: Standing, pace: Pace) -> Standing:
    """The same, as far as it cannot tell what somebody else has said about a text.

    A row is decided, learned from or taken from a language model in the moment in which people agree on its text. Who
    sees such a number before and after the own answer knows whether the other one said the same, and that on texts that
    are blind; so annotators get the own count, and a number of rows left that falls by each answer of theirs, whatever
    comes of it. To show the numbers of all seldom would tell the same, only later.
    """
    return replace(standing, pace=pace)


def cards_of(user: User) -> list[Card]:
    """The person's projects, newest first."""
    mine = Membership.objects.filter(user=user).select_related("project").order_by("-project_id")[:MOST_PROJECTS]
    memberships = list(mine)
    ids = [one.project_id for one in memberships]
    rows = _sums(Dataset.objects.filter(project__in=ids, archived_at=None), n=Sum("row_count"))
    active = Run.objects.filter(project__in=ids, state__in=ACTIVE_STATES)
    runs = Run.objects.filter(project__in=ids, dataset__archived_at=None).exclude(state=RunState.CANCELLED)
    left = _sums(active, n=Sum(F("hard") - F("decided") - F("verified") - F("asking")))
    seeds = rows_without_run(ids)
    voting = _sums(active.filter(state=RunState.RUNNING), n=Count("id"))
    newest = {run.dataset_id: run for run in runs.order_by("number")}
    cards = [
        Card(
            project=one.project,
            role=Role(one.role),
            rows=rows.get(one.project_id, 0),
            left=left.get(one.project_id, 0) + seeds.get(one.project_id, 0),
            accepted=sum(run.accepted for run in newest.values() if run.project_id == one.project_id),
            decided=sum(run.decided for run in newest.values() if run.project_id == one.project_id),
            is_voting=bool(voting.get(one.project_id)),
        )
        for one in memberships
    ]
    return _as_annotator(user, cards)


def _as_annotator(user: User, cards: list[Card]) -> list[Card]:
    """Where the person is an annotator, the own answers of today, for the reasons of `as_annotators_see`."""
    if not any(card.role == Role.ANNOTATOR for card in cards):
        return cards
    mine = Verdict.objects.filter(user=user, is_current=True, is_undo=False, created_at__gte=start_of_day())
    waiting = Sum("item__copies", filter=Q(item__state=ItemState.OPEN), default=0)
    rows = mine.order_by().values_list("item__project_id").annotate(n=Count("id"), waiting=waiting)
    today = {project_id: (n, copies) for project_id, n, copies in rows}
    return [
        replace(card, decided=n, left=max(0, card.left - copies)) if card.role == Role.ANNOTATOR else card
        for card in cards
        for n, copies in [today.get(card.project.pk, (0, 0))]
    ]


def _sums(rows: Any, n: Any) -> dict[int, int]:
    return {project_id: value or 0 for project_id, value in rows.order_by().values_list("project_id").annotate(n=n)}


def standing_of(project: Project) -> Standing:
    """Where the project stands."""
    datasets = list(Dataset.objects.filter(project=project, is_ready=True, archived_at=None))
    runs = _newest_runs(project)
    uploads = list(Upload.objects.filter(project=project, state__in=(UploadState.PREVIEW, UploadState.IMPORTING))[:20])
    states = dict(_states(project))
    exports = Export.objects.filter(project=project, is_ready=True)
    return Standing(
        rows=sum(dataset.row_count for dataset in datasets),
        datasets=len(datasets),
        importing=sum(upload.state == UploadState.IMPORTING for upload in uploads),
        previews=[upload for upload in uploads if upload.state == UploadState.PREVIEW],
        models=sum(states.values()),
        unmapped=states.get(SpecialistState.MAPPING, 0),
        is_model_ready=bool(votable_versions(project)),
        runs=runs,
        pool_size=_pool_size(runs),
        dead=_dead_parts(project),
        exports=exports.count(),
        last_export=exports.first(),
        seeds=rows_without_run([project.pk]).get(project.pk, 0),
        rounds=_rounds(project),
        qualities=qualities_of(runs),
        drawn=drawn_texts([run.dataset_id for run in runs]),
    )


def _states(project: Project) -> list[tuple[str, int]]:
    living = Specialist.objects.filter(project=project, is_archived=False).order_by()
    return list(living.values_list("state").annotate(n=Count("id")))


def _newest_runs(project: Project) -> list[Run]:
    runs = Run.objects.filter(project=project, dataset__archived_at=None).exclude(state=RunState.CANCELLED)
    newest = {run.dataset_id: run for run in runs.select_related("dataset").order_by("number")}
    return sorted(newest.values(), key=lambda run: -run.number)


def _pool_size(runs: list[Run]) -> int:
    members = PoolMember.objects.filter(generation__run__in=[run.pk for run in runs])
    return members.values("version__specialist_id").distinct().count() if runs else 0


def _rounds(project: Project) -> list[RefinementRound]:
    rounds = RefinementRound.objects.filter(project=project, kind=RoundKind.REFINE, dataset__archived_at=None)
    return list(rounds.exclude(state=RoundState.CANCELLED)[:MOST_ROUNDS])


def _dead_parts(project: Project) -> list[tuple[Job, int]]:
    """Jobs with parts that wait for a retry, and how many."""
    dead = Chunk.objects.filter(job__project=project, state=ChunkState.DEAD).order_by()
    counts = dict(dead.values_list("job_id").annotate(n=Count("id")))
    return [(job, counts[job.pk]) for job in Job.objects.filter(pk__in=list(counts)[:20])]


def recent_jobs(project: Project) -> list[Job]:
    """The newest jobs."""
    return list(Job.objects.filter(project=project).exclude(kind="dummy")[:MOST_JOBS])


def subject_numbers(jobs: list[Job]) -> dict[tuple[str, int], str]:
    """(kind, subject) -> what the page calls it: a run's or export's number, a file or model name."""
    wanted: dict[str, list[int]] = {}
    for job in jobs:
        wanted.setdefault(job.kind, []).append(job.subject)
    names: dict[tuple[str, int], str] = {}
    for kind, model, field in (
        ("run", Run, "number"),
        ("assess", Run, "number"),
        ("export", Export, "number"),
        ("import", Upload, "filename"),
        ("fetch", Specialist, "name"),
        ("trial", Trial, "version__specialist__name"),
        ("round", RefinementRound, "number"),
        ("verify", Run, "number"),
        ("script", GeneratedScript, "number"),
        ("voter", GeneratedScript, "number"),
    ):
        found = model.objects.filter(pk__in=wanted[kind]).values_list("pk", field) if kind in wanted else ()
        names |= {(kind, pk): str(name) for pk, name in found}
    return names
