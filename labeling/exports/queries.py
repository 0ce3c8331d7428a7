"""What an export reads: counts for the page, and samples with their facts in pages by position."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from annotator_core.types import LabelSource
from labeling.datasets.models import Dataset, Sample
from labeling.exports.models import Export
from labeling.jobs.models import ChunkState, Job
from labeling.labels.audit_queries import blind_answers
from labeling.labels.models import Consensus, Label, Verdict, VerifierAnswer, Vote
from labeling.projects.models import Project
from labeling.quality.queries import drawn_hashes
from labeling.runs.models import Mode, PoolMember, Run
from labeling.runs.queries import newest_run

PAGE_ROWS = 4_000
IN_LIST = 500  # SQLite builds exist that take no more than 999 parameters (C36)


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many rows of the file have a label of this source; source "" for rows without a label."""

    source: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class LabelFact:
    """The current label of a sample."""

    class_id: int
    source: str
    confidence: float | None
    run_id: int | None
    generation: int | None
    item_id: int | None
    decided_at: str


@dataclass(frozen=True, slots=True)
class VerdictFact:
    """What a person says of a text now, and how they came to it (labels.models.VerdictMode)."""

    name: str
    class_id: int
    mode: str


@dataclass(frozen=True, slots=True)
class AnswerFact:
    """What a connection answered on a text in a run; without a class it abstained."""

    name: str
    model: str
    class_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """What stays the same for all rows: class names, the newest run, run numbers.

    `pools` holds for each generation of the run its versions' names by id, in the order of the pool; `drawn` and
    `audited` the hashes of the texts that audits drew, and of those that have an answer; `verified` are the runs of the
    data set in which language models answered.
    """

    dataset: Dataset
    class_names: Mapping[int, str]
    run: Run | None
    pools: Mapping[int, Mapping[int, str]]
    run_numbers: Mapping[int, int]
    drawn: Set[str]
    audited: Set[str]
    verified: Sequence[int] = ()


@dataclass(slots=True)
class Page:
    """Samples in the order of position, and what is known of them by sample id (verdicts by item id).

    A consensus is (uncertainty, route, generation); answers are found by run and text.
    """

    samples: list[tuple[int, str, str, str]] = field(default_factory=list)
    labels: dict[int, LabelFact] = field(default_factory=dict)
    votes: dict[int, dict[int, tuple[int | None, float | None]]] = field(default_factory=dict)
    consensus: dict[int, tuple[float, str | None, int]] = field(default_factory=dict)
    verdicts: dict[int, list[VerdictFact]] = field(default_factory=dict)
    answers: dict[tuple[int, str], list[AnswerFact]] = field(default_factory=dict)


def source_names() -> dict[str, str]:
    """How each source of labels is called on pages."""
    return {
        LabelSource.CONSENSUS: _("The specialists agree"),
        LabelSource.VERIFIER: _("Verified by an LLM"),
        LabelSource.FUSED: _("Specialists and LLM together"),
        LabelSource.HUMAN: _("Decided by a person"),
        LabelSource.ADJUDICATED: _("Settled by a reviewer"),
        LabelSource.IMPORTED: _("Imported as verified"),
    }


def count_states(dataset: Dataset) -> list[StateCount]:
    """Rows by the source of their label, and those without one: what the file will hold (C37). One query."""
    labels = Label.objects.filter(is_current=True, sample__dataset=dataset)
    counts = dict(labels.values_list("source").annotate(count=Count("id")).order_by())
    found = [StateCount(source, name, counts[source]) for source, name in source_names().items() if source in counts]
    missing = dataset.row_count - sum(counts.values())
    return [*found, StateCount("", _("No label yet"), max(0, missing))]


def written_counts(export: Export) -> list[tuple[str, int]]:
    """(name of the source, rows) as the export's manifest tells them."""
    names = {str(source): name for source, name in source_names().items()} | {"none": _("No label yet")}
    counts = export.manifest.get("counts", {}).get("by_source", {})
    return [(names.get(source, source), count) for source, count in counts.items()]


def exports_of(project: Project) -> QuerySet[Export]:
    """The project's exports, newest first."""
    return Export.objects.filter(project=project).select_related("dataset")


def jobs_of(exports: list[Export]) -> dict[int, Job]:
    """The newest job of each export by the export's id, with `working`: rows done in the part at hand."""
    jobs = Job.objects.filter(kind="export", subject__in=[export.pk for export in exports[:IN_LIST]])
    working = Sum("chunks__progress", filter=Q(chunks__state=ChunkState.RUNNING))
    return {job.subject: job for job in jobs.annotate(working=working).order_by("id")}


def read_source(dataset: Dataset) -> Source:
    """What an export of the data set needs beside its rows: a handful of queries."""
    run, drawn = newest_run(dataset), drawn_hashes(dataset.pk)
    return Source(
        dataset=dataset,
        class_names=dict(dataset.project.classes.values_list("id", "name")),
        run=run,
        pools=_pools_of(run) if run else {},
        run_numbers=dict(Run.objects.filter(project_id=dataset.project_id).values_list("id", "number")),
        drawn=drawn,
        audited=blind_answers(dataset.pk, drawn).keys(),
        verified=list(Run.objects.filter(dataset=dataset).exclude(mode=Mode.HUMAN).values_list("id", flat=True)),
    )


def _pools_of(run: Run) -> dict[int, dict[int, str]]:
    members = PoolMember.objects.filter(generation__run=run).select_related("generation", "version__specialist")
    pools: dict[int, dict[int, str]] = {}
    for member in members.order_by("generation__number", "position"):
        pools.setdefault(member.generation.number, {})[member.version_id] = str(member.version)
    return pools


def read_pages(source: Source) -> Iterator[Page]:
    """All samples of the data set in pages. Each page costs six queries, and one more per 500 decided texts."""
    for low in range(0, source.dataset.row_count, PAGE_ROWS):
        yield _read_page(source, low, min(low + PAGE_ROWS, source.dataset.row_count))


def _read_page(source: Source, low: int, high: int) -> Page:
    samples = Sample.objects.filter(dataset=source.dataset, position__gte=low, position__lt=high).order_by("position")
    page = Page(samples=list(samples.values_list("id", "text", "cells", "text_hash")))
    here: dict[str, Any] = {
        "sample__dataset": source.dataset,
        "sample__position__gte": low,
        "sample__position__lt": high,
    }
    _add_labels(page, here)
    if source.run:
        _add_votes(page, here, sorted({pk for pool in source.pools.values() for pk in pool}))
        _add_consensus(page, here, source)
    _add_verdicts(page)
    if source.verified:
        _add_answers(page, source, samples)
    return page


def _add_labels(page: Page, here: dict[str, Any]) -> None:
    labels = Label.objects.filter(is_current=True, **here).values_list(
        "sample_id", "label_class_id", "source", "confidence", "run_id", "generation", "verdict__item_id", "created_at"
    )
    for sample_id, class_id, source, confidence, run_id, generation, item_id, at in labels:
        moment = at.isoformat(timespec="seconds").replace("+00:00", "Z")
        page.labels[sample_id] = LabelFact(class_id, source, confidence, run_id, generation, item_id, moment)


def _add_votes(page: Page, here: dict[str, Any], version_ids: list[int]) -> None:
    votes = Vote.objects.filter(version_id__in=version_ids, **here)
    for sample_id, version_id, class_id, top in votes.values_list(
        "sample_id", "version_id", "label_class_id", "top_probability"
    ):
        page.votes.setdefault(sample_id, {})[version_id] = (class_id, top)


def _add_consensus(page: Page, here: dict[str, Any], source: Source) -> None:
    rows = Consensus.objects.filter(run=source.run, is_current=True, **here)
    for sample_id, uncertainty, route, generation in rows.values_list(
        "sample_id", "uncertainty", "route", "generation"
    ):
        page.consensus[sample_id] = (uncertainty, route, generation)


def _add_verdicts(page: Page) -> None:
    """What each person says now of the decided texts of the page."""
    item_ids = sorted({label.item_id for label in page.labels.values() if label.item_id})
    for low in range(0, len(item_ids), IN_LIST):
        verdicts = Verdict.objects.filter(
            item_id__in=item_ids[low : low + IN_LIST], is_current=True, is_stale=False, label_class__isnull=False
        )
        for item_id, name, class_id, mode in verdicts.order_by("id").values_list(
            "item_id", "user__username", "label_class_id", "mode"
        ):
            page.verdicts.setdefault(item_id, []).append(VerdictFact(name, class_id, mode))


def _add_answers(page: Page, source: Source, samples: QuerySet[Sample]) -> None:
    """What language models answered on the page's texts, in the order of the connections; equal texts share it."""
    texts = samples.order_by().values("text_hash")
    answers = VerifierAnswer.objects.filter(run__in=source.verified, text_hash__in=texts).order_by("connection_id")
    for run_id, text_hash, name, model, class_id, reason in answers.values_list(
        "run_id", "text_hash", "connection__name", "model", "label_class_id", "reason"
    ):
        page.answers.setdefault((run_id, text_hash), []).append(AnswerFact(name, model, class_id, reason))
